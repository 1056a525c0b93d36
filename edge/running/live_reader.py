"""Reads frames as the remote commands say, and keeps the newest reading for the live page, pictures and statistics."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from edge.controls import Controls
from edge.model.classifier import Model
from edge.publishers.base import Publisher
from edge.reading.annotate import LastRead
from edge.reading.reader import Analysis, Reader
from edge.sources.base import Source
from edge.system import raspberry
from edge.tracking.change_detector import ChangeDetector
from edge.types import Event, Frame, Message, Reading

MARK_SECONDS, MARKS = 10.0, 6
"""Frames per second are averaged over the last MARKS marks, one every MARK_SECONDS: about a minute. Chosen."""


class LiveReader(Publisher):
    """Reads frames for the loop. It is a publisher too, so that it knows which frame an event comes from."""

    name = "live reader"

    def __init__(self, reader: Reader, source: Source, controls: Controls) -> None:
        self._reader, self._source, self._controls = reader, source, controls
        self.analyse: Callable[[Frame], Analysis] = reader.analyse
        """The function that reads a frame: the reader's, or one around it that also measures (see ``Metrics``)."""
        self._started = time.monotonic()
        self._frames = 0
        self._marks = deque([(self._started, 0)], maxlen=MARKS)
        self._newest: tuple[Frame, Analysis] | None = None
        self._model: Model | None = None
        self.change_detector: ChangeDetector | None = None
        """Finds frames that show the same as the one before, which are not read again; None: each frame is read."""
        self.is_settled: Callable[[Reading], bool] = lambda reading: False
        """Tells whether a reading is the text that the tracker has reported, with no other one pending. Only then an
        unchanged frame is not read again."""
        self._frame_seconds: float | None = None
        self.picture = LastRead()
        """The frame of the last event, drawn as a JPEG when somebody asks for it."""

    def read(self, frame: Frame) -> Reading | None:
        """The reading of a frame; None while paused, unless somebody asked for a reading."""
        controls = self._controls
        self._frame_seconds = now = time.monotonic()
        requested = controls.reading_requested
        if controls.paused and not requested:
            return None
        vision = controls.vision or self._reader.vision
        if controls.threshold != self._reader.min_confidence or vision is not self._reader.vision:
            self._reader.configure(controls.threshold, vision)
            self._model = None
        analysis = self._repeat(frame, now, requested) or self._analyse(frame)
        self._newest = frame, analysis
        self._frames += 1
        if now - self._marks[-1][0] >= MARK_SECONDS:
            self._marks.append((now, self._frames))
        if requested:
            controls.answer_requests(analysis.reading)
        return analysis.reading

    def _analyse(self, frame: Frame) -> Analysis:
        analysis = self.analyse(frame)
        self._model = self._reader.model
        if self.change_detector:
            self.change_detector.mark_read()
        return analysis

    def _repeat(self, frame: Frame, seconds: float, requested: bool) -> Analysis | None:
        """The analysis of the frame before, if this frame shows the same and need not be read; otherwise None."""
        detector, newest = self.change_detector, self._newest
        if detector is None or not detector.is_unchanged(frame, seconds) or requested or newest is None:
            return None
        analysis = newest[1]
        # After a change of the model or the settings, the frame is read again.
        if self._reader.model is not self._model or not self.is_settled(analysis.reading):
            return None
        elapsed_ms = (time.monotonic() - seconds) * 1000
        return analysis._replace(reading=analysis.reading.repeat_for(frame, elapsed_ms))

    @property
    def newest(self) -> tuple[Frame, Analysis] | None:
        """The frame that was read last, and its analysis; any thread may ask."""
        return self._newest

    def frame_age(self) -> float | None:
        """Seconds since the newest frame came, read or not, or since the source waited for one as it should.

        None before the first.
        """
        seen = [seconds for seconds in (self._frame_seconds, self._source.waited_at) if seconds is not None]
        return time.monotonic() - max(seen) if seen else None

    def publish(self, message: Message) -> None:
        """Keep the frame of an event; it is drawn only when somebody asks for the picture."""
        if isinstance(message, Event) and self._newest:
            frame, analysis = self._newest
            self.picture.show(frame.pixels, analysis)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def stats(self) -> dict[str, Any]:
        """The statistics of ``edge/schema/stats.json``; any thread may ask."""
        now, throttled = time.monotonic(), raspberry.throttled_bits()
        since, frames = self._marks[0]
        return {
            "uptime_seconds": round(now - self._started, 1),
            "camera": self._source.state,
            "model": self._reader.model.name,
            "frames": self._frames,
            "fps": round((self._frames - frames) / max(now - since, 1e-3), 2),
            "dropped_frames": self._source.dropped,
            "temperature_celsius": raspberry.temperature_celsius(),
            "throttled": None if throttled is None else bool(raspberry.decode_throttled(throttled)[0]),
        }
