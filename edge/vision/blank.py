"""Why nothing in a picture is ink: it is blank, or as low in contrast as its noise."""

from __future__ import annotations

from edge.types import Pixels, Reason
from edge.vision.components import largest_area
from edge.vision.masks import at_least
from edge.vision.statistics import quantiles

MIN_SIGNAL_TO_NOISE = 7.0
"""The strongest ink is at least this many standard deviations of the noise above the paper: Gaussian noise gives 4."""
STRONGEST = 0.0002
"""At least this share of a picture, and 16 pixels, are its strongest ink."""
SPECKS_SIGMA = 4.0
"""Where ink is not far above the noise, components are counted that are this many standard deviations above it."""
SPECK = 40
"""If no component at SPECKS_SIGMA has more pixels than this, the picture holds nothing but noise.

On noisy blank pages of 640x480 the largest had 31, on pages with writing too faint to read 51 and more.
"""


def noise_reason(share: Pixels, spread: float) -> Reason | None:
    """Why a picture whose ink is hardly above the noise is not read: low_contrast, or blank. Else None.

    ``share`` (height, width) uint8: which share of the paper's light each pixel takes; ``spread``: the standard
    deviation of its noise.
    """
    strongest = quantiles(share, 1 - max(16 / share.size, STRONGEST))[0]
    if strongest >= max(1.0, MIN_SIGNAL_TO_NOISE * spread):
        return None
    # Noise has peaks, but they are not connected as even the faintest line is.
    return "low_contrast" if largest_area(at_least(share, max(1, round(SPECKS_SIGMA * spread)))) > SPECK else "blank"
