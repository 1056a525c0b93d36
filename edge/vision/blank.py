"""Why a picture is called blank, blurred or low in contrast: it has no ink, or its strokes are too thin or faint."""

from __future__ import annotations

import cv2

from edge.types import Pixels, Reason
from edge.vision.components import largest_area
from edge.vision.masks import at_least
from edge.vision.statistics import quantile_reaches

MIN_CONTRAST = 10
"""The strongest ink takes at least this share of the paper's light, in 255ths (4 %); with less the page is blank."""
MIN_LEVELS = 5
"""The strongest ink is at least this many grey levels darker than the paper, however dark the picture is.

Fewer are the steps of the light itself.
"""
MIN_STEEPNESS = 0.4
"""Across an edge of ink, within EDGE_REACH pixels, the grey rises by at least this share of the ink's contrast."""
EDGE_REACH = 7
"""Widest edge of ink, in working pixels; where the frame was enlarged, two of its pixels if that is more.

What is flatter is a shadow, or out of focus.
"""
BLURRED_LEVELS = 24
"""Something without edges that is at least this many grey levels deep is called blurred; with fewer, blank."""
MIN_SIGNAL_TO_NOISE = 7.0
"""The strongest ink is at least this many standard deviations of the noise above the paper: Gaussian noise gives 4."""
SPECKS_SIGMA = 4.0
"""Where ink is not far above the noise, components are counted that are this many standard deviations above it."""
SPECK = 40
"""If no component at SPECKS_SIGMA has more pixels than this, the picture holds nothing but noise.

On noisy blank pages of 640x480 the largest had 31, on pages with writing too faint to read 51 and more.
"""


def flat_reason(below: Pixels, levels: float, strongest: float, reach: int, share: float) -> Reason | None:
    """Why a picture that is not dark enough, or has no edges, holds no ink: blank or blurred. None if it may hold ink.

    ``below`` (height, width) uint8: by how many grey levels each pixel is darker than the paper, of some rows.
    ``levels``: the same of the strongest ink; ``strongest``: the share of the light that it takes, 0 to 255;
    ``reach``: the widest edge of ink, pixels; ``share``: the share of pixels, 0 to 1, that are weaker than the
    strongest ink.
    """
    if strongest < MIN_CONTRAST or levels < MIN_LEVELS:
        return "blank"
    # Uneven light leaves dark areas, but no edges.
    steep = max(MIN_LEVELS, MIN_STEEPNESS * levels)
    if below.shape[1] > reach and not quantile_reaches(cv2.absdiff(below[:, reach:], below[:, :-reach]), steep, share):
        return "blurred" if levels >= BLURRED_LEVELS else "blank"
    return None


def noise_reason(ink: Pixels, level: float, spread: float) -> Reason | None:
    """Why ink, (height, width) uint8, that is hardly above the noise is not read: low_contrast, or blank. Else None.

    ``level`` is the paper's level in ``ink``, and ``spread`` the standard deviation of the noise.
    """
    if 255 - level >= MIN_SIGNAL_TO_NOISE * spread:
        return None
    # Noise has peaks, but they are not connected as even the faintest line is.
    largest = largest_area(at_least(ink, round(level + SPECKS_SIGMA * spread)))
    return "low_contrast" if largest > SPECK else "blank"
