"""Find a sheet of paper on a darker table, with all that is written on it."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.border import share_of_border

SIDE = 256
"""Longer side of the picture on which a sheet is looked for, pixels at most. The sizes below are pixels of it."""
STREAK = 3
"""Light things narrower than this many pixels are not paper."""
STROKE = 9
"""Dark things on the paper that are narrower than this many pixels are writing, and not the table."""
LEAST_SIDE = 15
"""Smallest shorter side of a whole sheet, pixels."""
RECTANGULAR = 0.88
"""A whole sheet fills at least this share of the smallest rectangle around it."""
WRITTEN = (0.01, 0.4)
"""Writing covers at least the first and at most the second of these shares of a sheet."""
RING = 0.3
"""What is light is paper where it takes at least this share of the picture's border: light writing takes less."""


def sheet_mask(light: Pixels) -> Pixels:
    """Where sheets of paper lie: a mask, 255 = paper. ``light`` is 255 where a picture (height, width) is light."""
    edge = STROKE
    # The border is replicated, so that a table at the side of the page counts as wide enough.
    paper = cv2.copyMakeBorder(light, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    for operation, size in ((cv2.MORPH_OPEN, STREAK), (cv2.MORPH_CLOSE, STROKE)):
        paper = cv2.morphologyEx(paper, operation, np.ones((size, size), np.uint8))
    return paper[edge:-edge, edge:-edge]


def has_sheet(small: Pixels) -> bool:
    """Whether what is light in a picture (height, width) uint8 is paper rather than ink.

    It is, if it takes much of the border, or if its largest part is a rectangle that is written on: a light digit is no
    rectangle, or has nothing dark in it. The picture's longer side has SIDE pixels at most.
    """
    light = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    if share_of_border(light) >= RING:
        return True
    contours, _ = cv2.findContours(np.ascontiguousarray(sheet_mask(light)), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return False
    largest = max(contours, key=cv2.contourArea)
    _, (width, height), _ = cv2.minAreaRect(largest)
    if min(width, height) < LEAST_SIDE or cv2.contourArea(largest) < RECTANGULAR * width * height:
        return False
    whole = cv2.drawContours(np.zeros_like(light), [largest], -1, 255, cv2.FILLED)
    written = 1 - cv2.mean(light, whole)[0] / 255
    return WRITTEN[0] <= written <= WRITTEN[1]
