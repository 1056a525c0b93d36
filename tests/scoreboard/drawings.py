"""Draw letters and outlines of things that are not digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from tests.scoreboard.layout import rotate

Outline = tuple[Sequence[tuple[float, float]], bool, bool]
"""Points between -1 and 1, x to the right and y downwards; whether it is closed; whether it is filled."""
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
"""The fonts of OpenCV in which letters are drawn."""


def draw(
    ink: Pixels, points: NDArray[np.floating[Any]], pen: float, *, closed: bool = False, filled: bool = False
) -> None:
    """Draw a polyline (n, 2), pixels, into the ink."""
    fixed = np.round(points * 16).astype(np.int32)
    if filled:
        cv2.fillPoly(ink, [fixed], 255, cv2.LINE_AA, 4)
    cv2.polylines(ink, [fixed], closed, 255, max(1, round(pen)), cv2.LINE_AA, 4)


def smooth_corners(
    points: NDArray[np.floating[Any]], times: int = 3, *, closed: bool = False
) -> NDArray[np.floating[Any]]:
    """A polyline with its corners cut ``times`` times: Chaikin, Computer Graphics and Image Processing 3 (1974)."""
    for _ in range(times):
        after = np.roll(points, -1, axis=0) if closed else points[1:]
        before = points if closed else points[:-1]
        points = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1).reshape(-1, 2)
    return points


def points_around(rng: np.random.Generator, corners: int, rough: float) -> NDArray[np.float64]:
    """Points around (0, 0) at a distance of 1, plus or minus up to ``rough``."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 2 * np.pi)
    away = 1 + rng.uniform(-rough, rough, corners)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * away[:, None]


def warp(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Ink slanted and rotated a little, as handwriting is."""
    height, width = ink.shape
    slant = rng.uniform(-0.25, 0.25)
    ink = cv2.warpAffine(ink, np.array([[1, slant, abs(slant) * height], [0, 1, 0]]), (int(width + height), height))
    return rotate(ink, float(rng.uniform(-8, 8)))


def draw_text(text: str, rng: np.random.Generator, height: float) -> Pixels:
    """The ink of a text about ``height`` pixels tall, in one of FONTS."""
    font, pen = FONTS[int(rng.integers(len(FONTS)))], max(1, round(rng.uniform(0.05, 0.12) * height))
    scale = cv2.getFontScaleFromHeight(font, max(6, round(height)), pen)
    (width, tall), below = cv2.getTextSize(text, font, scale, pen)
    ink = np.zeros((tall + below + 4 * pen, width + 4 * pen), np.uint8)
    cv2.putText(ink, text, (2 * pen, tall + 2 * pen), font, scale, 255, pen, cv2.LINE_AA)
    return warp(ink, rng)


def ring(x: float, y: float, radius: float, tall: float = 1.0) -> list[tuple[float, float]]:
    """Points around (x, y), in order; ``tall`` is the ring's height against its width."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False).tolist()
    return [(x + radius * np.cos(a), y + radius * tall * np.sin(a)) for a in angles]


THINGS: tuple[tuple[Outline, ...], ...] = (
    # A face.
    ((ring(0, 0, 1), True, False), (ring(-0.35, -0.3, 0.12), True, True), (ring(0.35, -0.3, 0.12), True, True),
     ([(-0.5, 0.35), (-0.2, 0.58), (0.2, 0.58), (0.5, 0.35)], False, False)),
    # A house.
    (([(-0.8, 0), (0.8, 0), (0.8, 1), (-0.8, 1)], True, False), ([(-1, 0), (0, -1), (1, 0)], True, False),
     ([(-0.2, 1), (-0.2, 0.45), (0.2, 0.45), (0.2, 1)], False, False), (ring(0.5, 0.35, 0.16), True, False)),
    # A mug.
    (([(-0.7, -0.8), (0.5, -0.8), (0.45, 0.9), (-0.65, 0.9)], True, True),
     ([(0.5, -0.5), (1, -0.4), (1, 0.3), (0.5, 0.5)], False, False)),
    # A tree.
    (([(0, -1), (0.7, 0), (0.3, 0), (0.9, 0.6), (-0.9, 0.6), (-0.3, 0), (-0.7, 0)], True, True),
     ([(-0.12, 0.6), (-0.12, 1), (0.12, 1), (0.12, 0.6)], True, False)),
    # A fish.
    ((ring(-0.2, 0, 0.7, 0.55), True, False), ([(0.45, 0), (1, -0.45), (1, 0.45)], True, False),
     (ring(-0.6, -0.1, 0.07), True, True)),
    # A cube.
    (([(-1, -0.4), (0.4, -0.4), (0.4, 1), (-1, 1)], True, False),
     ([(-1, -0.4), (-0.4, -1), (1, -1), (1, 0.4), (0.4, 1)], False, False), ([(0.4, -0.4), (1, -1)], False, False)),
    # A pair of spectacles.
    ((ring(-0.55, 0, 0.4), True, False), (ring(0.55, 0, 0.4), True, False), ([(-0.15, 0), (0.15, 0)], False, False),
     ([(-0.95, 0), (-1, -0.5)], False, False), ([(0.95, 0), (1, -0.5)], False, False)),
    # A car.
    (([(-1, 0.3), (-1, -0.1), (-0.5, -0.15), (-0.3, -0.55), (0.4, -0.55), (0.65, -0.1), (1, 0), (1, 0.3)], True, True),
     (ring(-0.5, 0.35, 0.22), True, True), (ring(0.55, 0.35, 0.22), True, True)),
)  # fmt: skip
"""Things that are not digits, each drawn with some outlines."""
