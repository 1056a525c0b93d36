"""Estimate the background: the paper behind the ink, with its shadows and uneven light."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels, halved

STROKES = 3.0
"""The window that removes ink is this many strokes wide: where two strokes cross they are wider than one."""
FINEST = 4.0
"""The background is estimated on a picture that is halved while strokes are wider than this, pixels."""


def background(grey: Pixels, stroke: float) -> Pixels:
    """The grey of the paper behind dark ink, (height, width) uint8, of a picture halved once or more, or not.

    A closing with a window of STROKES times ``stroke`` (the width of the strokes, pixels): what is narrower is gone,
    and anything broader that is dark stays part of the background, with sharp edges.
    """
    small = grey
    while stroke > FINEST and min(small.shape) >= 4:
        small, stroke = halved(small), stroke / 2
    window = round(STROKES * stroke + 2) | 1
    # A digit may reach the border, and so may a strip of the desk: what is broader than a stroke there is a strip.
    edge = round(0.6 * window)
    padded = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    around = np.ones((window, window), np.uint8)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, around, borderType=cv2.BORDER_CONSTANT, borderValue=255)
    # Without the squares that the closing leaves on a slope of light. Never brighter than the neighbours: the edge of a
    # shadow would get a rim of false ink.
    smooth = cv2.blur(cv2.blur(closed, (window, window)), (window, window))
    return cv2.min(smooth, cv2.erode(closed, np.ones((3, 3), np.uint8)))[edge:-edge, edge:-edge]
