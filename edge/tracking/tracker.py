"""The tracker: makes events of readings over time; each change of the text is reported once.

A single frame may be misread, so each digit is averaged over frames (``edge.tracking.digit_tracks``), and a text is
reported only after it has been stable for a while (debounce). While something covers digits
(``edge.tracking.occlusion``) nothing is reported. All durations are seconds of a monotonic clock, never frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import exp

from edge.tracking.digit_tracks import DigitTracks
from edge.tracking.occlusion import Occlusion
from edge.tracking.settings import TrackSettings
from edge.types import Change, Event, Frame, Reading

SURE_CONFIDENCE = 0.9
"""A text must hold twice as long if the average probability of its least sure digit is below this. Chosen."""


@dataclass(slots=True)
class _Sighting:
    """The recent frames that were read as the same text."""

    at: datetime
    """When the first of them was captured."""
    seconds: float
    """The same on the monotonic clock."""
    frame: int
    """The number of that frame, counted by the tracker."""
    last: float
    """When the newest of them came, in seconds of watching."""
    sure: float
    """The sum of their confidences; a frame's is that of its least sure digit."""
    reading: Reading
    """The newest reading among them."""


class Tracker:
    """Decides which text is on the page, and makes an event of each change.

    The same readings at the same times give the same events.
    """

    def __init__(self, tracking: TrackSettings | None = None, text: str = "") -> None:
        """``text`` is the text reported last before a restart: it is not reported again if it is still there."""
        self._settings = tracking or TrackSettings()
        self._tracks = DigitTracks(self._settings.enter, self._settings.hold)
        self._occlusion = Occlusion()
        self._covered = self._bare = 0.0
        # The first frame, or one after a gap, counts as if this time had passed; two such frames that agree are enough.
        self._longest = 2 * max(self._settings.dwell, self._settings.fuse, 0.01)
        self._watched = 0.0
        self._frames = 0
        self._last: float | None = None
        self._sightings: dict[str, _Sighting] = {}
        self._text = text
        self._text_seconds: float | None = None
        self._last_event_seconds: float | None = None
        self._pending: str | None = None
        self._pending_since = self._unsettled_since = 0.0

    @property
    def text(self) -> str:
        """The text that was reported last, lines joined by ``\\n``."""
        return self._text

    def update(self, reading: Reading, seconds: float, frame: Frame | None = None) -> tuple[Event, ...]:
        """Add a reading, seen at ``seconds`` of a monotonic clock; gives its event, or none.

        Occlusion is detected only if the ``frame`` is given.
        """
        passed = self._longest if self._last is None else min(max(seconds - self._last, 0.0), self._longest)
        self._last = seconds
        self._text_seconds = seconds if self._text_seconds is None else self._text_seconds
        if reading.is_repeat and self.is_settled(reading):
            self._watched += passed
            return ()
        if frame is not None and self._is_hidden(reading, seconds, passed, frame):
            self._forget_pending()
            return ()
        self._watched += passed
        self._frames += 1
        weight = 1 - exp(-passed / self._settings.fuse) if self._settings.fuse else 1.0
        self._tracks.update(reading, weight, self._watched)
        self._record(reading, seconds)
        text = self._tracks.text
        if text == self._text:
            if self._pending is not None:
                self._pending = None
                self._tracks.mark_reported()
            return ()
        if self._pending is None:
            self._unsettled_since = self._watched
        if text != self._pending:
            self._pending, self._pending_since = text, self._watched
            return ()
        # An unsure text must hold for longer, and a frame with the old text never confirms a new one.
        # If the text keeps changing, the old one is surely gone: after a while the present one is reported anyway.
        dwell = self._settings.dwell * (1 if self._tracks.confidence >= SURE_CONFIDENCE else 2)
        settled = self._watched - self._pending_since >= dwell and reading.text != self._text
        overdue = self._watched - self._unsettled_since >= self._settings.hold + self._settings.dwell
        resting = (
            self._last_event_seconds is not None and seconds - self._last_event_seconds < self._settings.refractory
        )
        return (self._event(text, reading, seconds),) if (settled or overdue) and not resting else ()

    def is_settled(self, reading: Reading) -> bool:
        """Whether this reading is the reported text, no other text is pending, and nothing covers the page.

        Then a frame that shows the same again changes nothing.
        """
        return self._pending is None and reading.text == self._text and not self._occlusion.is_covering

    def camera_lost(self) -> None:
        """Call this when the camera gives no frame: the reported text stays, and a pending one must be seen again.

        The text is not cleared, however long the camera is away; the first frames after that decide.
        """
        self._forget_pending()
        self._occlusion.reset()

    def _forget_pending(self) -> None:
        self._pending = None
        self._sightings.clear()

    def _is_hidden(self, reading: Reading, seconds: float, passed: float, frame: Frame) -> bool:
        """Whether something covers digits, so that this frame does not count.

        After ``hold`` seconds of that, frames count again, until the page has been uncovered for as long as a change
        takes to be reported.
        """
        boxes = (*(digit.box for digit in reading.digits), *self._tracks.boxes)
        if self._occlusion.update(frame, seconds) and any(map(self._occlusion.is_over, boxes)):
            self._bare = 0.0
            self._covered += passed
            return self._covered <= self._settings.hold
        self._bare += passed
        if self._bare > self._settings.dwell + 2 * self._settings.fuse:
            self._covered = 0.0
        return False

    def _record(self, reading: Reading, seconds: float) -> None:
        """Record this reading under its text; texts that no frame has had for a while are forgotten."""
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
            self._sightings = {known: one for known, one in self._sightings.items() if one.last >= oldest}

    def _event(self, text: str, reading: Reading, seconds: float) -> Event:
        """The event that this text is there now; it becomes the reported text."""
        change: Change = "cleared" if not text else "appeared" if not self._text else "changed"
        sighting = self._sightings.get(text)
        if sighting is None:
            # No single frame was read as this text: it comes from the average over frames.
            at, since, sure = reading.captured_at, seconds, self._tracks.confidence
        else:
            at, since, reading = sighting.at, sighting.seconds, sighting.reading
            sure = sighting.sure / (self._frames - sighting.frame + 1)
        held = 0.0 if self._text_seconds is None else max(0.0, since - self._text_seconds)
        self._tracks.mark_reported()
        event = Event(change, at, text, self._text, held, min(1.0, sure), reading)
        self._text, self._text_seconds, self._last_event_seconds, self._pending = text, since, seconds, None
        return event
