"""Reader, change detector and tracker together as in ``edge run``, with a clock of the caller's."""

from __future__ import annotations

import time

from edge.reading.reader import Reader
from edge.tracking.change_detector import ChangeDetector
from edge.tracking.settings import TrackSettings
from edge.tracking.tracker import Tracker
from edge.types import Event, Frame, Reading


class Line:
    """Sees frame after frame. The same frames at the same times give the same answers."""

    def __init__(self, reader: Reader, tracking: TrackSettings | None = None) -> None:
        self.reader, self.tracker, self.change_detector = reader, Tracker(tracking), ChangeDetector(tracking)
        self.tracked = 0.0
        """Seconds that the tracker took for the newest frame."""
        self._reading: Reading | None = None

    def see(self, frame: Frame, seconds: float) -> tuple[Reading, tuple[Event, ...]]:
        """What is read in a frame that comes at ``seconds``, and what has become of the writing."""
        same = self.change_detector.is_unchanged(frame, seconds)
        if same and self._reading and self.tracker.is_settled(self._reading):
            self._reading = self._reading.repeat_for(frame, 0.0)
        else:
            self._reading = self.reader.read(frame)
            self.change_detector.mark_read()
        started = time.perf_counter()
        events = self.tracker.update(self._reading, seconds, frame)
        self.tracked = time.perf_counter() - started
        return self._reading, events
