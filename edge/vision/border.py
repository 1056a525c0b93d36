"""What lies at the picture's border: digits that are cut off are dropped, and page edges, tables and shadows too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels
from edge.vision.components import MIN_SIDE, Part, Rect, Window

CUT_OFF = 0.75
"""A mark that touches the border is a digit only if its longer side is at least this share of a typical digit's.

Smaller ones are pieces of what lies outside the picture.
"""
FILLS = 0.5
"""A mark that touches the border is a digit only if it is at least this share of the picture's shorter side.

With less of it, nobody can tell what it was.
"""


def touches_border(box: Rect | Part, shape: tuple[int, ...]) -> bool:
    """Whether a box touches the border of a picture of this shape (height, width), or is one pixel away from it."""
    x, y, width, height = box[:4]
    return x <= 1 or y <= 1 or x + width >= shape[1] - 1 or y + height >= shape[0] - 1


def crosses_one_side(box: Box, width: int) -> bool:
    """Whether a box goes out of a picture of this width on the left or on the right, but not on both."""
    return (box.x <= 1) != (box.x + box.width >= width - 1)


def share_of_border(mask: Pixels) -> float:
    """Which share of the border of a mask (height, width) uint8 is not 0."""
    ring = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return np.count_nonzero(ring) / ring.size


def min_side_at_border(shape: tuple[int, ...], digit_side: float) -> float:
    """Smallest longer side of a digit that touches the border of a picture of this shape, pixels.

    ``digit_side`` is a typical digit's longer side, pixels.
    """
    return max(MIN_SIDE, CUT_OFF * digit_side, FILLS * min(shape))


def border_artefacts(
    labels: NDArray[np.int32], parts: Sequence[Part], window: Window, shape: tuple[int, ...]
) -> frozenset[int]:
    """Which parts are the edge of a page, a table or a shadow at the picture's border rather than a digit.

    They run along the border for at least half of their own length, or cover three corners of the picture. Where there
    is nothing else, a digit that fills the picture up to its border is none of those, unless it covers three corners.
    ``labels`` are those of the ``window`` of a picture of this ``shape``, and label n is part n - 1.
    """
    whole = np.zeros(shape, np.int32)
    whole[window] = labels
    ring = np.concatenate([whole[0], whole[-1], whole[1:-1, 0], whole[1:-1, -1]])
    along = np.bincount(ring, minlength=len(parts) + 1)[1:].tolist()
    corners = np.bincount(whole[[0, 0, -1, -1], [0, -1, 0, -1]], minlength=len(parts) + 1)[1:].tolist()
    in_corners = frozenset(i for i, count in enumerate(corners) if count >= 3)
    edges = frozenset(i for i, part in enumerate(parts) if along[i] >= 0.8 * max(part[2:4]))
    return in_corners if len(edges) == len(parts) else edges | in_corners
