"""Reads frames as the controls say, and remembers what was seen last: for pictures, statistics and whoever asks."""

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
"""Frames a second are counted over the last six marks, one in ten seconds: a minute."""


class LiveReader(Publisher):
    """Stands between loop and reader; as a publisher it learns of which frame an event tells."""

    name = "viewer"

    def __init__(self, reader: Reader, source: Source, controls: Controls) -> None:
        self._reader, self._source, self._controls = reader, source, controls
        self.analyse: Callable[[Frame], Analysis] = reader.analyse
        """The reader's, or what stands in for it to count along."""
        self._started = time.monotonic()
        self._frames = 0
        self._marks = deque([(self._started, 0)], maxlen=MARKS)
        self._newest: tuple[Frame, Analysis] | None = None
        self._model: Model | None = None
        self.change_detector: ChangeDetector | None = None
        """What tells frames that need not be read again, and"""
        self.is_settled: Callable[[Reading], bool] = lambda reading: False
        """whether a reading is what is believed, and nothing else is about to be: else each frame is read."""
        self._came: float | None = None
        self.picture = LastRead()
        """The frame that the last event was about."""

    def read(self, frame: Frame) -> Reading | None:
        """What is read in it; None while paused, unless somebody asked for a reading."""
        controls = self._controls
        self._came = now = time.monotonic()
        asked = controls.reading_requested
        if controls.paused and not asked:
            return None
        vision = controls.vision or self._reader.vision
        if controls.threshold != self._reader.min_confidence or vision is not self._reader.vision:
            self._reader.configure(controls.threshold, vision)
            self._model = None
        analysis = self._again(frame, now, asked) or self._look(frame)
        self._newest = frame, analysis
        self._frames += 1
        if now - self._marks[-1][0] >= MARK_SECONDS:
            self._marks.append((now, self._frames))
        if asked:
            controls.answer_requests(analysis.reading)
        return analysis.reading

    def _look(self, frame: Frame) -> Analysis:
        analysis = self.analyse(frame)
        self._model = self._reader.model
        if self.change_detector:
            self.change_detector.mark_read()
        return analysis

    def _again(self, frame: Frame, seconds: float, asked: bool) -> Analysis | None:
        """What was seen in the frame before, where this one shows the same and that is no news."""
        # What was read by another model, or by other settings, says nothing.
        detector, newest = self.change_detector, self._newest
        if detector is None or not detector.is_unchanged(frame, seconds) or asked or newest is None:
            return None
        analysis = newest[1]
        if self._reader.model is not self._model or not self.is_settled(analysis.reading):
            return None
        elapsed_ms = (time.monotonic() - seconds) * 1000
        return analysis._replace(reading=analysis.reading.repeat_for(frame, elapsed_ms))

    @property
    def newest(self) -> tuple[Frame, Analysis] | None:
        """The frame that was read last, and what was seen in it; any thread may look."""
        return self._newest

    def frame_age(self) -> float | None:
        """Seconds since the newest frame came, read or not; None before the first."""
        return None if self._came is None else time.monotonic() - self._came

    def publish(self, message: Message) -> None:
        """Keep the frame that an event was made of; it is drawn when somebody wants to see it."""
        if isinstance(message, Event) and self._newest:
            frame, analysis = self._newest
            self.picture.show(frame.pixels, analysis)

    def close(self) -> None:
        """Nothing to give back."""

    def stats(self) -> dict[str, Any]:
        """How the program gets on, as ``edge/schema/stats.json`` describes it; any thread may ask."""
        now, throttled = time.monotonic(), raspberry.throttled()
        since, frames = self._marks[0]
        return {
            "uptime_seconds": round(now - self._started, 1),
            "camera": self._source.state,
            "model": self._reader.model.name,
            "frames": self._frames,
            "fps": round((self._frames - frames) / max(now - since, 1e-3), 2),
            "dropped_frames": self._source.dropped,
            "temperature_celsius": raspberry.degrees(),
            "throttled": None if throttled is None else bool(raspberry.decode(throttled)[0]),
        }
