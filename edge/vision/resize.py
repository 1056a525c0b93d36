"""Resize a picture: to the working scale, or by halves to a maximum side."""

from __future__ import annotations

import cv2

from edge.types import Pixels, halved

ENLARGED = 400
"""A smaller picture is enlarged to this longer side, pixels: strokes of one or two pixels come apart, or vanish."""


def working_scale(height: int, width: int, working_size: int) -> float:
    """Working pixels per frame pixel: large pictures shrink to ``working_size``, small ones grow to ENLARGED."""
    side = max(height, width)
    if side > working_size:
        return working_size / side
    return float(max(1, min(8, min(ENLARGED, working_size) / side)))


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
