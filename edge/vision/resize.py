"""Resize a picture: to the working scale, or by halves to a maximum side."""

from __future__ import annotations

import cv2

from edge.types import Pixels, halved

STROKE = 6.0
"""Pictures are read at the size at which most strokes are so wide, working pixels: finer ones come apart, or vanish."""
SMALLEST = 400
"""The longer side to which a picture shrinks for its strokes at most, pixels."""
LARGEST = 8.0
"""A small picture is enlarged at most so many times."""
FIRST_SIDE = 1024
"""The longer side at which a picture is first read, pixels; it is read larger only where its digits turn out small.

Not at once: at a larger scale the fine rules behind large digits are ink too.
"""
LEGIBLE = 24.0
"""Digits that are at least so tall, working pixels, are not read larger: below, more and more are lost.

Measured with ``python -m tests.benchmarks.frame_sizes``, and on photographs that were reduced.
"""
COMFORTABLE = 32.0
"""Smaller digits are read again at this height, working pixels."""
WORTH_IT = 1.25
"""But only where that is at least so many times larger: less changes nothing."""


def stroke_scale(stroke: float, side: int, working_size: int) -> float:
    """How many times larger a picture should be in which most strokes are so wide, and the longer ``side``, pixels.

    It grows to ``working_size`` pixels at most.
    """
    by = STROKE / stroke
    return min(by, max(1.0, working_size / side), LARGEST) if by > 1 else max(by, min(1.0, SMALLEST / side))


def digit_scale(digit: float, side: int, working_size: int) -> float:
    """How many times larger a picture should be read whose digits are so tall, and its longer ``side``, pixels.

    It grows to ``working_size`` pixels at most. 1 where its digits are large enough, or it can hardly grow.
    """
    by = min(COMFORTABLE / digit, working_size / side) if 0 < digit < LEGIBLE else 1.0
    return by if by >= WORTH_IT else 1.0


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
