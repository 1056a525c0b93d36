"""What a simulated camera looks at: a page of handwriting at a distance, in some light, sometimes with a hand on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.handwriting import rendering
from edge.types import Pixels

PAPER, DESK, INK = 0.85, 0.12, 0.08
"""What white paper, a dark desk and ink reflect."""
SMALL = (32, 24)
"""Width and height of the picture by which exposure is measured."""
CONTRAST_WIDTH = 1536
"""Width of the one by which contrast is, of which the middle is looked at."""
SHARPEST = 0.6
"""The blur of a picture in focus, standard deviation in pixels."""
LEAST_CONTRAST = 1e-5
"""Less contrast than this is noise."""


def page(lines: list[str], size: tuple[int, int], *, share: float = 1.0, seed: int = 3) -> NDArray[np.float32]:
    """What a page (height, width) reflects, 0 to 1; it fills ``share`` of the view, on a dark desk. No lines: blank."""
    width, height = size
    side = share**0.5
    inner = int(width * side) // 2 * 2, int(height * side) // 2 * 2
    ink = np.zeros(inner[::-1], np.uint8)
    if lines:
        ink, _ = rendering.page(lines, *inner[::-1], np.random.default_rng(seed))
    sheet = PAPER - (PAPER - INK) * ink.astype(np.float32) / 255
    view = np.full((height, width), DESK, np.float32)
    top, left = (height - sheet.shape[0]) // 2, (width - sheet.shape[1]) // 2
    view[top : top + sheet.shape[0], left : left + sheet.shape[1]] = sheet
    return view


@dataclass
class Scene:
    """A page and its light. Functions get the time in seconds."""

    reflects: NDArray[np.float32]
    """(height, width), 0 to 1: what each place of the view reflects."""
    metres: Callable[[float], float] = lambda _: 0.25
    """How far away it is."""
    lux: Callable[[float], float] = lambda _: 400.0
    """How much light there is."""
    hand: Callable[[float], tuple[float, float] | None] = lambda _: None
    """Where the tip of a hand is, shares of width and height; None: there is none."""
    vignette: float = 0.2
    """By how much the corners are darker."""
    _drawn: dict[tuple[float, ...], NDArray[np.float32]] = field(default_factory=dict)
    _contrasts: dict[tuple[float, ...], float] = field(default_factory=dict)

    def light(self, now: float, size: tuple[int, int], blur: float) -> NDArray[np.float32]:
        """What is seen at a time, (height, width) of ``size``: 1 is white paper's light at 1 lux, blurred by pixels."""
        tip = self.hand(now)
        key = (*size, round(blur, 1), *(tip or ()), id(self.reflects))
        if key not in self._drawn:
            if len(self._drawn) > 40:
                self._drawn.clear()
            self._drawn[key] = self._draw(size, blur, tip)
        return self._drawn[key]

    def _draw(self, size: tuple[int, int], blur: float, tip: tuple[float, float] | None) -> NDArray[np.float32]:
        view = self.reflects
        if view.shape[::-1] != size:
            view = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
        if tip:
            view = _with_hand(view, tip)
        return _blurred(view, blur) * _vignette(size, self.vignette)

    def contrast(self, now: float, blur: float) -> float:
        """How much contrast a contrast detection finds, at a blur in pixels of CONTRAST_WIDTH; 0 if that is noise."""
        tip = self.hand(now)
        key = (round(blur, 2), *(tip or ()), id(self.reflects))
        if key not in self._contrasts:
            height, width = self.reflects.shape
            part = (_with_hand(self.reflects, tip) if tip else self.reflects)[height // 4 : height * 3 // 4]
            size = CONTRAST_WIDTH // 3, CONTRAST_WIDTH * height // width // 2
            middle = cv2.resize(part[:, width // 3 : width * 2 // 3], size, interpolation=cv2.INTER_CUBIC)
            # What the lens and the pixels blur at best is in it, so that the contrast has a rounded peak.
            seen = _blurred(middle, float(np.hypot(SHARPEST, blur)))
            fine = float(np.mean(np.square(cv2.Laplacian(seen, cv2.CV_32F))))
            self._contrasts[key] = fine if fine > LEAST_CONTRAST else 0.0
        return self._contrasts[key]


def _with_hand(view: NDArray[np.float32], tip: tuple[float, float]) -> NDArray[np.float32]:
    height, width = view.shape
    start, end = (int(tip[0] * width), int(tip[1] * height)), (int(1.3 * width), int(1.4 * height))
    return cv2.line(view.copy(), start, end, 0.45, max(3, width // 5))


def _blurred(view: NDArray[np.float32], blur: float) -> NDArray[np.float32]:
    return cv2.GaussianBlur(view, (0, 0), blur, borderType=cv2.BORDER_REPLICATE) if blur > 0.2 else view


@lru_cache(4)
def _vignette(size: tuple[int, int], strength: float) -> NDArray[np.float32]:
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    return (1 - strength * (x * x + y * y) / 2).astype(np.float32)


def noisy(picture: NDArray[np.int16], rng: np.random.Generator, grain: list[NDArray[np.int16]]) -> Pixels:
    """A picture of grey levels with the noise of one exposure."""
    noise = grain[int(rng.integers(len(grain)))]
    shift = int(rng.integers(noise.shape[0]))
    rolled = np.roll(noise, shift, axis=0)[: picture.shape[0], : picture.shape[1]]
    return cv2.add(picture, rolled, dtype=cv2.CV_8U)
