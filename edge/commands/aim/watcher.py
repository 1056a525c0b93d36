"""Looks at a source frame by frame, and remembers the sharpest."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path

from edge import images
from edge.reading.aim import Aim, aim_of
from edge.reading.annotate import annotate, with_text
from edge.reading.reader import Analysis, Reader
from edge.sources.base import Source
from edge.types import Frame
from edge.vision.flicker import banding
from edge.vision.statistics import median

PAIRS = 9
"""Bands are the usual ones between this many pairs of frames: the phase of two frames may be the same. Chosen."""


class Watcher:
    """How well a source's frames show the page."""

    def __init__(self, reader: Reader, source: Source) -> None:
        self._reader, self._source = reader, source
        self._last: tuple[Frame, Analysis] | None = None
        self._bands: deque[float] = deque(maxlen=PAIRS)
        self.newest: Aim | None = None
        """The aim by the newest frame; None before the first."""
        self.best_sharpness = 0.0
        """The greatest sharpness so far. Only a camera's frames can be compared, while they have the same size."""

    def see(self, frame: Frame) -> Aim:
        """The aim by one more frame."""
        analysis = self._reader.analyse(frame)
        aim = replace(aim_of(frame, analysis, self._source), bands=self._bands_of(frame))
        if not self._source.live or (self.newest and self.newest.size != aim.size):
            self.best_sharpness = 0.0
        self._last, self.newest = (frame, analysis), aim
        self.best_sharpness = max(self.best_sharpness, aim.view.sharpness)
        return aim

    def _bands_of(self, frame: Frame) -> float | None:
        """The usual strength of bands between the newest frames."""
        if not self._source.live or self._last is None:
            return None
        self._bands.append(banding(self._last[0].pixels, frame.pixels))
        return median(self._bands)

    @property
    def sharpness_share(self) -> float:
        """The newest frame's sharpness as a share of the greatest so far, 0 to 1."""
        return self.newest.view.sharpness / self.best_sharpness if self.newest and self.best_sharpness else 0.0

    def draw(self, path: Path) -> None:
        """Draw the newest frame, what was read in it and the next step into an image file. Raises ImageError."""
        assert self._last and self.newest
        frame, analysis = self._last
        images.save(with_text(annotate(frame.pixels, analysis), self.newest.advice), path)
