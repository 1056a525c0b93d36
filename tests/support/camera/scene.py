"""What a simulated camera looks at: a page of handwriting at a distance, in some light, sometimes with a hand on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.handwriting import rendering
from edge.types import Pixels

PAPER, DESK, INK = 0.85, 0.12, 0.08
"""What white paper, a dark desk and ink reflect."""
SMALL = (32, 24)
"""Width and height of the picture by which exposure is measured."""


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

    def light(self, now: float, size: tuple[int, int], blur: float) -> NDArray[np.float32]:
        """What is seen at a time, (height, width) of ``size``: 1 is white paper's light at 1 lux, blurred by pixels."""
        tip = self.hand(now)
        key = (*size, round(blur, 1), *(tip or ()), id(self.reflects))
        if key not in self._drawn:
            if len(self._drawn) > 12:
                self._drawn.clear()
            self._drawn[key] = self._draw(size, blur, tip)
        return self._drawn[key]

    def _draw(self, size: tuple[int, int], blur: float, tip: tuple[float, float] | None) -> NDArray[np.float32]:
        view = self.reflects
        if view.shape[::-1] != size:
            view = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
        if tip:
            view = view.copy()
            width, height = size
            start, end = (int(tip[0] * width), int(tip[1] * height)), (int(1.3 * width), int(1.4 * height))
            cv2.line(view, start, end, 0.45, max(3, width // 5))
        if blur > 0.2:
            view = cv2.GaussianBlur(view, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
        y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
        return (view * (1 - self.vignette * (x * x + y * y) / 2)).astype(np.float32)

    def contrast(self, now: float, defocus_blur: float) -> float:
        """How much contrast a contrast detection finds, at a blur in pixels of a picture 480 wide."""
        small = self.light(now, (480, 360), defocus_blur)
        across, down = (cv2.Sobel(small, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
        steep = float(np.mean(np.square(across) + np.square(down)))
        # Less than that is noise.
        return steep if steep > 1e-4 else 0.0


def noisy(picture: NDArray[np.float32], rng: np.random.Generator, grain: list[NDArray[np.int16]]) -> Pixels:
    """A picture of grey levels with the noise of one exposure."""
    noise = grain[int(rng.integers(len(grain)))]
    shift = int(rng.integers(noise.shape[0]))
    rolled = np.roll(noise, shift, axis=0)[: picture.shape[0], : picture.shape[1]]
    return cv2.add(picture.astype(np.int16), rolled, dtype=cv2.CV_16S).clip(0, 255).astype(np.uint8)
