"""Ink -> boxes of candidate digits, in reading order, by line."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels, Reason
from edge.vision.boxes import MIN_SIDE, Boxes, Corners, Window, cut_off, labelled, typical
from edge.vision.frames import is_frame
from edge.vision.join import around, join
from edge.vision.lines import line_numbers, line_tilt
from edge.vision.rules import may_have_rules, without_rules

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
    ink: Boxes
    """Where each part of ink lies that may belong to a digit: x, y, width, height, area."""
    reason: Reason | None
    """Why there is no candidate, or None."""


def segment(mask: Pixels, sure: Pixels | None = None, *, rules: bool = True) -> Segments:
    """Ink mask, (height, width) uint8, 255 = ink -> candidates in reading order.

    Parts without any pixel of ``sure`` (same shape, where given) are left out. ``rules``: whether to look for rules
    and take them away.
    """
    window = _window(mask)
    labels, parts = components(mask, window)
    frame = is_frame(labels, parts, window, mask.shape)
    if rules and may_have_rules(parts[~frame], mask.shape):
        if frame.any():
            mask = mask.copy()
            mask[window][np.append(False, frame)[labels]] = 0
        mask = without_rules(mask)
        window = _window(mask)
        labels, parts = components(mask, window)
        frame = is_frame(labels, parts, window, mask.shape)
    side, area = np.maximum(parts[:, 2], parts[:, 3]), parts[:, 4]
    cut = cut_off(parts, mask.shape)
    ink = ~frame & ~is_edge(labels, parts, window, mask.shape) if cut.any() else ~frame
    if sure is not None:
        ink &= is_strong(labels, area, ink, sure[window])
    usual = usual_size(side[ink], cut[ink])
    count = np.count_nonzero(ink & (side >= MIN_SIDE))
    if count == 0 or count > MAX_MARKS:
        reason: Reason = "blank" if not len(parts) else "clutter" if count or len(parts) >= MAX_MARKS else "too_small"
        return Segments(mask, window, labels, (), 0.0, usual, parts[ink], reason)
    near = np.flatnonzero(ink & (side >= max(3, 0.1 * usual)) & (side <= GIANT * usual))
    if len(near) > MAX_MARKS:
        near = np.sort(near[np.argsort(-side[near], kind="stable")[:MAX_MARKS]])
    label, pixels = (near + 1).tolist(), area[near].tolist()
    alone = [(x, y, width, height) for x, y, width, height, _ in parts[near].tolist()]
    joined = ((group, around([alone[i] for i in group])) for group in join(alone, usual))
    found = [(group, box) for group, box in joined if max(box[2:]) >= least_side(box, mask.shape, usual)]
    if not found:
        return Segments(mask, window, labels, (), 0.0, usual, parts[ink], "too_small")
    boxes = [box for _, box in found]
    tilt = line_tilt(boxes, usual)
    lines = line_numbers(boxes, tilt, usual)
    marks = [
        Mark(tuple(label[part] for part in group), Box(*box), line, sum(pixels[part] for part in group))
        for (group, box), line in zip(found, lines, strict=True)
    ]
    marks.sort(key=lambda mark: (mark.line, mark.box.x + mark.box.width / 2))
    return Segments(mask, window, labels, tuple(marks), tilt, usual, parts[ink], None)


def least_side(box: Corners, shape: tuple[int, ...], usual: float) -> float:
    """How long the longer side of a digit is at least that stands there in a picture of this shape, pixels."""
    x, y, width, height = box
    off = x <= 1 or y <= 1 or x + width >= shape[1] - 1 or y + height >= shape[0] - 1
    return max(MIN_SIDE, CUT_OFF * usual, FILLS * min(shape)) if off else max(MIN_SIDE, SPECK * usual)


def components(mask: Pixels, window: Window) -> tuple[NDArray[np.int32], Boxes]:
    """Connected components of a mask: the label of each pixel of the ``window`` that holds all ink, and their boxes.

    The boxes (x, y, width, height, area) are those in the mask.
    """
    rows, columns = window
    if rows.stop == rows.start:
        return np.zeros((0, 0), np.int32), np.zeros((0, 5), np.int32)
    labels, stats = labelled(mask[window])
    return labels, stats[1:] + np.array([columns.start, rows.start, 0, 0, 0], np.int32)


def _window(mask: Pixels) -> Window:
    """The smallest window that holds all ink; an empty one where there is none."""
    x, y, width, height = cv2.boundingRect(mask)
    return slice(y, y + height), slice(x, x + width)


def is_strong(
    labels: NDArray[np.int32], area: NDArray[np.int32], ink: NDArray[np.bool_], sure: Pixels
) -> NDArray[np.bool_]:
    """Which parts have ``sure`` ink, (height, width) uint8 as ``labels``, and no less than what shows through has.

    ``area``: pixels of each part; ``ink``: which parts count.
    """
    certain = np.bincount(labels[sure > 0], minlength=len(area) + 1)[1:]
    strong = certain > 0
    counts = ink & strong
    if not counts.any():
        return strong
    share = certain / area
    counts &= area >= 0.25 * area[counts].max()
    return strong & (share >= SHOWN_THROUGH * share[counts].max())


def usual_size(side: NDArray[np.int32], cut: NDArray[np.bool_]) -> float:
    """The longer side of the usual digit, pixels, by the parts' sides.

    Parts that the border cuts off count only where there are no others.
    """
    return typical(side[~cut] if (side[~cut] >= MIN_SIDE).any() else side)


def is_edge(labels: NDArray[np.int32], parts: Boxes, window: Window, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which parts are a page's edge, a table or a shadow at the picture's border rather than a digit.

    They lie along the border: by at least half of their own length, or in three of its corners. Where nothing else is
    there, a digit that fills the picture to its border is none of those, unless it holds three corners. ``labels`` are
    those of the ``window`` of a picture of this ``shape``.
    """
    whole = np.zeros(shape, np.int32)
    whole[window] = labels
    labels = whole
    ring = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    along = np.bincount(ring, minlength=len(parts) + 1)[1:]
    corners = np.bincount(labels[[0, 0, -1, -1], [0, -1, 0, -1]], minlength=len(parts) + 1)[1:]
    edge = along >= 0.5 * parts[:, 2:4].max(axis=1, initial=1)
    return corners >= 3 if edge.all() else edge | (corners >= 3)
