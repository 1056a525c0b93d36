"""Contrast against the paper: grey pixels -> ink from 0 to 255, whatever the light, the pen and what else is there."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.background import background
from edge.vision.settings import VisionSettings
from edge.vision.statistics import noise, quantiles
from edge.vision.strokes import DARKEST, FAINTEST, LEVEL

AROUND = 0.15
"""Ink is measured against the strongest ink around it: in a square of this share of the picture's longer side."""
USUAL = 0.8
"""The usual strength of ink is what this share of the squares with ink do not exceed; many hold only texture."""
LEAST = 0.6
"""Ink is measured against at least this share of the usual strength of ink in the picture."""
TILE = 8
"""The strongest ink is looked up in squares of this side, pixels."""
SIGNAL = 10.0
"""Ink is measured against at least this many standard deviations of the noise."""


class Contrast(NamedTuple):
    """How much darker than its background each pixel of a picture is."""

    ink: Pixels
    """(height, width) uint8: 0 = paper, 255 = as strong as the strongest ink around."""
    strength: float
    """Which share of the paper's light ink usually takes, 0 to 255."""
    noise: float
    """Standard deviation of the noise, on the scale of ``strength``."""


def contrast(grey: Pixels, settings: VisionSettings, stroke: float, floor: int = 32) -> Contrast:
    """Dark-on-light grey -> contrast against the paper. Paper darker than the grey ``floor`` counts as that grey."""
    light = background(grey, stroke) if settings.even else np.array([[quantiles(grey, 0.5)[0]]], np.uint8)
    behind = cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    below = cv2.subtract(behind, grey)
    # The quotient (reflectance), not the difference: the same ink in a shadow is as black. But the quotient must not
    # amplify the noise of dark areas, so the divisor has a lower limit.
    darkest = max(floor, round(DARKEST * quantiles(light, 0.95)[0]))
    share = cv2.divide(below, cv2.max(behind, darkest), scale=255)
    # The background is as bright as the brightest grain of the paper: its usual level is no ink.
    levels, spreads = noise(share)
    # Where noise is less than a grey level most pixels have the same, and yet some do not.
    step = LEVEL * 255 / max(darkest, quantiles(light, 0.5)[0])
    spreads = np.maximum(spreads, int(step)).astype(np.uint8)
    share = cv2.subtract(share, cv2.resize(levels, grey.shape[::-1], interpolation=cv2.INTER_LINEAR))
    tiles = strongest_in_tiles(share)
    least = np.maximum(SIGNAL * cv2.resize(spreads, tiles.shape[::-1], interpolation=cv2.INTER_LINEAR), FAINTEST)
    inked = np.sort(tiles[tiles > least])
    usual = float(inked[int(USUAL * len(inked))]) if len(inked) else float(np.median(least))
    size = max(3, round(AROUND * max(grey.shape) / TILE)) | 1
    strongest = cv2.blur(cv2.dilate(tiles, np.ones((size, size), np.uint8)), (size, size))
    strongest = np.minimum(np.maximum(np.maximum(strongest, least), LEAST * usual), 255).astype(np.uint8)
    against = cv2.resize(strongest, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return Contrast(cv2.divide(share, against, scale=255), usual, float(np.median(spreads)))


def strongest_in_tiles(share: Pixels) -> Pixels:
    """The maximum in each square of TILE pixels of a picture (height, width) uint8; squares at the end may be cut."""
    height, width = (-(-side // TILE) for side in share.shape)
    down, right = height * TILE - share.shape[0], width * TILE - share.shape[1]
    whole = cv2.copyMakeBorder(share, 0, down, 0, right, cv2.BORDER_CONSTANT)
    tiles: Pixels = whole.reshape(height, TILE, width * TILE).max(axis=1).reshape(height, width, TILE).max(axis=2)
    return tiles
