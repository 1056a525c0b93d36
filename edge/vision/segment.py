"""Ink -> boxes of candidate digits, in reading order, by line."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels, Reason

MIN_SIDE = 8
"""A digit's longer side is at least this many working pixels: with fewer nobody can tell a 3 from an 8."""
MAX_MARKS = 400
"""More parts than this are a texture, not writing."""
SPECK = 0.33
"""Marks smaller than this share of the usual digit, after joining, are specks, dashes and dots."""
CUT_OFF = 0.75
"""The same for marks at the picture's border: pieces of what lies outside it."""
GIANT = 3.5
"""Marks larger than this many usual digits are no digits: frames, shadows, hands."""
MAX_TILT = 50.0
"""Lines of writing rise or fall by at most this many degrees; steeper ones are columns."""

Boxes = NDArray[np.int32]


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

    labels: NDArray[np.int32]
    """(height, width) int32: which connected component each pixel belongs to, 0 = paper."""
    marks: tuple[Mark, ...]
    tilt: float
    """Degrees by which the lines of writing fall (positive: to the right they go down)."""
    reason: Reason | None
    """Why there is no candidate, or None."""


def segment(mask: Pixels, sure: Pixels | None = None) -> Segments:
    """Ink mask, (height, width) uint8, 255 = ink -> candidates in reading order.

    Parts without any pixel of ``sure`` (same shape, where given) are left out.
    """
    window = _window(mask)
    count, labels, parts = components(mask, window)
    ink = ~is_edge(labels, parts)
    if sure is not None:
        ink &= np.bincount(labels[window][sure[window] > 0], minlength=count)[1:] > 0
    side = parts[:, 2:4].max(axis=1)
    usual = usual_size(side[ink], cut_off(parts[ink], mask.shape))
    marks = int(np.count_nonzero(ink & (side >= MIN_SIDE)))
    if marks == 0 or marks > MAX_MARKS:
        reason: Reason = "blank" if count == 1 else "clutter" if marks or count > MAX_MARKS else "too_small"
        return Segments(labels, (), 0.0, reason)
    near = np.flatnonzero(ink & (side >= max(3, 0.1 * usual)) & (side <= GIANT * usual))
    groups = join(parts[near, :4], usual)
    boxes = np.array([union(parts[near[group], :4]) for group in groups], np.int32)
    least = np.where(cut_off(boxes, mask.shape), CUT_OFF, SPECK) * usual
    kept = np.flatnonzero(boxes[:, 2:].max(axis=1) >= np.maximum(MIN_SIDE, least))
    if len(kept) == 0:
        return Segments(labels, (), 0.0, "too_small")
    boxes = boxes[kept]
    tilt = line_tilt(boxes, usual)
    lines = line_numbers(boxes, tilt, usual)
    order = np.lexsort((boxes[:, 0] + boxes[:, 2] / 2, lines))
    found = (
        Mark(tuple(int(near[part]) + 1 for part in groups[kept[i]]), Box(*map(int, boxes[i])), int(lines[i]))
        for i in order
    )
    return Segments(labels, tuple(found), tilt, None)


def components(mask: Pixels, window: tuple[slice, slice]) -> tuple[int, NDArray[np.int32], Boxes]:
    """Connected components (8 neighbours) of a mask: their number + 1, the label of each pixel, x, y, w, h, area each.

    Looked for only in the ``window`` that holds all ink, with the algorithm of Grana, Borghesani and Cucchiara
    (2010), twice as fast as OpenCV's default.
    """
    rows, columns = window
    labels = np.zeros(mask.shape, np.int32)
    if rows.stop == rows.start:
        return 1, labels, np.zeros((0, 5), np.int32)
    count, labels[window], stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask[window], 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    return count, labels, stats[1:] + np.array([columns.start, rows.start, 0, 0, 0], np.int32)


def _window(mask: Pixels) -> tuple[slice, slice]:
    """The smallest window that holds all ink; an empty one where there is none."""
    x, y, width, height = cv2.boundingRect(mask)
    return slice(y, y + height), slice(x, x + width)


def usual_size(side: NDArray[np.int32], cut: NDArray[np.bool_]) -> float:
    """The longer side of the usual digit, pixels: the median of the parts' sides, each weighted by its square.

    So a hundred specks do not outweigh one digit. Parts that the border cuts off count only where there are no others.
    """
    side = np.sort(side[~cut] if (side[~cut] >= MIN_SIDE).any() else side)
    if len(side) == 0:
        return 0.0
    weights = np.cumsum(np.square(side.astype(np.float64)))
    return float(side[np.searchsorted(weights, weights[-1] / 2)])


def is_edge(labels: NDArray[np.int32], parts: Boxes) -> NDArray[np.bool_]:
    """Which parts are a page's edge, a table or a shadow at the picture's border rather than a digit.

    They lie along the border: by at least half of their own length, or in three of its corners. Where nothing else is
    there, a digit that fills the picture to its border is none of those, unless it holds three corners.
    """
    ring = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    along = np.bincount(ring, minlength=len(parts) + 1)[1:]
    corners = np.bincount(labels[[0, 0, -1, -1], [0, -1, 0, -1]], minlength=len(parts) + 1)[1:]
    edge = along >= 0.5 * parts[:, 2:4].max(axis=1, initial=1)
    return corners >= 3 if edge.all() else edge | (corners >= 3)


def cut_off(boxes: Boxes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which boxes (n, 4 or more) touch the picture's border."""
    x, y, w, h = boxes[:, :4].T
    return (x <= 1) | (y <= 1) | (x + w >= shape[1] - 1) | (y + h >= shape[0] - 1)


def join(boxes: Boxes, usual: float) -> list[list[int]]:
    """Groups of parts (x, y, width, height) that are one digit: a 5 and its hat, a 4 in two strokes, dotted ink.

    Two parts belong together when they stand above each other (or one within the other's box), nearly touch, and are
    together no larger than a digit, one of them being too small to be one alone.
    """
    owner = list(range(len(boxes)))

    def root(i: int) -> int:
        while owner[i] != i:
            i = owner[i]
        return i

    merged = {i: boxes[i] for i in range(len(boxes))}
    for i, j in near_pairs(boxes, 0.3 * usual):
        a, b = root(i), root(j)
        if a != b and belong(merged[a], merged[b], usual):
            owner[b] = a
            merged[a] = union(np.stack([merged[a], merged.pop(b)]))
    groups: dict[int, list[int]] = {}
    for i in range(len(boxes)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def near_pairs(boxes: Boxes, reach: float) -> list[tuple[int, int]]:
    """Pairs of boxes at most ``reach`` pixels apart on both axes, the nearest pairs first."""
    start = boxes[:, :2].astype(np.float32)
    end = start + boxes[:, 2:]
    gap = np.maximum(start[:, None], start[None]) - np.minimum(end[:, None], end[None])
    apart = np.maximum(gap, 0).max(axis=2)
    first, second = np.nonzero(np.triu(apart <= reach, k=1))
    order = np.argsort(apart[first, second], kind="stable")
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def belong(a: NDArray[np.int32], b: NDArray[np.int32], usual: float) -> bool:
    """Whether two neighbouring parts (x, y, width, height) are one digit."""
    both = union(np.stack([a, b]))
    if both[2] > 1.35 * usual or both[3] > 1.35 * usual:
        return False
    overlap = np.minimum(a[:2] + a[2:], b[:2] + b[2:]) - np.maximum(a[:2], b[:2])
    across = overlap[0] / min(a[2], b[2])
    down = overlap[1] / min(a[3], b[3])
    small, large = sorted((max(a[2:]), max(b[2:])))
    if small < 0.25 * usual:
        # Dotted ink and broken ends, whichever side they lie on.
        return bool(across > 0 and down > -0.5) or bool(max(-overlap) < 0.08 * usual)
    # A stroke of a digit lies above, below or inside the other one; beside it stands another digit.
    return bool(across > 0.5 and (small < 0.75 * usual or down > 0.5))


def union(boxes: Boxes) -> Boxes:
    """The box around all boxes (n, 4)."""
    start = boxes[:, :2].min(axis=0)
    return np.concatenate([start, (boxes[:, :2] + boxes[:, 2:]).max(axis=0) - start])


def line_tilt(boxes: Boxes, usual: float) -> float:
    """Degrees by which the lines of writing fall: the median over each digit and its next one to the right.

    0 where there are fewer than two such pairs, or where they do not agree.
    """
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    step = centre[None] - centre[:, None]
    angle = np.degrees(np.arctan2(step[..., 1], np.maximum(step[..., 0], 1e-6)))
    reachable = (step[..., 0] > 0) & (np.abs(angle) <= MAX_TILT)
    distance = np.where(reachable, np.hypot(step[..., 0], step[..., 1]), np.inf)
    nearest = distance.argmin(axis=1)
    rows = np.arange(len(boxes))
    pairs = distance[rows, nearest] < 3 * usual
    if np.count_nonzero(pairs) < 2:
        return 0.0
    angles: list[float] = angle[rows, nearest][pairs].tolist()
    tilt = median(angles)
    return tilt if median(abs(angle - tilt) for angle in angles) < 12 else 0.0


def line_numbers(boxes: Boxes, tilt: float, usual: float) -> NDArray[np.int64]:
    """Which line, from 0, top to bottom, each box (n, 4) stands in: along the tilt, lines are half a digit apart."""
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    angle = np.radians(tilt)
    down: list[float] = (centre[:, 1] * np.cos(angle) - centre[:, 0] * np.sin(angle)).tolist()
    lines = np.zeros(len(boxes), np.int64)
    line, total, members = 0, 0.0, 0
    for i in sorted(range(len(down)), key=down.__getitem__):
        if members and down[i] - total / members > 0.6 * usual:
            line, total, members = line + 1, 0.0, 0
        total, members = total + down[i], members + 1
        lines[i] = line
    return lines
