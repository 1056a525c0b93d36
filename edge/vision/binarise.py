"""Binarise: ink from 0 to 255 -> a mask of ink, by the threshold that the settings choose (hysteresis, Otsu, ...)."""

from __future__ import annotations

import cv2

from edge.types import Pixels
from edge.vision.masks import at_least
from edge.vision.settings import VisionSettings

NOISE_MARGIN = 4.5
"""Faint ink is at least this many standard deviations of the noise."""


def binarise(ink: Pixels, settings: VisionSettings, spread: float = 0.0) -> tuple[Pixels, Pixels | None]:
    """Contrast (0 = paper, 255 = ink) -> 255 where there is ink, else 0, by the threshold of the settings.

    With ``hysteresis`` there are two masks: the first is generous (``faint``, but above the noise with standard
    deviation ``spread``), the second strict (``level``). Faint ink counts where it is connected to strong ink, as
    Canny (1986) keeps edges. Other thresholds have no second mask.
    """
    if settings.threshold == "hysteresis":
        sure = at_least(ink, settings.level)
        return at_least(ink, min(settings.level, max(settings.faint, round(NOISE_MARGIN * spread)))), sure
    if settings.threshold == "global":
        return at_least(ink, settings.level), None
    if settings.threshold == "otsu":
        return cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], None
    method = cv2.ADAPTIVE_THRESH_MEAN_C if settings.threshold == "adaptive_mean" else cv2.ADAPTIVE_THRESH_GAUSSIAN_C
    return cv2.adaptiveThreshold(ink, 255, method, cv2.THRESH_BINARY, settings.block | 1, -settings.offset), None
