"""A sheet of paper on a rough table: the table's grain is no ink, however dark it is."""

from __future__ import annotations

import cv2

from edge.types import Pixels
from edge.vision.paper_sheet import SIDE, along_border, sheet
from edge.vision.statistics import enclosed, quantiles, reduced, texture

TWO_LIGHTS = 0.75
"""Where the darkest paper has less than this share of the brightest one's light, it may be a table."""
ALONG = 0.1
"""A table takes at least this share of the picture's border: a hand takes less."""
AROUND = 5
"""Grain is what differs from its surroundings, a square of so many of those pixels,"""
ROUGH = 2.0
"""by at least so much on the scale of ink in nearly all of the table, where a shadow and most of a hand are smooth,"""
ROUGHER = 4.0
"""and by so many times as much as where the sheet is smoothest:"""
SMOOTH, SMOOTHEST = 0.3, 0.1
"""all but these shares of either."""
GRAIN = 4.5
"""Ink on a table is at least this many standard deviations of its grain."""


def grain(grey: Pixels, ink: Pixels, dim: float, bright: float) -> Pixels | None:
    """Where ink is no more than the grain of a table: 255 there, else 0, (height, width) uint8; None if nowhere.

    ``grey`` is the picture and ``ink`` its contrast against the paper, (height, width) uint8; ``dim`` and ``bright``
    are the grey levels of the darkest and the brightest paper.
    """
    if dim >= TWO_LIGHTS * bright:
        return None
    paper = _within(sheet(cv2.threshold(reduced(grey, SIDE), (dim + bright) / 2, 255, cv2.THRESH_BINARY)[1]))
    around = cv2.bitwise_not(paper)
    if along_border(around) < ALONG or not cv2.countNonZero(paper):
        return None
    small = reduced(ink, SIDE)
    rough = cv2.absdiff(small, cv2.blur(small, (AROUND, AROUND)))
    smoothest, grained = quantiles(rough, SMOOTHEST, where=paper)[0], quantiles(rough, SMOOTH, where=around)[0]
    if grained < max(ROUGH, ROUGHER * smoothest):
        return None
    table = cv2.threshold(cv2.resize(paper, grey.shape[::-1]), 127, 255, cv2.THRESH_BINARY_INV)[1]
    middle, spread = texture(ink, where=table)
    return cv2.bitwise_and(table, cv2.threshold(ink, middle + GRAIN * spread, 255, cv2.THRESH_BINARY_INV)[1])


def _within(paper: Pixels) -> Pixels:
    """The paper with all that lies within it and does not go to the picture's border: broad strokes."""
    return cv2.bitwise_or(paper, enclosed(cv2.bitwise_not(paper)))
