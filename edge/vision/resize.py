"""Resize a picture: to the working scale, or by halves to a maximum side."""

from __future__ import annotations

import cv2

from edge.types import Pixels, halved


STROKE = 5.0
"""Strokes are at least so wide, working pixels, where the picture's size allows it: finer ones come apart, or vanish."""
BROAD = 7.0
"""Where strokes are wider than this, working pixels, the picture shrinks: digits are as clear, and quicker to read."""
SMALLEST = 400
"""The longer side to which a picture shrinks at most, pixels."""
LARGEST = 8.0
"""A small picture is enlarged at most so many times."""


def stroke_scale(stroke: float, side: int, working_size: int) -> float:
    """How many times larger a picture should be for strokes of this width; ``side`` is its longer side, pixels.

    At most ``working_size`` pixels come of it.
    """
    if stroke < STROKE:
        return max(1.0, min(STROKE / stroke, working_size / side, LARGEST))
    return min(1.0, max(BROAD / stroke, SMALLEST / side))


def rescale(grey: Pixels, scale: float) -> Pixels:
    """The picture at ``scale`` times its size: area interpolation to shrink it, linear to enlarge it.

    Cubic would be sharper, but it rings along hard edges, and a ring looks like a stroke.
    """
    if scale == 1:
        return grey
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def shrink_by_halves(grey: Pixels, side: int) -> Pixels:
    """The picture, halved until its longer side has ``side`` pixels at most."""
    while max(grey.shape) > side:
        grey = halved(grey)
    return grey
