"""Areas too thick for a stroke: a shadow or a hand becomes background, a blot or a solid drawing stays ink."""

from __future__ import annotations

from math import ceil, floor

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.background import BACKGROUND_WINDOW
from edge.vision.contrast import Contrast
from edge.vision.statistics import sample_rows

THICK = 3.5
"""A square of this many stroke widths fits into no digit: what holds one is a shadow, a hand or a blot."""
NARROW_WINDOW = 4.0
"""Where something thick was found, the background is closed over this many stroke widths only."""
LEAST_WINDOW = 0.06
"""Smallest thick square and smallest narrow window, as a share of the picture's longer side.

Digits are that much thicker than the lines of squared paper.
"""
THINNEST = 3
"""Runs of ink shorter than this many pixels are noise, and left out of the stroke width."""
FEW_RUNS = 8
"""With fewer runs of ink than this the stroke width is unknown."""
THIN = 0.2
"""The stroke width is the length that this share of the runs of ink does not exceed."""
SAME_INK = 0.85
"""Ink seen with a narrow window has at least this share of its earlier depth in grey levels.

With less, the thick things were the ink, and what is left is their grain.
"""
SAME_SHARE = 0.7
"""On a page, ink in a shadow takes at least this share of the light that the strongest ink took before.

Only where the rest is as smooth as paper: see SMOOTH.
"""
SMOOTH = 4.0
"""A shadow is as smooth as its paper: the noise in it has at most this standard deviation, 0 to 255."""
AS_DARK = 0.95
"""A thick area is ink if it takes at least this share of the light that writing takes, in the mean."""
SAMPLED = 20_000
"""Runs of ink are counted in rows of about this many pixels in all."""
COARSE = 3
"""Only every third pixel of every third row is looked at in the first, quick search for something thick."""


def same_ink(narrow: Contrast, wide: Contrast, page: bool) -> bool:
    """Whether a narrow window shows the ink that a wide one showed, and not the grain of something thick.

    ``page``: whether the picture is large enough for a page with a shadow on it.
    """
    same = narrow.darkest >= SAME_INK * wide.darkest
    if same or not page:
        return same
    # In a shadow the same ink is darker by fewer levels, but takes as large a share of the light.
    return narrow.strongest >= SAME_SHARE * wide.strongest and narrow.noise < SMOOTH


def is_as_dark_as_writing(ink: Pixels, mask: Pixels, writing: Pixels) -> bool:
    """Whether what a wide window shows in the ``mask`` besides the ``writing`` is as dark as it, and so is ink.

    All (height, width) uint8. A shadow or a hand takes less light than ink; a blot or a solid drawing as much.
    """
    return cv2.mean(ink, cv2.bitwise_and(mask, cv2.bitwise_not(writing)))[0] >= AS_DARK * cv2.mean(ink, writing)[0]


def _smallest_thick_square(side: int) -> Pixels:
    """The smallest square that is too thick for a stroke in a picture of this longer side, every COARSE-th pixel."""
    size = max(1, floor(LEAST_WINDOW * side / COARSE))
    return np.ones((size, size), np.uint8)


def narrow_window(mask: Pixels, sure: Pixels | None) -> float:
    """The background window, as a share of the longer side, for a mask with something too thick for a stroke; else 0.

    ``mask`` and ``sure`` are (height, width) uint8, 255 = ink.
    """
    if not cv2.countNonZero(cv2.erode(mask[::COARSE, ::COARSE], _smallest_thick_square(max(mask.shape)))):
        return 0.0
    certain = sample_rows(mask if sure is None else sure, SAMPLED)
    row = np.zeros(certain.size + 2, np.uint8)
    row[1:-1] = certain.ravel()
    ends = np.flatnonzero(row[1:] != row[:-1])
    runs = ends[1::2] - ends[::2]
    runs = runs[runs >= THINNEST]
    if len(runs) < FEW_RUNS:
        return 0.0
    # A quantile by hand: NumPy's own takes longer than all the rest.
    runs.sort()
    at, part = divmod(THIN * (len(runs) - 1), 1)
    thickness = float(runs[int(at)] + part * (runs[min(int(at) + 1, len(runs) - 1)] - runs[int(at)]))
    step = max(1, int(thickness // 2))
    side = ceil(max(THICK * thickness, LEAST_WINDOW * max(mask.shape)) / step)
    if not cv2.countNonZero(cv2.erode(mask[::step, ::step], np.ones((side, side), np.uint8))):
        return 0.0
    return min(BACKGROUND_WINDOW, max(LEAST_WINDOW, NARROW_WINDOW * thickness / max(mask.shape)))
