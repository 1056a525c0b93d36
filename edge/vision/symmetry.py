"""Mirror symmetry: many things and letters are the same on the left and on the right, several digits hardly ever."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.crop import rotate
from edge.vision.normalise import crop_to_ink

HEIGHT = 20
"""Height to which the ink is resized before it is compared with its mirror image, pixels."""
FINE = 1.5
"""Sigma of the Gaussian blur of the ink, pixels: no hand is steady."""
COARSE = 5.0
"""Sigma of the wider blur that is subtracted, pixels: all marks have more ink in the middle than around it."""
LEANS = range(-12, 13, 4)
"""Angles of the mirror axis from the vertical that are tried, degrees."""
ASIDE = 4
"""Farthest move of the mirror image to the side, pixels: the axis need not be in the middle of the ink."""
ALONG = 2
"""Farthest move of the mirror image up or down, pixels."""


def mirror_symmetry(ink: Pixels) -> float:
    """How symmetric ink, (height, width) uint8, is about a nearly upright axis: 0 to 1, 1 = its own mirror image.

    The greatest normalised correlation of the ink with its reflections (Marola, "On the detection of the axes of
    symmetry of symmetric and almost symmetric planar images", 1989). 0 where there is no ink.
    """
    whole = crop_to_ink(ink)
    height, width = whole.shape
    if not whole.any():
        return 0.0
    small = cv2.resize(whole, (max(1, round(width * HEIGHT / height)), HEIGHT), interpolation=cv2.INTER_AREA)
    return max(0.0, *(_mirror_correlation(rotate(small, degrees)) for degrees in LEANS))


def _mirror_correlation(ink: Pixels) -> float:
    """The greatest correlation of ink with its mirror image about an upright axis, -1 to 1."""
    shape = ink.astype(np.float32)
    shape = cv2.GaussianBlur(shape, (0, 0), FINE, borderType=cv2.BORDER_CONSTANT)
    shape -= cv2.GaussianBlur(shape, (0, 0), COARSE, borderType=cv2.BORDER_CONSTANT)
    room = cv2.copyMakeBorder(shape, ALONG, ALONG, ASIDE, ASIDE, cv2.BORDER_CONSTANT, value=0)
    energy = float((shape * shape).sum())
    return float(cv2.matchTemplate(room, cv2.flip(shape, 1), cv2.TM_CCORR).max()) / energy if energy else 0.0
