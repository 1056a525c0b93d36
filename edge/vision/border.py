"""What lies at the picture's border: a digit that is cut off there is dropped."""

from __future__ import annotations

import numpy as np

from edge.types import Box, Pixels
from edge.vision.components import MIN_SIDE, Part, Rect

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
