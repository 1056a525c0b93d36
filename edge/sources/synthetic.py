"""``synthetic:``: pages of handwriting that nobody wrote, seen by a camera that is not there. For trying and
testing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import numpy as np

from edge.errors import SettingsError
from edge.handwriting import rendering, virtual_camera
from edge.sources.base import Pace, Source
from edge.types import Frame, Pixels
from edge.uri import Fps, Size, number, whole

ROOM = (30, 30)
"""Width and height that a digit is given at least, pixels: less and a person could not read it."""


class Synthetic(Source):
    """Drawn pages of random digits, the same for the same ``seed``; a frame's ``truth`` says which they are.

    A new page comes every ``hold`` frames, with fresh noise in each; it has ``lines`` of ``digits`` each.
    ``difficulty`` 0 is a clean scan, 1 an ordinary camera, 2 a bad one. It ends after ``frames`` (0 = never).
    With ``fps`` above 0 it behaves as a camera does; 0 = as fast as they are asked for.
    """

    def __init__(
        self,
        what: str = "",
        *,
        size: Size = (640, 480),
        seed: Annotated[int, whole(0, 2**32 - 1)] = 1,
        fps: Fps = 0.0,
        hold: Annotated[int, whole(1, 1_000_000)] = 1,
        digits: Annotated[int, whole(0, 40)] = 6,
        lines: Annotated[int, whole(1, 20)] = 1,
        difficulty: Annotated[float, number(0, 2)] = 1.0,
        frames: Annotated[int, whole(0, 2**31)] = 0,
    ) -> None:
        if what:
            raise SettingsError(f"synthetic:{what}: it has options only, as in synthetic:?digits=4&seed=7")
        if size[0] < digits * ROOM[0] or size[1] < lines * ROOM[1]:
            need = f"{max(digits, 1) * ROOM[0]}x{lines * ROOM[1]}"
            raise SettingsError(
                f"synthetic: {lines} x {digits} digits have no room in {size[0]}x{size[1]}; take size={need} or more"
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
        still, truth = self._page
        pixels = virtual_camera.sensor_noise(still, np.random.default_rng([self._seed, page, nth]), self._difficulty)
        frame = Frame(pixels, "synthetic:", self._index, datetime.now(UTC), truth)
        self._index += 1
        return frame

    def _write(self, page: int) -> tuple[Pixels, str]:
        """One page without the sensor's noise, and what is written there."""
        rng = np.random.default_rng([self._seed, page])
        written = ["".join(map(str, rng.integers(0, 10, self._digits))) for _ in range(self._lines)]
        ink, _ = rendering.page(written, self._size[1], self._size[0], rng)
        return virtual_camera.lens_image(ink, rng, self._difficulty), "\n".join(filter(None, written))

    def stop(self) -> None:
        """End the wait for the next frame, and the frames."""
        self._pace.stop()

    def close(self) -> None:
        """Nothing is held open: after this there is no further frame."""
        self._closed = True
