"""Sharpness: how wide the edges of ink are, to tell a picture that is out of focus."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels

SHARPEST = 0.98
"""The edges are as wide as where this share of the ink is less steep: most of it is no edge."""


def edge_width(ink: Pixels, mask: Pixels) -> float:
    """Over how many pixels ink, (height, width) uint8, falls from 255 to 0 at its steepest; 0 where there is none.

    ``mask``: the same shape, not 0 where there is ink.
    """
    inked = mask > 0
    across, down = (cv2.Sobel(ink, cv2.CV_32F, *way)[inked] / 8 for way in ((1, 0), (0, 1)))
    if not len(across):
        return 0.0
    rank = int(SHARPEST * len(across))
    return 255 / max(1.0, float(np.partition(np.hypot(across, down), rank)[rank]))
