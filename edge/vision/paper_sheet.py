"""A sheet of paper on a darker table: where it lies, with all that is written on it."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels

SIDE = 256
"""A sheet is looked for on a picture of this longer side at most, in pixels."""
STREAK = 3
"""Light things that are narrower than so many of those are no paper,"""
STROKE = 9
"""and dark things on the paper that are narrower than so many are no table."""
LEAST_SIDE = 15
"""A whole sheet is at least so many of those pixels wide,"""
RECTANGULAR = 0.88
"""it fills this share of the smallest rectangle around it,"""
WRITTEN = (0.01, 0.4)
"""and writing takes at least and at most these shares of it."""
RING = 0.3
"""Or light things take at least this share of the picture's border: writing does not."""


def sheet(light: Pixels) -> Pixels:
    """Where sheets of paper lie, by where a picture (height, width) uint8 is ``light``; both 255 there, else 0."""
    edge = STROKE
    # Continued outwards, so that a table at the side of the page is as wide as it may be.
    paper = cv2.copyMakeBorder(light, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    for operation, size in ((cv2.MORPH_OPEN, STREAK), (cv2.MORPH_CLOSE, STROKE)):
        paper = cv2.morphologyEx(paper, operation, np.ones((size, size), np.uint8))
    return paper[edge:-edge, edge:-edge]


def along_border(mask: Pixels) -> float:
    """Which share of the border of a mask (height, width) uint8 is not 0."""
    ring = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return np.count_nonzero(ring) / ring.size


def has_sheet(small: Pixels) -> bool:
    """Whether what is light in a picture (height, width) uint8 is paper rather than ink.

    It goes along the border, or its largest part is a sheet that is written on: a light digit is no rectangle, or has
    nothing dark in it. The picture's longer side has SIDE pixels at most.
    """
    light = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    if along_border(light) >= RING:
        return True
    contours, _ = cv2.findContours(np.ascontiguousarray(sheet(light)), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return False
    largest = max(contours, key=cv2.contourArea)
    _, (width, height), _ = cv2.minAreaRect(largest)
    if min(width, height) < LEAST_SIDE or cv2.contourArea(largest) < RECTANGULAR * width * height:
        return False
    whole = cv2.drawContours(np.zeros_like(light), [largest], -1, 255, cv2.FILLED)
    written = 1 - cv2.mean(light, whole)[0] / 255
    return WRITTEN[0] <= written <= WRITTEN[1]
