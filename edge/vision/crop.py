"""Crop one candidate digit out of the page without its neighbours' ink, and rotate it upright."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.segment import Mark, Parts

_AROUND = np.ones((3, 3), np.uint8)


def with_soft_edges(ink: Pixels, mask: Pixels) -> Pixels:
    """The ink that is in the mask, with its soft edges: one pixel around. All (height, width) uint8."""
    return cv2.copyTo(ink, cv2.dilate(mask, _AROUND))


def crop_mark(ink: Pixels, parts: Parts, mark: Mark) -> Pixels:
    """The mark's own ink, with two pixels around its box and without its neighbours'.

    ``ink`` is the result of ``with_soft_edges``.
    """
    x, y, width, height = mark.box
    own = ink[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2]
    # Three pixels around the box: the soft edges of a neighbour there reach into the crop.
    if cv2.countNonZero(parts.mask[max(0, y - 3) : y + height + 3, max(0, x - 3) : x + width + 3]) == mark.area:
        return own
    rows, columns = parts.window
    here = parts.labels[y - rows.start :, x - columns.start :][:height, :width]
    first, *others = mark.parts
    own_parts = here == first
    for other in others:
        own_parts |= here == other
    inked = np.zeros(own.shape, np.uint8)
    inked[min(2, y) :, min(2, x) :][:height, :width] = own_parts
    return with_soft_edges(own, inked)


def rotate(ink: Pixels, degrees: float) -> Pixels:
    """The ink rotated counter-clockwise, on a square that holds it at any angle."""
    height, width = ink.shape
    side = int(np.hypot(height, width)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += side / 2 - np.array([width / 2, height / 2])
    return cv2.warpAffine(ink, matrix, (side, side))
