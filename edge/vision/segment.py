"""Segment a mask of ink: boxes of candidate digits in reading order, line by line, without specks and giants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels, Reason
from edge.vision.border import min_side_at_border, touches_border
from edge.vision.components import MIN_SIDE, Part, Rect, Window, bounding_box, connected_components, typical_side
from edge.vision.rules import remove_rules
from edge.vision.stroke_grouping import group_strokes
from edge.vision.text_lines import line_numbers, line_tilt

MAX_MARKS = 400
"""More parts of ink than this are a texture, not writing."""
SPECK = 0.33
"""Marks smaller than this share of a typical digit, after grouping, are specks, dashes and dots.

For marks at the picture's border there are stricter limits in ``edge.vision.border``.
"""
GIANT = 3.5
"""Marks larger than this many typical digits are not digits: form boxes, shadows, hands."""


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
    """The candidate digits of a picture in reading order, and the tilt of their lines."""

    mask: Pixels
    """(height, width) uint8: 255 where there is ink that is not a ruled line, else 0."""
    window: Window
    """The rows and columns of the picture that hold all ink."""
    labels: NDArray[np.int32]
    """The connected component that each pixel of the window belongs to, 0 = paper."""
    marks: tuple[Mark, ...]
    """The candidates, in reading order."""
    tilt: float
    """Degrees by which the lines of writing fall (positive: they go down to the right)."""
    digit_side: float
    """A typical digit's longer side, working pixels."""
    ink: tuple[Part, ...]
    """The parts of ink that may belong to a digit."""
    reason: Reason | None
    """Why there is no candidate, or None."""


MOST_PARTS = 200
"""At most this many parts of ink are candidates, the largest first: more are a texture."""


class Parts(NamedTuple):
    """The connected components of a picture's ink that may belong to digits."""

    mask: Pixels
    """(height, width) uint8: 255 where there is ink that is not a ruled line, else 0."""
    window: Window
    labels: NDArray[np.int32]
    every: tuple[Part, ...]
    """All components; label n is part n - 1."""
    usable: tuple[int, ...]
    """Places in ``every`` of those that may belong to a digit."""


def find_parts(mask: Pixels, sure: Pixels | None = None, *, ruled_lines: bool = True) -> Parts:
    """Ink mask -> its parts, without rules that touch writing. ``ruled_lines``: whether to look for rules.

    A part without any pixel of ``sure`` (same shape, where given) is not usable.
    """
    window = _window(mask)
    labels, parts = components_in_window(mask, window)
    if ruled_lines and (left := remove_rules(mask, labels, parts, window)) is not mask:
        mask, window = left, _window(left)
        labels, parts = components_in_window(mask, window)
    ink = list(range(len(parts)))
    if sure is not None:
        certain = np.bincount(labels[sure[window] > 0], minlength=len(parts) + 1)[1:].tolist()
        ink = [i for i in ink if certain[i]]
    return Parts(mask, window, labels, tuple(parts), tuple(ink))


def mark_of(parts: Parts, group: Sequence[int]) -> Mark:
    """The mark that some parts are together."""
    box = bounding_box([parts.every[i][:4] for i in group])
    return Mark(tuple(i + 1 for i in group), Box(*box), 0, sum(parts.every[i][4] for i in group))


def segment(mask: Pixels, sure: Pixels | None = None, *, ruled_lines: bool = True) -> Segments:
    """Ink mask, (height, width) uint8, 255 = ink -> candidates in reading order.

    Parts without any pixel of ``sure`` (same shape, where given) are left out. ``ruled_lines``: whether to look for
    ruled lines and remove them.
    """
    mask, window, labels, parts, ink = find_parts(mask, sure, ruled_lines=ruled_lines)
    side = [width if width > height else height for _, _, width, height, _ in parts]
    at_border = {i for i, part in enumerate(parts) if touches_border(part, mask.shape)}
    # Parts at the border may be cut off: they count for the typical size only where there are no others.
    whole = [side[i] for i in ink if i not in at_border]
    digit_side = typical_side(whole if any(one >= MIN_SIDE for one in whole) else [side[i] for i in ink])
    count = sum(side[i] >= MIN_SIDE for i in ink)
    ink_parts = tuple(parts[i] for i in ink)
    if count == 0 or count > MAX_MARKS:
        reason: Reason = "blank" if not parts else "clutter" if count or len(parts) >= MAX_MARKS else "too_small"
        return Segments(mask, window, labels, (), 0.0, digit_side, ink_parts, reason)
    least, most = max(3, 0.1 * digit_side), GIANT * digit_side
    near = [i for i in ink if least <= side[i] <= most]
    if len(near) > MAX_MARKS:
        near = sorted(sorted(near, key=lambda i: -side[i])[:MAX_MARKS])
    rects = [parts[i][:4] for i in near]
    grouped = ((group, bounding_box([rects[i] for i in group])) for group in group_strokes(rects, digit_side))
    found = [(group, box) for group, box in grouped if max(box[2:]) >= min_digit_side(box, mask.shape, digit_side)]
    if not found:
        return Segments(mask, window, labels, (), 0.0, digit_side, ink_parts, "too_small")
    boxes = [box for _, box in found]
    tilt = line_tilt(boxes, digit_side)
    lines = line_numbers(boxes, tilt, digit_side)
    marks = [
        Mark(tuple(near[i] + 1 for i in group), Box(*box), line, sum(parts[near[i]][4] for i in group))
        for (group, box), line in zip(found, lines, strict=True)
    ]
    marks.sort(key=lambda mark: (mark.line, mark.box.x + mark.box.width / 2))
    return Segments(mask, window, labels, tuple(marks), tilt, digit_side, ink_parts, None)


def min_digit_side(box: Rect, shape: tuple[int, ...], digit_side: float) -> float:
    """Smallest longer side that a mark with this box needs to be a digit in a picture of this shape, pixels.

    ``digit_side`` is a typical digit's longer side, pixels.
    """
    if touches_border(box, shape):
        return min_side_at_border(shape, digit_side)
    return max(MIN_SIDE, SPECK * digit_side)


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
