"""Segment a mask of ink: its connected parts, without the rules that join them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels, Reason
from edge.vision.components import Part, Window, bounding_box, connected_components
from edge.vision.rules import without_frame, without_rules


class Mark(NamedTuple):
    """One candidate digit."""

    parts: tuple[int, ...]
    """Labels of its connected components."""
    box: Box
    """Working pixels."""
    line: int = 0
    """Its line of writing, from 0, top to bottom."""
    area: int = 0
    """Pixels of ink; 0 where they were not counted."""


class Segments(NamedTuple):
    """The candidate digits of a picture in reading order."""

    mask: Pixels
    """(height, width) uint8: 255 where there is ink that is not a ruled line, else 0."""
    marks: tuple[Mark, ...]
    """The candidates, in reading order."""
    digit_side: float
    """A typical digit's longer side, working pixels."""
    ink: tuple[Part, ...]
    """The parts of ink that may belong to a digit."""
    reason: Reason | None
    """Why there is no candidate, or None."""
    unsure: bool = False
    """Whether rules were removed without knowing how large digits are: they may be strokes of digits that touch."""


LEAST_JOINED = 0.8
"""If no part is as large as this share of the shortest rule, no rule is joined to a digit."""
MOST_FRAMES = 10
"""At most this many parts of ink are looked at as boxes, the largest first."""
SMALLEST_FRAME = 8.0
"""Smallest shorter side of a box around a digit, in stroke widths."""
WEAK = 0.55
"""In parts larger than a digit, ink with less than this share of the strongest ink beside it only joins strokes."""


class Parts(NamedTuple):
    """The connected components of a picture's ink that may belong to digits."""

    mask: Pixels
    """(height, width) uint8: 255 where there is ink that is not a ruled line, else 0."""
    window: Window
    """The rows and columns of the picture that hold all ink."""
    labels: NDArray[np.int32]
    """The connected component that each pixel of the window belongs to, 0 = paper."""
    every: tuple[Part, ...]
    """All components; label n is part n - 1."""
    usable: tuple[int, ...]
    """Places in ``every`` of those that may belong to a digit."""


def find_parts(mask: Pixels, sure: Pixels | None = None, least: float = 1.0) -> Parts:
    """Ink mask -> its parts. Those with less than ``least`` pixels of ``sure`` (same shape) are not usable."""
    window = _window(mask)
    labels, parts = components_in_window(mask, window)
    ink = list(range(len(parts)))
    if sure is not None:
        certain = np.bincount(labels[sure[window] > 0], minlength=len(parts) + 1)[1:].tolist()
        ink = [i for i in ink if certain[i] >= least]
    return Parts(mask, window, labels, tuple(parts), tuple(ink))


def remove_frames(parts: Parts, clear: Sequence[int], stroke: float) -> Pixels:
    """The mask without boxes and tables around its parts, but for the ``clear`` ones (places in ``every``).

    The mask itself if there are none. ``stroke``: width of most strokes.
    """
    left = parts.mask
    others = sorted(set(range(len(parts.every))) - set(clear), key=lambda i: -max(parts.every[i][2:4]))
    for i in others[:MOST_FRAMES]:
        if min(parts.every[i][2:4]) < SMALLEST_FRAME * stroke:
            continue
        box = place_of(parts, i)
        there = left[parts.window][box]
        own = cv2.compare(parts.labels[box], i + 1, cv2.CMP_EQ)
        rest = without_frame(own, cv2.subtract(there, own), stroke)
        if rest is not own:
            left = left.copy() if left is parts.mask else left
            left[parts.window][box] = cv2.subtract(there, cv2.subtract(own, rest))
    return left


def remove_rules(parts: Parts, ink: Pixels, clear: Sequence[int], shortest: float, stroke: float) -> Pixels:
    """The mask without the rules in its parts, but for the ``clear`` ones (places in ``every``).

    The mask itself if there are none. ``ink``: (height, width) uint8, how strong the ink is. ``shortest``: length of
    the shortest rule, pixels, which is longer than any stroke of a digit. ``stroke``: width of most strokes.
    """
    others = sorted(set(range(len(parts.every))) - set(clear), key=lambda i: -max(parts.every[i][2:4]))
    if not others or max(parts.every[others[0]][2:4]) < LEAST_JOINED * shortest:
        return parts.mask
    here = ink[parts.window]
    digits = ink_of(parts, clear)
    left = doubtful = cv2.subtract(parts.mask[parts.window], digits)
    # Pale rules, and blurred edges of strokes that stand close together.
    large = [i for i in others if max(parts.every[i][2:4]) > shortest]
    if large:
        size = round(2 * stroke) | 1
        least = cv2.convertScaleAbs(cv2.dilate(here, np.ones((size, size), np.uint8)), alpha=WEAK)
        left = cv2.subtract(left, cv2.bitwise_and(ink_of(parts, large), cv2.compare(here, least, cv2.CMP_LT)))
    left = without_rules(left, shortest, stroke)
    if left is doubtful:
        return parts.mask
    whole = np.zeros_like(parts.mask)
    whole[parts.window] = cv2.bitwise_or(left, digits)
    return whole


def place_of(parts: Parts, i: int) -> Window:
    """The rows and columns of a part in the window; ``i``: its place in ``every``."""
    (rows, columns), (x, y, width, height, _) = parts.window, parts.every[i]
    return slice(y - rows.start, y - rows.start + height), slice(x - columns.start, x - columns.start + width)


def ink_of(parts: Parts, some: Sequence[int]) -> Pixels:
    """255 in the window where some parts are, else 0; ``some``: their places in ``every``."""
    found = np.zeros(parts.labels.shape, np.uint8)
    for i in some:
        box = place_of(parts, i)
        found[box] |= cv2.compare(parts.labels[box], i + 1, cv2.CMP_EQ)
    return found


def mark_of(parts: Parts, group: Sequence[int]) -> Mark:
    """The mark that some parts are together."""
    box = bounding_box([parts.every[i][:4] for i in group])
    return Mark(tuple(i + 1 for i in group), Box(*box), 0, sum(parts.every[i][4] for i in group))


def components_in_window(mask: Pixels, window: Window) -> tuple[NDArray[np.int32], list[Part]]:
    """Connected components of a mask: the label of each pixel of the ``window`` that holds all ink, and the parts.

    The parts' boxes are those in the mask. Label n is part n - 1.
    """
    rows, columns = window
    if rows.stop == rows.start:
        return np.zeros((0, 0), np.int32), []
    labels, stats = connected_components(mask[window])
    left, top = columns.start, rows.start
    return labels, [(x + left, y + top, width, height, area) for x, y, width, height, area in stats[1:].tolist()]


def _window(mask: Pixels) -> Window:
    """The smallest window that holds all ink; an empty one if there is none."""
    x, y, width, height = cv2.boundingRect(mask)
    return slice(y, y + height), slice(x, x + width)
