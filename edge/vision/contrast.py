"""Contrast against the background: grey pixels -> ink from 0 to 255, whatever the light."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.types import Pixels, Reason
from edge.vision.background import BACKGROUND_WINDOW, background
from edge.vision.blank import EDGE_REACH, flat_reason, noise_reason
from edge.vision.desk_grain import grain_mask
from edge.vision.resize import SMALL_SIDE
from edge.vision.settings import VisionSettings
from edge.vision.statistics import noise, quantiles, sample_rows

DARKEST = 0.5
"""Paper in a shadow keeps at least this share of the bright paper's light.

What is darker is a table, and its grain is not ink.
"""
INKED = 0.998
"""Share of all pixels, 0 to 1, that are weaker than ink, for the level at which ink begins."""


class Contrast(NamedTuple):
    """How much darker than its background each pixel of a picture is."""

    ink: Pixels
    """(height, width) uint8: 0 = paper, 255 = the strongest ink of the picture."""
    darkest: float
    """By how many grey levels ink is darker than its paper."""
    strongest: float
    """Which share of the paper's light the strongest ink takes, 0 to 255."""
    noise: float
    """Standard deviation of the noise, on the scale of ``ink``; 0 where ``reason`` is already known without it."""
    reason: Reason | None
    """Why there is no readable ink, or None."""


def contrast(
    grey: Pixels, settings: VisionSettings, floor: int = 32, reach: int = EDGE_REACH, window: float = BACKGROUND_WINDOW
) -> Contrast:
    """Dark-on-light grey -> contrast against the paper, stretched so that the strongest ink is 255.

    The strongest ink is the level that at least 16 pixels, and 0.02 % of them, reach. ``floor``: paper darker than
    this grey counts as this grey; ``reach``: an edge of ink is at most this many pixels wide; ``window``: side of the
    closing that removes strokes from the background, as a share of the longer side.
    """
    light = background(grey, window) if settings.even else np.full((1, 1), quantiles(grey, 0.5)[0], np.uint8)
    behind = cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    below = cv2.subtract(behind, grey)
    # The quotient (reflectance), not the difference: the same ink in a shadow is as black. But the quotient must not
    # amplify the noise of dark areas, so the divisor has a lower limit.
    dim, bright, brightest = quantiles(light, 0.02, 0.95, 0.99)
    darkest = max(floor, round(DARKEST * bright))
    lit = behind if cv2.minMaxLoc(light)[0] >= darkest else cv2.max(behind, darkest)
    rows, rows_lit = sample_rows(below), sample_rows(lit)
    weaker_share = 1 - max(16 / below.size, 0.0002)
    peak = max(1.0, *quantiles(cv2.divide(rows, rows_lit, scale=255), weaker_share))
    ink = cv2.divide(below, lit, scale=255 * 255 / peak)
    if max(grey.shape) > SMALL_SIDE and (grain := grain_mask(grey, ink, dim, brightest)) is not None:
        below[grain > 0] = 0
        peak = max(1.0, *quantiles(cv2.divide(rows, rows_lit, scale=255), weaker_share))
        ink = cv2.divide(below, lit, scale=255 * 255 / peak)
    levels, dark = quantiles(rows, weaker_share, INKED)
    if reason := flat_reason(rows, levels, peak, reach, weaker_share):
        return Contrast(ink, dark, peak, 0.0, reason)
    level, spread = noise(ink)
    return Contrast(ink, dark, peak, spread, noise_reason(ink, level, spread))
