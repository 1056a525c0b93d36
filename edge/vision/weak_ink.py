"""Remove weak ink: printed lines and writing that shows through the paper are weaker than the writing on it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.components import MIN_SIDE, Boxes, connected_components, typical_side
from edge.vision.masks import at_least
from edge.vision.ruled_lines import is_long_and_level, is_long_at_border
from edge.vision.statistics import sample_rows

WEAKEST = 40
"""Pixels below this level, 0 to 255, are not ink."""
VALLEY = 30
"""Width of the valley between two strengths of ink in the histogram of levels: there is hardly any ink in it."""
DEEP = 6.0
"""Weak ink is at least this many times as frequent at its peak as in the valley."""
PEAK = 12
"""Width of a peak of the histogram, in levels."""
WEAK = 0.25
"""At least this share of all ink is weak."""
STRONG = 0.01
"""At least this share of all ink is strong."""
SHALLOW = 2.0
"""The valley begins where ink is at most this many times as frequent as at its bottom."""
THICKEST = 0.02
"""Thickest weak ink of a ruled line, as a share of the picture's longer side; 7 pixels are always allowed."""
PIECE = 0.5
"""A piece of strong ink is writing from this share of the typical size of strong ink on."""
HALF = 0.5
"""Strong ink is at least this share as large as the part that it lies in, for each piece in there.

If it is smaller, a pen pressed harder there, and all of it is one writing.
"""
ALIKE = 0.3
"""Strong ink that one hand wrote, like the weak ink, is at its peak at least this share as frequent as weak ink.

Ink that is not so, or not DEEPER, or weak beyond STRONGEST, is removed only if it is a ruled line.
"""
DEEPER = 15.0
"""Strong ink that one hand wrote, like the weak ink, is at its peak this many times as frequent as in the valley."""
STRONGEST = 180
"""Weak ink that one hand wrote, like the strong ink, does not go beyond this level."""
UNSURE = 0.12
"""Plain writing has at most this share of faint ink: where there is more, weak ink is looked for."""
QUIET = 8.0
"""In noise with a larger standard deviation than this no ink is faint, and weak ink is always looked for."""
SOLID = 0.75
"""Plain writing has at least this share of solid ink: where there is less, weak ink is looked for."""
HANGING = 32
"""Ruled lines are connected in ink of at least this level."""
FRINGE = 4
"""A part that is at most this many pixels larger than the strong ink in it is left as it is."""


class WeakInk(NamedTuple):
    """How to tell weak ink from strong ink."""

    level: int
    """Weak ink is below this level, 0 to 255."""
    alike: bool
    """Whether strong ink is about as frequent as weak ink, as where one person wrote on both sides of a sheet."""


def find_weak_ink(ink: Pixels) -> WeakInk | None:
    """How to tell weak from strong ink where a picture, (height, width) uint8, has ink of two strengths; else None."""
    counts = cv2.calcHist([sample_rows(ink)], [0], None, [256], [0, 256]).ravel()[WEAKEST:]
    until = np.concatenate([[0.0], np.cumsum(counts)])
    ink_in_all = float(until[-1])
    if until[len(counts) // 2] < WEAK * ink_in_all:
        return None
    start = np.arange(PEAK, len(counts) - VALLEY - PEAK)
    valley = (until[start + VALLEY] - until[start]) / VALLEY
    at = int(np.argmin(valley))
    bottom, begin, end = max(float(valley[at]), 0.1), int(start[at]), int(start[at]) + VALLEY
    peaks = (until[PEAK:] - until[:-PEAK]) / PEAK
    peak, strongest = int(np.argmax(peaks[:begin])), float(peaks[end:].max())
    if until[begin] < WEAK * ink_in_all or ink_in_all - until[end] < STRONG * ink_in_all:
        return None
    if peaks[peak] < DEEP * bottom:
        return None
    level = WEAKEST + peak + int(np.argmax(np.append(peaks[peak:begin], 0) <= max(SHALLOW * bottom, 1.0)))
    return WeakInk(level, level <= STRONGEST and strongest >= max(ALIKE * float(peaks[peak]), DEEPER * bottom))


def has_much_faint_ink(mask: Pixels, sure: Pixels) -> bool:
    """Whether more of the ink in the mask than the soft edges of writing is not in ``sure``.

    Both (height, width) uint8. A cheap check before ``remove_weak_ink``.
    """
    count = cv2.countNonZero(mask)
    return count - cv2.countNonZero(sure) > UNSURE * count


def remove_weak_ink(ink: Pixels, mask: Pixels, sure: Pixels, faint: int, level: int) -> tuple[Pixels, Pixels]:
    """The mask and the sure mask without what is weaker than the writing: ruled lines, the other side of the sheet.

    All (height, width) uint8. Ink is at least ``faint``, and sure ink at least ``level``, 0 to 255.
    """
    weak = find_weak_ink(ink)
    if weak is None:
        return mask, sure
    strong = at_least(ink, max(weak.level, level))
    left = detach_weak_ink(at_least(ink, HANGING), strong, weak)
    return (mask, sure) if left is None else (cv2.bitwise_and(left, at_least(ink, faint)), strong)


def detach_weak_ink(mask: Pixels, strong: Pixels, weak: WeakInk) -> Pixels | None:
    """The mask without the weak ink that is connected to strong ink; None where one pen wrote both.

    ``mask`` is all ink and ``strong`` the strong ink, (height, width) uint8, 255 = ink.
    """
    labels, parts = connected_components(mask)
    inner, pieces = connected_components(strong)
    near = cv2.dilate(strong, np.ones((3, 3), np.uint8))
    side, piece = (stats[:, 2:4].max(axis=1) for stats in (parts, pieces))
    typical = typical_side(piece[1:][piece[1:] >= MIN_SIDE].tolist())
    # The part in which each piece of strong ink lies.
    y, x = np.nonzero(inner)
    within = np.zeros(len(pieces), np.int32)
    within[inner[y, x]] = labels[y, x]
    writing = np.flatnonzero(piece >= max(MIN_SIDE, PIECE * typical))
    writing = writing[writing > 0]
    if not len(writing):
        return None
    count = np.bincount(within[writing], minlength=len(parts))
    lines = _are_ruled_lines(labels, parts, cv2.bitwise_and(mask, cv2.bitwise_not(near)))
    if not (lines & (count > 0)).any():
        mixed = np.unique(within[1:])
        if not weak.alike or typical < HALF * typical_side((side[mixed] / np.maximum(count[mixed], 1)).tolist()):
            return None
    largest = np.zeros(len(parts), np.int32)
    np.maximum.at(largest, within[writing], piece[writing])
    part_of = lines | ((count > 0) & (side > largest + FRINGE))
    return np.where(part_of[labels], cv2.bitwise_and(mask, near), mask)


def _are_ruled_lines(labels: NDArray[np.int32], parts: Boxes, weak: Pixels) -> NDArray[np.bool_]:
    """Which parts are ruled lines or a mesh of them: long, with thin ``weak`` ink."""
    shape = weak.shape
    long = np.array(
        [is_long_and_level(part, shape) or is_long_at_border(part, shape) for part in map(tuple, parts.tolist())], bool
    )
    if long.any():
        thick = max(7, round(THICKEST * max(weak.shape))) + 1
        long[labels[cv2.erode(weak, np.ones((thick, thick), np.uint8)) > 0]] = False
    long[0] = False
    return long
