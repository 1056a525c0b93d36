"""The grain of a rough table beside a sheet of paper: it is not ink, however dark it is."""

from __future__ import annotations

import cv2

from edge.types import Pixels
from edge.vision.border import share_of_border
from edge.vision.masks import enclosed_regions
from edge.vision.paper_sheet import SIDE, sheet_mask
from edge.vision.resize import shrink_by_halves
from edge.vision.statistics import quantiles, texture

TWO_LIGHTS = 0.75
"""The picture may show a table where the darkest background has less than this share of the brightest one's light."""
ALONG = 0.1
"""A table takes at least this share of the picture's border: a hand takes less."""
AROUND = 5
"""Grain is the difference of a pixel from the mean of a square of this side, in pixels of the small picture."""
ROUGH = 2.0
"""Grain of a table is at least this large in nearly all of it, 0 to 255: a shadow and most of a hand are smoother."""
ROUGHER = 4.0
"""Grain of a table is at least this many times as large as where the sheet is smoothest."""
SMOOTH = 0.3
"""Share of the table, 0 to 1, that may be smoother than its grain is required to be."""
SMOOTHEST = 0.1
"""Share of the sheet, 0 to 1, by which its smoothest places are measured."""
GRAIN = 4.5
"""Ink on a table is at least this many standard deviations of its grain."""


def grain_mask(grey: Pixels, ink: Pixels, dim: float, bright: float) -> Pixels | None:
    """Where what looks like ink is the grain of a table: 255 there, else 0, (height, width) uint8; None if nowhere.

    ``grey`` is the picture and ``ink`` its contrast against the background, (height, width) uint8; ``dim`` and
    ``bright`` are the grey levels of the darkest and the brightest background.
    """
    if dim >= TWO_LIGHTS * bright:
        return None
    light = cv2.threshold(shrink_by_halves(grey, SIDE), (dim + bright) / 2, 255, cv2.THRESH_BINARY)[1]
    paper = _with_enclosed(sheet_mask(light))
    around = cv2.bitwise_not(paper)
    if share_of_border(around) < ALONG or not cv2.countNonZero(paper):
        return None
    small = shrink_by_halves(ink, SIDE)
    rough = cv2.absdiff(small, cv2.blur(small, (AROUND, AROUND)))
    smoothest, grained = quantiles(rough, SMOOTHEST, where=paper)[0], quantiles(rough, SMOOTH, where=around)[0]
    if grained < max(ROUGH, ROUGHER * smoothest):
        return None
    table = cv2.threshold(cv2.resize(paper, grey.shape[::-1]), 127, 255, cv2.THRESH_BINARY_INV)[1]
    middle, spread = texture(ink, where=table)
    return cv2.bitwise_and(table, cv2.threshold(ink, middle + GRAIN * spread, 255, cv2.THRESH_BINARY_INV)[1])


def _with_enclosed(paper: Pixels) -> Pixels:
    """The paper with all regions that it encloses, such as broad strokes; not those that reach the picture's border."""
    return cv2.bitwise_or(paper, enclosed_regions(cv2.bitwise_not(paper)))
