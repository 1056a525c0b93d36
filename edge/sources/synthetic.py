"""``synthetic:``: pages of generated handwriting, as a virtual camera sees them, for demonstration and tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import numpy as np

from edge.errors import SettingsError
from edge.handwriting import rendering, virtual_camera
from edge.sources.base import Pace, Source
from edge.types import Frame, Pixels
from edge.uri import Fps, Size, number, whole_number

MIN_CELL = (30, 30)
"""The least width and height of a page for each digit, in pixels; in less, a person could not read the digits."""


class Synthetic(Source):
    """Generated pages of random digits, the same for the same ``seed``; each frame's ``truth`` says what is written.

    A new page comes every ``hold`` frames, and each frame has new noise. A page has ``lines`` lines of ``digits``
    digits each. ``difficulty`` 0 is a clean scan, 1 an ordinary camera, 2 a bad one. It ends after ``frames`` frames
    (0: never). With ``fps`` above 0 it behaves like a camera; 0: frames come as fast as they are read.
    """

    def __init__(
        self,
        what: str = "",
        *,
        size: Size = (640, 480),
        seed: Annotated[int, whole_number(0, 2**32 - 1)] = 1,
        fps: Fps = 0.0,
        hold: Annotated[int, whole_number(1, 1_000_000)] = 1,
        digits: Annotated[int, whole_number(0, 40)] = 6,
        lines: Annotated[int, whole_number(1, 20)] = 1,
        difficulty: Annotated[float, number(0, 2)] = 1.0,
        frames: Annotated[int, whole_number(0, 2**31)] = 0,
    ) -> None:
        if what:
            raise SettingsError(f"synthetic:{what}: takes only options, such as synthetic:?digits=4&seed=7")
        if size[0] < digits * MIN_CELL[0] or size[1] < lines * MIN_CELL[1]:
            need = f"{max(digits, 1) * MIN_CELL[0]}x{lines * MIN_CELL[1]}"
            raise SettingsError(
                f"synthetic: {lines} x {digits} digits do not fit into {size[0]}x{size[1]}; use size={need} or more"
            )
        self.live = fps > 0
        self._size, self._seed, self._hold = size, seed, hold
        self._digits, self._lines, self._difficulty = digits, lines, difficulty
        self._frames = frames
        self._pace = Pace(fps)
        self._index = 0
        self._closed = False
        self._page: tuple[Pixels, str] | None = None

    def __next__(self) -> Frame:
        """The next frame."""
        if self._closed or (self._frames and self._index == self._frames) or not self._pace.wait():
            raise StopIteration
        page, nth = divmod(self._index, self._hold)
        if self._page is None or nth == 0:
            self._page = self._write(page)
        image, truth = self._page
        pixels = virtual_camera.sensor_noise(image, np.random.default_rng([self._seed, page, nth]), self._difficulty)
        frame = Frame(pixels, "synthetic:", self._index, datetime.now(UTC), truth)
        self._index += 1
        return frame

    def _write(self, page: int) -> tuple[Pixels, str]:
        """One page without sensor noise, and what is written there."""
        rng = np.random.default_rng([self._seed, page])
        written = ["".join(map(str, rng.integers(0, 10, self._digits))) for _ in range(self._lines)]
        ink, _ = rendering.page(written, self._size[1], self._size[0], rng)
        return virtual_camera.lens_image(ink, rng, self._difficulty), "\n".join(filter(None, written))

    def stop(self) -> None:
        """End the iteration, also a wait for the next frame."""
        self._pace.stop()

    def close(self) -> None:
        """End the iteration. Nothing is open."""
        self._closed = True
