"""A page that lies on its side or upside down: rotate its ink by quarter turns, and its boxes back."""

from __future__ import annotations

import cv2

from edge.types import Box
from edge.vision.clean import Cleaned

QUARTERS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
"""OpenCV's rotation code for each number of quarter turns, counter-clockwise."""


def rotate_cleaned(cleaned: Cleaned, code: int) -> Cleaned:
    """Cleaned ink, rotated by one of OpenCV's rotation codes."""
    sure = None if cleaned.sure is None else cv2.rotate(cleaned.sure, code)
    return cleaned._replace(ink=cv2.rotate(cleaned.ink, code), mask=cv2.rotate(cleaned.mask, code), sure=sure)


def rotate_box_back(box: Box, quarters: int, shape: tuple[int, ...]) -> Box:
    """A box in a picture that was rotated by ``quarters`` counter-clockwise, as it stands in the original picture.

    ``shape`` is the original's (height, width).
    """
    height, width = shape[:2]
    x, y, w, h = box
    if quarters == 1:
        return Box(width - y - h, x, h, w)
    if quarters == 2:
        return Box(width - x - w, height - y - h, w, h)
    return Box(y, height - x - w, h, w)
