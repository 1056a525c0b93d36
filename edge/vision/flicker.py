"""Flicker: bands of lamps that go on and off with the mains, which a sensor sees as it reads out row after row."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels

ROWS, COLUMNS = 128, 32
"""Frames are compared at this size."""
MOST_BANDS = 8
"""Most bands in a frame: lamps go on and off 100 or 120 times a second, and rows are read out within 1/15 s."""
DARK = 8.0
"""Grey levels that are added to both frames: a ratio of dark pixels says nothing."""
ALIKE = 3.0
"""Bands lie across: from left to right the light differs by less than this share of one. Chosen."""
STRONG = 0.02
"""Bands are seen from this share of the light on. Chosen: below it they are weaker than the noise."""


def banding(one: Pixels, other: Pixels) -> float:
    """By which share of the light bands differ between two frames (height, width) uint8 of the same view; 0 for none.

    Bands move from frame to frame, and the page does not: so the ratio of the frames has the bands alone. Bands that
    stand still are not found. From a spectrum of the rows, at the number of bands that is strongest.
    """
    if one.shape != other.shape:
        return 0.0
    small = [cv2.resize(frame, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) for frame in (one, other)]
    before, after = (np.log(picture.astype(np.float32) + DARK) for picture in small)
    ratio = after - before
    # The median: a hand that moves takes a part of each row.
    down, across = _waves(np.median(ratio, axis=1)), _waves(np.median(ratio, axis=0))
    return down if down > ALIKE * across else 0.0


def _waves(profile: np.ndarray) -> float:
    """The amplitude of the strongest wave in a profile, of 1 to MOST_BANDS waves."""
    places = np.linspace(-1, 1, len(profile))
    # A light that is switched on, or a camera that is moved, changes the slope of the light.
    flat = profile - profile.mean() - places * (profile @ places) / (places @ places)
    window = np.hanning(len(profile))
    spectrum = np.abs(np.fft.rfft(flat * window))[1 : MOST_BANDS + 1]
    return float(2 * spectrum.max() / window.sum())
