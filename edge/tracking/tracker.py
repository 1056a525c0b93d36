"""Readings over time -> events: what is written there now, said once.

A single frame may be misread, so each digit is fused over frames (``edge.tracking.digit_tracks``), and a text is
reported only after it has been stable for a while. While something covers digits (``edge.tracking.occlusion``) nothing
is reported. All durations are seconds of a monotonic clock, never numbers of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import exp

from edge.tracking.digit_tracks import DigitTracks
from edge.tracking.occlusion import Occlusion
from edge.tracking.settings import TrackSettings
from edge.types import Change, Event, Frame, Reading

SURE = 0.9
"""A text whose least sure digit is less probable than this, over the frames, has to hold for twice as long."""


@dataclass(slots=True)
class _Sighting:
    """The frames that say one text."""

    at: datetime
    """When the first of them was captured."""
    seconds: float
    """The same by the clock that never jumps."""
    frame: int
    """Which frame it was, counted by the tracker."""
    last: float
    """When the newest was, seconds."""
    sure: float
    """The sum of their confidences, each that of its least sure digit."""
    reading: Reading
    """The newest."""


class Tracker:
    """Believes one text at a time. The same readings at the same times give the same events."""

    def __init__(self, tracking: TrackSettings | None = None, said: str = "") -> None:
        """``said`` is what was believed before a restart: where it still stands there, that is no event."""
        self._set = tracking or TrackSettings()
        self._page = DigitTracks(self._set.enter, self._set.hold)
        self._cover = Occlusion()
        self._covered = self._bare = 0.0
        # A first frame, or one after a gap, counts as much as this time; two of them that agree are always enough.
        self._longest = 2 * max(self._set.dwell, self._set.fuse, 0.01)
        self._watched = 0.0
        self._frames = 0
        self._last: float | None = None
        self._sightings: dict[str, _Sighting] = {}
        self._said = said
        self._said_seconds: float | None = None
        self._spoke: float | None = None
        self._pending: str | None = None
        self._pending_since = self._unsaid_since = 0.0

    @property
    def text(self) -> str:
        """What is believed to be written there, lines joined by ``\\n``."""
        return self._said

    def update(self, reading: Reading, seconds: float, frame: Frame | None = None) -> tuple[Event, ...]:
        """What one more frame, seen at ``seconds`` of a clock that never jumps, makes known: an event or none.

        Without the ``frame`` nobody looks for hands.
        """
        passed = self._longest if self._last is None else min(max(seconds - self._last, 0.0), self._longest)
        self._last = seconds
        self._said_seconds = seconds if self._said_seconds is None else self._said_seconds
        if reading.is_repeat and self.is_settled(reading):
            self._watched += passed
            return ()
        if frame is not None and self._hidden(reading, seconds, passed, frame):
            self._wait()
            return ()
        self._watched += passed
        self._frames += 1
        weight = 1 - exp(-passed / self._set.fuse) if self._set.fuse else 1.0
        self._page.update(reading, weight, self._watched)
        self._note(reading, seconds)
        text = self._page.text
        if text == self._said:
            if self._pending is not None:
                self._pending = None
                self._page.say()
            return ()
        if self._pending is None:
            self._unsaid_since = self._watched
        if text != self._pending:
            self._pending, self._pending_since = text, self._watched
            return ()
        # A text that never settles is not what was said, either: that is not believed for ever.
        # What is not sure has to hold for longer, and a frame that shows the old text again speaks for itself.
        dwell = self._set.dwell * (1 if self._page.confidence >= SURE else 2)
        settled = self._watched - self._pending_since >= dwell and reading.text != self._said
        overdue = self._watched - self._unsaid_since >= self._set.hold + self._set.dwell
        resting = self._spoke is not None and seconds - self._spoke < self._set.refractory
        return (self._say(text, reading, seconds),) if (settled or overdue) and not resting else ()

    def is_settled(self, reading: Reading) -> bool:
        """Whether this is what is believed anyway, nothing else is about to be, and nothing lies on the page.

        Then a frame that shows the same again tells nothing new.
        """
        return self._pending is None and reading.text == self._said and not self._cover.is_covering

    def camera_lost(self) -> None:
        """The camera gives nothing: what was believed stays, and what was about to be has to be seen again.

        A page is not cleared by a camera that is away, for however long; the first frames after it decide.
        """
        self._wait()
        self._cover.reset()

    def _wait(self) -> None:
        self._pending = None
        self._sightings.clear()

    def _hidden(self, reading: Reading, seconds: float, passed: float, frame: Frame) -> bool:
        """Whether something covers digits, so that this frame does not count.

        Where that goes on for ``hold`` seconds frames count again, until the page has been seen for as long as a
        change takes.
        """
        boxes = (*(digit.box for digit in reading.digits), *self._page.boxes)
        if self._cover.update(frame, seconds) and any(map(self._cover.is_over, boxes)):
            self._bare = 0.0
            self._covered += passed
            return self._covered <= self._set.hold
        self._bare += passed
        if self._bare > self._set.dwell + 2 * self._set.fuse:
            self._covered = 0.0
        return False

    def _note(self, reading: Reading, seconds: float) -> None:
        """Remember which frames said what; what nobody has said for a while is forgotten."""
        text = reading.text
        sure = min((digit.confidence for digit in reading.digits), default=0.5 if reading.unread else 1.0)
        sighting = self._sightings.get(text)
        if sighting is None:
            self._sightings[text] = _Sighting(reading.captured_at, seconds, self._frames, self._watched, sure, reading)
        else:
            sighting.last, sighting.reading = self._watched, reading
            sighting.sure += sure
        if len(self._sightings) > 1:
            oldest = self._watched - self._longest
            self._sightings = {said: one for said, one in self._sightings.items() if one.last >= oldest}

    def _say(self, text: str, reading: Reading, seconds: float) -> Event:
        """The event that this text is written there now."""
        change: Change = "cleared" if not text else "appeared" if not self._said else "changed"
        sighting = self._sightings.get(text)
        if sighting is None:
            # No frame has all of it: it is what they say together.
            at, since, sure = reading.captured_at, seconds, self._page.confidence
        else:
            at, since, reading = sighting.at, sighting.seconds, sighting.reading
            sure = sighting.sure / (self._frames - sighting.frame + 1)
        held = 0.0 if self._said_seconds is None else max(0.0, since - self._said_seconds)
        self._page.say()
        event = Event(change, at, text, self._said, held, min(1.0, sure), reading)
        self._said, self._said_seconds, self._spoke, self._pending = text, since, seconds, None
        return event
