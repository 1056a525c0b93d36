"""Fields of numbers over a picture: smooth or grainy noise, shadows, distances."""

from __future__ import annotations

from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""One number for each pixel, (height, width) float32."""
Shape = tuple[int, int]
"""Height and width, pixels."""

_NORMAL = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)], np.float32)
"""The standard normal distribution as 256 equally likely values."""


def noise(shape: Shape, rng: np.random.Generator) -> Field:
    """Noise of standard deviation 1, different at each pixel: drawn from 256 values, in a tenth of the usual time."""
    return _NORMAL[np.frombuffer(rng.bytes(shape[0] * shape[1]), np.uint8).reshape(shape)]


def grains(shape: Shape, rng: np.random.Generator, size: float, across: float = 1.0) -> Field:
    """Noise of standard deviation about 1 whose grains are ``size`` pixels tall and ``across`` times as wide."""
    coarse = (max(3, round(shape[0] / size) + 1), max(3, round(shape[1] / (size * across)) + 1))
    return cv2.resize(rng.standard_normal(coarse, np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)


def slope(shape: Shape, rng: np.random.Generator) -> Field:
    """From -1 to 1 in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape[::-1])
    across, down = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return ((across * x[None] + down * y[:, None]) / (abs(across) + abs(down))).astype(np.float32)


def area(shape: Shape, corners: NDArray[np.float64], softness: float) -> Field:
    """1 within the polygon, corners (n, 2) in pixels, 0 outside; its edge is about ``softness`` pixels wide."""
    # A soft edge needs no fine grid.
    coarse = max(1.0, min(softness / 3, min(shape) / 8))
    size = (max(2, round(shape[0] / coarse)), max(2, round(shape[1] / coarse)))
    inside = np.zeros(size, np.uint8)
    cv2.fillPoly(inside, [np.round(corners / coarse * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if softness > 1:
        inside = cv2.GaussianBlur(inside, (0, 0), softness / coarse / 2)
    full = inside if size == shape else cv2.resize(inside, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return full.astype(np.float32) * np.float32(1 / 255)
