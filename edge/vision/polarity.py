"""Polarity: whether the ink is darker than the paper (pen) or lighter (chalk on a board)."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.resize import shrink_by_halves

RIM = 0.05
"""Share of the picture on each side that is left out: a dark table or a scanner's lid may lie there."""
_SURFACE_SIDE = 32
_X, _Y = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-1, 1, _SURFACE_SIDE, dtype=np.float32)] * 2))
_SQUARE = np.float32(np.mean(_X * _X))
_SURFACE = np.stack([np.ones_like(_X), _X, _Y, _X * _Y, _X * _X - _SQUARE, _Y * _Y - _SQUARE])
_SURFACE /= np.sqrt(np.sum(np.square(_SURFACE), axis=1, keepdims=True))
"""An orthonormal basis of quadratic surfaces on a 32x32 picture, (6, 1024): Legendre polynomials up to degree 2."""


def dark_ink_ratio(grey: Pixels) -> float:
    """How many times better dark ink fits the picture than light ink: over 1 it is dark, under 1 light.

    Ink is the minority of the pixels. A quadratic surface of light is subtracted; then the deviations from a median
    over half the picture are squared and summed on either side of it.
    """
    # A dark table or a scanner's lid at the border would bend the surface far into the page.
    y, x = (round(RIM * side) for side in grey.shape)
    grey = grey[y : grey.shape[0] - y, x : grey.shape[1] - x]
    small = cv2.resize(
        shrink_by_halves(grey, 2 * _SURFACE_SIDE), (_SURFACE_SIDE, _SURFACE_SIDE), interpolation=cv2.INTER_AREA
    )
    values = small.astype(np.float32).ravel()
    flat = values - (_SURFACE @ values) @ _SURFACE
    flat = np.minimum(flat - flat.min(), 255).astype(np.uint8).reshape(small.shape)
    middle = cv2.medianBlur(flat, _SURFACE_SIDE // 2 | 1)
    parts = cv2.subtract(middle, flat), cv2.subtract(flat, middle)
    darker, lighter = (cv2.norm(part, cv2.NORM_L2SQR) for part in parts)
    return (darker + 1) / (lighter + 1)
