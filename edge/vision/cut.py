"""One candidate out of the page: its own ink, and upright where its line is not."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.segment import Mark, Segments

_AROUND = np.ones((3, 3), np.uint8)


def cut(ink: Pixels, segments: Segments, mark: Mark) -> Pixels:
    """The mark's own ink with its soft edges, two pixels around its box, without its neighbours'."""
    x, y, width, height = mark.box
    around = np.s_[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2]
    inked = segments.mask[around]
    if cv2.countNonZero(inked) == mark.area:
        # Nothing else lies there.
        return cv2.copyTo(ink[around], cv2.dilate(inked, _AROUND))
    rows, columns = segments.window
    here = segments.labels[y - rows.start :, x - columns.start :][:height, :width]
    first, *others = mark.parts
    parts = here == first
    for other in others:
        parts |= here == other
    soft = ink[around]
    own = np.zeros(soft.shape, np.uint8)
    own[min(2, y) :, min(2, x) :][:height, :width] = parts
    return cv2.copyTo(soft, cv2.dilate(own, _AROUND))


def turn(ink: Pixels, degrees: float) -> Pixels:
    """The ink turned counter-clockwise, on a square that holds it at any angle."""
    height, width = ink.shape
    side = int(np.hypot(height, width)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += side / 2 - np.array([width / 2, height / 2])
    return cv2.warpAffine(ink, matrix, (side, side))
