"""Contrast against the background: grey pixels -> ink from 0 to 255, whatever the light, the pen and what lies there."""

from __future__ import annotations
import os
from typing import NamedTuple

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.background import background
from edge.vision.settings import VisionSettings
from edge.vision.statistics import noise, quantiles

E = lambda k, d: float(os.environ.get(k, d))
WINDOW = E("WINDOW", 0.15)
DARKEST = E("DARKEST", 0.5)
"""Paper in a shadow keeps at least this share of the bright paper's light. The rest is darker things."""
TILE = int(E("TILE", 8))
"""Side of the squares whose strongest ink is compared, pixels."""
AROUND = E("AROUND", 0.25)
"""Ink is measured against the strongest ink within a square of this side around it, as a share of the longer side."""
LEAST = E("LEAST", 0.6)
"""Ink is measured against at least this share of the strength that writing has in the picture."""
SIGNAL = E("SIGNAL", 9.0)
"""Ink is measured against at least this many standard deviations of the noise."""
FAINTEST = E("FAINTEST", 10)
"""Ink is measured against at least this share of the paper's light, in 255ths."""


STROKES = E("STROKES", 6.0)
"""The light is evened over windows of this many stroke widths."""
WINDOWS = (E("W0", 0.06), E("W1", 0.3))
"""Smallest and largest such window, as a share of the picture's longer side."""


def writing_window(grey: Pixels) -> float:
    """The window over which the light is evened, as a share of the longer side: some stroke widths."""
    rows = grey[:: max(1, -(-grey.size // 20_000))]
    light = background(grey, WINDOWS[1])
    behind = cv2.resize(light, (grey.shape[1], rows.shape[0]), interpolation=cv2.INTER_LINEAR)
    raw = cv2.divide(cv2.subtract(behind, rows), behind, scale=255)
    level = max(FAINTEST, 6 * noise(raw)[1], 0.35 * quantiles(raw, 0.998)[0])
    row = np.zeros(raw.size + 2, np.uint8)
    row[1:-1] = (raw > level).ravel()
    ends = np.flatnonzero(row[1:] != row[:-1])
    runs = ends[1::2] - ends[::2]
    runs = np.sort(runs[(runs >= 2) & (runs <= 0.2 * max(grey.shape))])
    if not len(runs):
        return WINDOWS[1]
    total = np.cumsum(runs ** E("RW", 0.0))
    stroke = float(runs[np.searchsorted(total, E("RQ", 0.5) * total[-1])])
    return float(np.clip(STROKES * stroke / max(grey.shape), *WINDOWS))


class Contrast(NamedTuple):
    """How much darker than its background each pixel of a picture is."""

    ink: Pixels
    """(height, width) uint8: 0 = paper, 255 = as strong as the strongest ink around."""
    strength: float
    """Which share of the paper's light writing takes, 0 to 255."""
    noise: float
    """Standard deviation of the noise, 0 to 255, as a share of the paper's light."""


def contrast(grey: Pixels, settings: VisionSettings, floor: int = 32) -> Contrast:
    """Dark-on-light grey -> contrast against the paper.

    ``floor``: paper darker than this grey counts as this grey.
    """
    light = background(grey, writing_window(grey)) if settings.even else np.full((1, 1), quantiles(grey, 0.5)[0], np.uint8)
    behind = cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    below = cv2.subtract(behind, grey)
    # The quotient (reflectance), not the difference: the same ink in a shadow is as black. But the quotient must not
    # amplify the noise of dark areas, so the divisor has a lower limit.
    darkest = max(floor, round(DARKEST * quantiles(light, 0.95)[0]))
    lit = behind if cv2.minMaxLoc(light)[0] >= darkest else cv2.max(behind, darkest)
    raw = cv2.divide(below, lit, scale=255)
    spread = noise(raw)[1]
    height, width = (-(-side // TILE) for side in grey.shape)
    whole = cv2.copyMakeBorder(raw, 0, height * TILE - grey.shape[0], 0, width * TILE - grey.shape[1], cv2.BORDER_CONSTANT)
    tiles = whole.reshape(height, TILE, width, TILE).max(axis=(1, 3))
    least = max(FAINTEST, SIGNAL * spread)
    inked = tiles[tiles > least]
    usual = float(np.median(inked)) if len(inked) else least
    least = max(least, LEAST * usual)
    size = max(3, round(AROUND * max(grey.shape) / TILE)) | 1
    strongest = cv2.blur(cv2.dilate(tiles, np.ones((size, size), np.uint8)), (size, size))
    strongest = cv2.resize(cv2.convertScaleAbs(cv2.max(strongest, round(least)), alpha=E("GAIN", 1.0)), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return Contrast(cv2.divide(raw, strongest, scale=255), usual, spread)
