"""Binary masks: the pixels at or above a level, and regions that a mask encloses."""

from __future__ import annotations

import cv2

from edge.types import Pixels


def at_least(picture: Pixels, level: int) -> Pixels:
    """A mask: 255 where a picture (height, width) uint8 is at least ``level``, else 0."""
    return cv2.threshold(picture, level - 1, 255, cv2.THRESH_BINARY)[1]


def enclosed_regions(mask: Pixels) -> Pixels:
    """255 where a mask (height, width) of 0 and 255 is 255 and cannot be reached from its border (4 neighbours)."""
    # One more pixel all around connects every region that reaches the border, so one flood fill removes them all.
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    cv2.floodFill(framed, None, (0, 0), 0)
    return framed[1:-1, 1:-1]
