"""Estimate the background: the paper behind the ink, with its shadows and uneven light."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.resize import shrink_by_halves

BACKGROUND_SIDE = 128
"""Longer side of the picture on which the background is estimated, pixels at most: light changes slowly."""
BACKGROUND_WINDOW = 0.30
"""Side of the closing that removes strokes, as a share of the picture's longer side. Strokes are narrower than this."""


def background(grey: Pixels, share: float = BACKGROUND_WINDOW) -> Pixels:
    """The grey of the paper behind dark ink, (height, width) uint8, reduced to BACKGROUND_SIDE at most.

    A closing wider than the strokes, then a blur. ``share`` is the closing's side as a share of the longer side; a
    shadow that is wider than that stays part of the background.
    """
    small = shrink_by_halves(grey, BACKGROUND_SIDE)
    window = max(3, round(share * max(small.shape))) | 1
    # The border is replicated, or a slope of light would be closed over at its dark end. It is replicated by a whole
    # window, so that a table at the side of the page stays a table.
    edge = window
    padded = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    smooth = closed
    for _ in range(2):
        smooth = cv2.blur(smooth, (window // 2, window // 2))
    # Smooth, but never brighter than two pixels away: otherwise a hard shadow or the edge of a page would get a rim of
    # false ink.
    return cv2.min(smooth, cv2.erode(closed, np.ones((5, 5), np.uint8)))[edge:-edge, edge:-edge]
