"""Filters that the settings choose: median and Gaussian on grey pixels, morphology on a mask."""

from __future__ import annotations

import cv2

from edge.types import Pixels
from edge.vision.settings import VisionSettings


def median_filter(grey: Pixels, size: int) -> Pixels:
    """The median of each ``size`` x ``size`` window (odd, pixels): removes salt-and-pepper noise, keeps edges."""
    return cv2.medianBlur(grey, size)


def gaussian_filter(grey: Pixels, size: int) -> Pixels:
    """Gaussian blur over a ``size`` x ``size`` window (odd, pixels), sigma as OpenCV derives it from the size."""
    return cv2.GaussianBlur(grey, (size, size), 0)


def morphology(mask: Pixels, settings: VisionSettings) -> Pixels:
    """Opening, closing, erosion and dilation, in this order, with elliptic windows; a size of 0 leaves one out."""
    for operation, size in (
        (cv2.MORPH_OPEN, settings.opening),
        (cv2.MORPH_CLOSE, settings.closing),
        (cv2.MORPH_ERODE, settings.erosion),
        (cv2.MORPH_DILATE, settings.dilation),
    ):
        if size > 1:
            window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
            mask = cv2.morphologyEx(mask, operation, window)
    return mask
