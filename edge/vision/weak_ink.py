"""Ink of two strengths: printed rules and what shows through from behind are weaker than the writing on them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.components import MIN_SIDE, Boxes, labelled, typical
from edge.vision.ruled_lines import goes_out, is_level
from edge.vision.statistics import above, sample

WEAKEST = 40
"""Ink below this level is none."""
VALLEY = 30
"""Between two strengths there are so many levels with hardly any ink:"""
DEEP = 6.0
"""weak ink is so many times as frequent where it is most frequent, in"""
PEAK = 12
"""so many levels."""
WEAK = 0.25
"""At least this share of all ink is weak,"""
STRONG = 0.01
"""and at least this share is strong."""
SHALLOW = 2.0
"""The valley begins where ink is at most so many times as frequent as at its bottom."""
THICKEST = 0.02
"""Of rules, weak ink is no thicker than this, in longer sides of the picture, and at least 7 pixels may be."""
PIECE = 0.5
"""Strong ink of at least this share of the usual size is writing."""
HALF = 0.5
"""And it is this share as large as what it lies in, for each piece in there, else a pen pressed harder,"""
ALIKE = 0.3
"""and where it is most frequent, at least this share as frequent as weak ink,"""
DEEPER = 15.0
"""and so many times as frequent as in the valley: only printed rules may be more and harder to tell than that,"""
STRONGEST = 180
"""or reach beyond this level."""
UNSURE = 0.12
"""Of plain writing, at most this share is faint,"""
QUIET = 8.0
"""where the noise has at most this standard deviation (in more of it no ink is faint),"""
SOLID = 0.75
"""and at least this share of what is sure is solid."""
HANGING = 32
"""Rules hang together in ink of this level."""
FRINGE = 4
"""A part that is no more than so many pixels larger than the strong ink in it is left as it is."""


class Weak(NamedTuple):
    """What tells weak ink from strong ink."""

    level: int
    """Weak ink does not reach this one."""
    alike: bool
    """Whether strong ink is about as frequent as weak ink, as what one hand wrote on both sides of a sheet is."""


def weak_ink(ink: Pixels) -> Weak | None:
    """Where a picture (height, width) uint8, 255 = ink, has ink of two strengths, how to tell them; else None."""
    counts = cv2.calcHist([sample(ink)], [0], None, [256], [0, 256]).ravel()[WEAKEST:]
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
    return Weak(level, level <= STRONGEST and strongest >= max(ALIKE * float(peaks[peak]), DEEPER * bottom))


def unsure(mask: Pixels, sure: Pixels) -> bool:
    """Whether more of the ink in the mask than the edges of writing is not in ``sure``, both (height, width) uint8.

    The cheap question before ``strong_ink``.
    """
    count = cv2.countNonZero(mask)
    return count - cv2.countNonZero(sure) > UNSURE * count


def strong_ink(ink: Pixels, mask: Pixels, sure: Pixels, faint: int, level: int) -> tuple[Pixels, Pixels]:
    """The mask and the sure mask of an ink without what is weaker than the writing: rules, the sheet's other side.

    All (height, width) uint8. Ink is at least ``faint``, and sure ink at least ``level``.
    """
    weak = weak_ink(ink)
    if weak is None:
        return mask, sure
    strong = above(ink, max(weak.level, level))
    left = without_weak(above(ink, HANGING), strong, weak)
    return (mask, sure) if left is None else (cv2.bitwise_and(left, above(ink, faint)), strong)


def without_weak(mask: Pixels, strong: Pixels, weak: Weak) -> Pixels | None:
    """The mask without the weak ink that hangs on to strong ink; None where both were written with one pen.

    ``mask`` is all ink and ``strong`` the strong one, (height, width) uint8, 255 = ink.
    """
    labels, parts = labelled(mask)
    inner, pieces = labelled(strong)
    near = cv2.dilate(strong, np.ones((3, 3), np.uint8))
    side, piece = (stats[:, 2:4].max(axis=1) for stats in (parts, pieces))
    usual = typical(piece[1:][piece[1:] >= MIN_SIDE].tolist())
    # In which part each piece of strong ink lies.
    y, x = np.nonzero(inner)
    within = np.zeros(len(pieces), np.int32)
    within[inner[y, x]] = labels[y, x]
    writing = np.flatnonzero(piece >= max(MIN_SIDE, PIECE * usual))
    writing = writing[writing > 0]
    if not len(writing):
        return None
    count = np.bincount(within[writing], minlength=len(parts))
    rules = _are_rules(labels, parts, cv2.bitwise_and(mask, cv2.bitwise_not(near)))
    if not (rules & (count > 0)).any():
        mixed = np.unique(within[1:])
        if not weak.alike or usual < HALF * typical((side[mixed] / np.maximum(count[mixed], 1)).tolist()):
            return None
    largest = np.zeros(len(parts), np.int32)
    np.maximum.at(largest, within[writing], piece[writing])
    part_of = rules | ((count > 0) & (side > largest + FRINGE))
    return np.where(part_of[labels], cv2.bitwise_and(mask, near), mask)


def _are_rules(labels: NDArray[np.int32], parts: Boxes, weak: Pixels) -> NDArray[np.bool_]:
    """Which parts are rules or a mesh of them: long, and the ``weak`` ink of them thin."""
    shape = weak.shape
    long = np.array([is_level(part, shape) or goes_out(part, shape) for part in map(tuple, parts.tolist())], bool)
    if long.any():
        thick = max(7, round(THICKEST * max(weak.shape))) + 1
        long[labels[cv2.erode(weak, np.ones((thick, thick), np.uint8)) > 0]] = False
    long[0] = False
    return long
