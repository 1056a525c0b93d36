"""How wide the strokes of a picture are, whatever else is on it: shadows, things, the desk."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels, halved
from edge.vision.components import connected_components
from edge.vision.rules import find_rules
from edge.vision.statistics import quantiles

SIDE = 512
"""Strokes are measured on a picture whose longer side has this many pixels at most; it is halved until it does."""
FIRST = 3
"""Side of the first closing that is tried on the picture, pixels."""
WINDOWS = (5, 7)
"""Sides of the closings that are tried next, and again each time that the picture is halved, pixels."""
STRONG = 0.35
"""What has at least this share of the strongest contrast at a scale is ink."""
ABOVE_NOISE = 6.0
"""Ink is at least this many times as far above the median as that is above the 20th percentile: 5 sigma of noise."""
FAINTEST = 10
"""Ink takes at least this share of the paper's light, in 255ths (4 %)."""
DARKEST = 0.5
"""Paper in a shadow keeps at least this share of the bright paper's light; on darker paper noise is not amplified."""
DARK = 32
"""Darker paper counts as this grey, 0 to 255: its noise is not amplified."""
LENGTH = 1.5
"""Ink counts by its area over its width to this power: 1 is the length of strokes, 2 the number of blobs."""
MOST = 0.8
"""This share of all ink is as wide as the width that is given, or narrower."""
COMPACT = 2.5
"""Ink that is not this many times as long as it may be wide is a blob, a thing or a speck, and no stroke.

Chosen: a bold 1 is 4 times as long as it is wide, and the next closing is up to 1.4 times as wide as the stroke.
"""
FINER = 0.5
"""Strokes finer than this share of the typical width are another pen's."""
LEAST_SHARE = 0.1
"""They count if they are at least this share of all ink. Chosen: less may be noise."""
LEVEL = 0.5
"""Noise is at least this many grey levels."""
RULE = 45.0
"""A level or upright line of more than this many times its width is a rule: a digit of the finest pen is 30 high."""


def typical_strokes(grey: Pixels) -> tuple[float, float]:
    """The width of most strokes of dark ink in a picture (height, width) uint8, pixels; 0 if there is no ink.

    And the width of most of those that are much finer than that; 0 if they are only a small share of the ink.

    A pattern spectrum (Maragos 1989): closings with wider and wider windows fill in all that is narrower than they are.
    What one fills in and the one before it did not is the ink of that width. An area that is broad counts little beside
    strokes, since it is short. Rules, which are thin, do not count: a printed page has more of them than of writing.
    """
    scale = 1.0
    while max(grey.shape) > SIDE:
        grey, scale = halved(grey), scale * 2
    paper, bright = quantiles(grey, 0.5, 0.95)
    darkest = max(DARK, DARKEST * bright)
    # On dark paper a single grey level is a large share of the light: noise is no less than that.
    step = LEVEL * 255 / max(darkest, paper)
    widths: list[float] = []
    counts: list[float] = []
    before = np.zeros_like(grey)
    while min(grey.shape) > WINDOWS[-1]:
        finest = not widths
        for window in (FIRST, *WINDOWS) if finest else WINDOWS:
            share = filled_in(grey, window, darkest)
            low, middle, strongest = quantiles(share, 0.2, 0.5, 0.998)
            least = max(FAINTEST, middle + ABOVE_NOISE * max(middle - low, step), STRONG * strongest)
            strong, longest = without_blobs(cv2.compare(share, least, cv2.CMP_GE), COMPACT * window)
            width = (window - 1) / 1.4
            new = cv2.subtract(share, before)
            if finest and longest > RULE * width:
                strong = cv2.subtract(strong, rules(strong, width))
            gained = cv2.sumElems(cv2.bitwise_and(new, strong))[0]
            widths.append(scale * width)
            counts.append(gained * scale * scale / widths[-1] ** LENGTH)
            before = share
        grey, before, scale = halved(grey), halved(before), scale * 2
    typical = _most(widths, counts, 0.0)
    fine = [count if width < FINER * typical else 0.0 for width, count in zip(widths, counts, strict=True)]
    return typical, _most(widths, fine, LEAST_SHARE * sum(counts))


def _most(widths: list[float], counts: list[float], least: float) -> float:
    """The width that MOST of the counted ink does not exceed; 0 if no more than ``least`` is counted."""
    total = np.cumsum(counts)
    return widths[int(np.searchsorted(total, MOST * total[-1]))] if len(total) and total[-1] > least else 0.0


def rules(mask: Pixels, stroke: float) -> Pixels:
    """255 where the level and upright rules of a mask are, (height, width)."""
    shortest = RULE * stroke
    upright = cv2.transpose(find_rules(cv2.transpose(mask), shortest, stroke))
    return cv2.bitwise_or(find_rules(mask, shortest, stroke), upright)


def without_blobs(mask: Pixels, least: float) -> tuple[Pixels, int]:
    """The connected parts of a mask (height, width) whose longer side is at least ``least`` pixels, and the longest."""
    labels, stats = connected_components(mask)
    longer = np.maximum(stats[:, 2], stats[:, 3])
    kept = np.where(longer >= least, 255, 0).astype(np.uint8)
    # Without a check of each label, which another mode does: twice as fast.
    return kept.take(labels, mode="clip"), int(longer.max())


def filled_in(grey: Pixels, window: int, darkest: float) -> Pixels:
    """Which share of the light, 0 to 255, each pixel lacks of what a closing with a square ``window`` leaves.

    ``darkest``: the least light that a share is taken of, 0 to 255.
    """
    # The border is replicated: the rim of a desk, which may be as broad as a stroke, is none.
    padded = cv2.copyMakeBorder(grey, window, window, window, window, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    closed = closed[window:-window, window:-window]
    return cv2.divide(cv2.subtract(closed, grey), cv2.max(closed, darkest), scale=255)
