"""Mirror images: things and many letters are the same on the left and on the right, several digits hardly ever."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.crop import turn
from edge.vision.normalise import tight

HEIGHT = 20
"""Both halves are compared on the ink reduced to this height, pixels,"""
FINE = 1.5
"""blurred by so many pixels, as no hand is steady,"""
COARSE = 5.0
"""less the same blurred by so many: that there is more ink in the middle than around it is true of all marks."""
LEANS = range(-12, 13, 4)
"""So many degrees the axis may lean."""
ASIDE = 4
"""A mirror image is moved by at most so many pixels to the side, and by"""
ALONG = 2
"""so many up or down: the axis need not be in the middle of the ink."""


def mirrored(ink: Pixels) -> float:
    """How far ink, (height, width) uint8, is its own mirror image about a nearly upright axis: 0 to 1, 1 = wholly.

    The greatest normalised correlation of the ink with its reflections (Marola, "On the detection of the axes of
    symmetry of symmetric and almost symmetric planar images", 1989). 0 where there is no ink.
    """
    whole = tight(ink)
    height, width = whole.shape
    if not whole.any():
        return 0.0
    small = cv2.resize(whole, (max(1, round(width * HEIGHT / height)), HEIGHT), interpolation=cv2.INTER_AREA)
    return max(0.0, *(_alike(turn(small, degrees)) for degrees in LEANS))


def _alike(ink: Pixels) -> float:
    """The greatest correlation of ink with its mirror image about an upright axis, -1 to 1."""
    shape = ink.astype(np.float32)
    shape = cv2.GaussianBlur(shape, (0, 0), FINE, borderType=cv2.BORDER_CONSTANT)
    shape -= cv2.GaussianBlur(shape, (0, 0), COARSE, borderType=cv2.BORDER_CONSTANT)
    room = cv2.copyMakeBorder(shape, ALONG, ALONG, ASIDE, ASIDE, cv2.BORDER_CONSTANT, value=0)
    energy = float((shape * shape).sum())
    return float(cv2.matchTemplate(room, cv2.flip(shape, 1), cv2.TM_CCORR).max()) / energy if energy else 0.0
