"""Ink -> boxes of candidate digits, in reading order, by line."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels, Reason
from edge.vision.boxes import MIN_SIDE, Boxes, Window, cut_off, labelled, typical, union
from edge.vision.frames import is_frame
from edge.vision.join import join
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


@dataclass(frozen=True, slots=True)
class Mark:
    """One candidate digit: the parts of ink that belong to it, its box in working pixels, and its line."""

    parts: tuple[int, ...]
    """Labels of its connected components."""
    box: Box
    line: int = 0


@dataclass(frozen=True, slots=True)
class Segments:
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
    cut = cut_off(parts, mask.shape)
    ink = ~frame & ~is_edge(labels, parts, window, mask.shape) if cut.any() else ~frame
    if sure is not None:
        certain = np.bincount(labels[sure[window] > 0], minlength=len(parts) + 1)[1:]
        ink &= certain > 0
        share = certain / np.maximum(parts[:, 4], 1)
        if ink.any():
            ink &= share >= SHOWN_THROUGH * float(np.max(share[ink & (parts[:, 4] >= 0.25 * parts[ink, 4].max())]))
    side = parts[:, 2:4].max(axis=1)
    usual = usual_size(side[ink], cut[ink])
    marks = int(np.count_nonzero(ink & (side >= MIN_SIDE)))
    if marks == 0 or marks > MAX_MARKS:
        reason: Reason = "blank" if not len(parts) else "clutter" if marks or len(parts) >= MAX_MARKS else "too_small"
        return Segments(mask, window, labels, (), 0.0, usual, parts[ink], reason)
    near = np.flatnonzero(ink & (side >= max(3, 0.1 * usual)) & (side <= GIANT * usual))
    if len(near) > MAX_MARKS:
        near = np.sort(near[np.argsort(-side[near], kind="stable")[:MAX_MARKS]])
    alone = parts[near, :4]
    groups = join(alone, usual)
    boxes = np.array([union(alone[group]) if len(group) > 1 else alone[group[0]] for group in groups], np.int32)
    whole_side = FILLS * min(mask.shape)
    least = np.where(cut_off(boxes, mask.shape), max(CUT_OFF * usual, whole_side), SPECK * usual)
    kept = np.flatnonzero(boxes[:, 2:].max(axis=1) >= np.maximum(MIN_SIDE, least))
    if len(kept) == 0:
        return Segments(mask, window, labels, (), 0.0, usual, parts[ink], "too_small")
    boxes = boxes[kept]
    tilt = line_tilt(boxes, usual)
    lines = line_numbers(boxes, tilt, usual)
    order = np.lexsort((boxes[:, 0] + boxes[:, 2] / 2, lines))
    label, places, numbers = (near + 1).tolist(), boxes.tolist(), lines.tolist()
    found = (Mark(tuple(label[part] for part in groups[kept[i]]), Box(*places[i]), numbers[i]) for i in order.tolist())
    return Segments(mask, window, labels, tuple(found), tilt, usual, parts[ink], None)


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
