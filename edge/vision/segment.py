"""Ink -> boxes of candidate digits, in reading order, by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels, Reason
from edge.vision.components import MIN_SIDE, Corners, Part, Window, at_border, labelled, typical
from edge.vision.form_boxes import frames
from edge.vision.ruled_lines import may_have_rules, without_rules
from edge.vision.stroke_grouping import around, join
from edge.vision.text_lines import line_numbers, line_tilt

MAX_MARKS = 400
"""More parts than this are a texture, not writing."""
SHOWN_THROUGH = 0.4
"""A part with less than this share of the sure ink that the surest one has shows through from behind."""
SPECK = 0.33
"""Marks smaller than this share of the usual digit, after joining, are specks, dashes and dots."""
CUT_OFF = 0.75
"""The same for marks at the picture's border, pieces of what lies outside it;"""
FILLS = 0.5
"""and they fill at least this share of the picture's shorter side: else nobody knows what they were."""
GIANT = 3.5
"""Marks larger than this many usual digits are no digits: frames, shadows, hands."""


class Mark(NamedTuple):
    """One candidate digit: the parts of ink that belong to it, its box in working pixels, and its line."""

    parts: tuple[int, ...]
    """Labels of its connected components."""
    box: Box
    line: int = 0
    area: int = 0
    """Pixels of ink; 0 where nobody counted them."""


class Segments(NamedTuple):
    """All candidates of a picture in reading order, and how their lines run."""

    mask: Pixels
    """(height, width) uint8: 255 where there is ink that is no rule, else 0."""
    window: Window
    """The part of the picture that holds all ink, and"""
    labels: NDArray[np.int32]
    """which connected component each pixel of it belongs to, 0 = paper."""
    marks: tuple[Mark, ...]
    tilt: float
    """Degrees by which the lines of writing fall (positive: to the right they go down)."""
    usual: float
    """The usual digit's longer side, pixels."""
    ink: tuple[Part, ...]
    """The parts of ink that may belong to a digit."""
    reason: Reason | None
    """Why there is no candidate, or None."""


def segment(mask: Pixels, sure: Pixels | None = None, *, rules: bool = True) -> Segments:
    """Ink mask, (height, width) uint8, 255 = ink -> candidates in reading order.

    Parts without any pixel of ``sure`` (same shape, where given) are left out. ``rules``: whether to look for rules
    and take them away.
    """
    window = _window(mask)
    labels, parts = components(mask, window)
    framing = frames(labels, parts, window, mask.shape)
    if rules and may_have_rules((part for i, part in enumerate(parts) if i not in framing), mask.shape):
        if framing:
            mask = mask.copy()
            mask[window][np.isin(labels, [i + 1 for i in framing])] = 0
        mask = without_rules(mask)
        window = _window(mask)
        labels, parts = components(mask, window)
        framing = frames(labels, parts, window, mask.shape)
    side = [width if width > height else height for _, _, width, height, _ in parts]
    cut = {i for i, part in enumerate(parts) if at_border(part, mask.shape)}
    out = framing | edges(labels, parts, window, mask.shape) if cut else framing
    ink = [i for i in range(len(parts)) if i not in out]
    if sure is not None:
        ink = strong(labels, parts, ink, sure[window])
    # Parts that the border cuts off count only where there are no others.
    whole = [side[i] for i in ink if i not in cut]
    usual = typical(whole if any(one >= MIN_SIDE for one in whole) else [side[i] for i in ink])
    count = sum(side[i] >= MIN_SIDE for i in ink)
    kept = tuple(parts[i] for i in ink)
    if count == 0 or count > MAX_MARKS:
        reason: Reason = "blank" if not parts else "clutter" if count or len(parts) >= MAX_MARKS else "too_small"
        return Segments(mask, window, labels, (), 0.0, usual, kept, reason)
    least, most = max(3, 0.1 * usual), GIANT * usual
    near = [i for i in ink if least <= side[i] <= most]
    if len(near) > MAX_MARKS:
        near = sorted(sorted(near, key=lambda i: -side[i])[:MAX_MARKS])
    alone = [parts[i][:4] for i in near]
    joined = ((group, around([alone[i] for i in group])) for group in join(alone, usual))
    found = [(group, box) for group, box in joined if max(box[2:]) >= least_side(box, mask.shape, usual)]
    if not found:
        return Segments(mask, window, labels, (), 0.0, usual, kept, "too_small")
    boxes = [box for _, box in found]
    tilt = line_tilt(boxes, usual)
    lines = line_numbers(boxes, tilt, usual)
    marks = [
        Mark(tuple(near[i] + 1 for i in group), Box(*box), line, sum(parts[near[i]][4] for i in group))
        for (group, box), line in zip(found, lines, strict=True)
    ]
    marks.sort(key=lambda mark: (mark.line, mark.box.x + mark.box.width / 2))
    return Segments(mask, window, labels, tuple(marks), tilt, usual, kept, None)


def least_side(box: Corners, shape: tuple[int, ...], usual: float) -> float:
    """How long the longer side of a digit is at least that stands there in a picture of this shape, pixels."""
    if at_border(box, shape):
        return max(MIN_SIDE, CUT_OFF * usual, FILLS * min(shape))
    return max(MIN_SIDE, SPECK * usual)


def components(mask: Pixels, window: Window) -> tuple[NDArray[np.int32], list[Part]]:
    """Connected components of a mask: the label of each pixel of the ``window`` that holds all ink, and the parts.

    The parts' boxes are those in the mask. Label n is part n - 1.
    """
    rows, columns = window
    if rows.stop == rows.start:
        return np.zeros((0, 0), np.int32), []
    labels, stats = labelled(mask[window])
    left, top = columns.start, rows.start
    return labels, [(x + left, y + top, width, height, area) for x, y, width, height, area in stats[1:].tolist()]


def _window(mask: Pixels) -> Window:
    """The smallest window that holds all ink; an empty one where there is none."""
    x, y, width, height = cv2.boundingRect(mask)
    return slice(y, y + height), slice(x, x + width)


def strong(labels: NDArray[np.int32], parts: Sequence[Part], ink: Sequence[int], sure: Pixels) -> list[int]:
    """Which parts, of those in ``ink``, have sure ink, and no less of it than what shows through has.

    ``sure`` is (height, width) uint8 as ``labels``.
    """
    certain = np.bincount(labels[sure > 0], minlength=len(parts) + 1)[1:].tolist()
    some = [i for i in ink if certain[i]]
    large = 0.25 * max((parts[i][4] for i in some), default=0)
    surest = max((certain[i] / parts[i][4] for i in some if parts[i][4] >= large), default=0.0)
    return [i for i in some if certain[i] / parts[i][4] >= SHOWN_THROUGH * surest]


def edges(labels: NDArray[np.int32], parts: Sequence[Part], window: Window, shape: tuple[int, ...]) -> frozenset[int]:
    """Which parts are a page's edge, a table or a shadow at the picture's border rather than a digit.

    They lie along the border: by at least half of their own length, or in three of its corners. Where nothing else is
    there, a digit that fills the picture to its border is none of those, unless it holds three corners. ``labels`` are
    those of the ``window`` of a picture of this ``shape``.
    """
    whole = np.zeros(shape, np.int32)
    whole[window] = labels
    ring = np.concatenate([whole[0], whole[-1], whole[1:-1, 0], whole[1:-1, -1]])
    along = np.bincount(ring, minlength=len(parts) + 1)[1:].tolist()
    corners = np.bincount(whole[[0, 0, -1, -1], [0, -1, 0, -1]], minlength=len(parts) + 1)[1:].tolist()
    held = frozenset(i for i, count in enumerate(corners) if count >= 3)
    edge = frozenset(i for i, part in enumerate(parts) if along[i] >= 0.5 * max(part[2:4]))
    return held if len(edge) == len(parts) else edge | held
