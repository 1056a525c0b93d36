"""One candidate out of the page: its own ink, and upright where its line is not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.segment import Mark

_AROUND = np.ones((3, 3), np.uint8)


def cut(ink: Pixels, labels: NDArray[np.int32], mark: Mark) -> Pixels:
    """The mark's own ink with its soft edges, two pixels around its box, without its neighbours'."""
    x, y, width, height = mark.box
    window = np.s_[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2]
    here = labels[window]
    own = cv2.inRange(here, mark.parts[0], mark.parts[0])
    for part in mark.parts[1:]:
        own = cv2.bitwise_or(own, cv2.inRange(here, part, part))
    return cv2.bitwise_and(ink[window], cv2.dilate(own, _AROUND))


def turn(ink: Pixels, degrees: float) -> Pixels:
    """The ink turned counter-clockwise, on a square that holds it at any angle."""
    height, width = ink.shape
    side = int(np.hypot(height, width)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += side / 2 - np.array([width / 2, height / 2])
    return cv2.warpAffine(ink, matrix, (side, side))
