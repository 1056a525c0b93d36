"""The data types of the pipeline: Frame, Box, Glyph, Digit, Unread, Reading, Event, Notice. All are frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, NewType

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Grey pixels, (height, width) uint8, 0 = black, 255 = white."""

Reason = Literal["blank", "low_contrast", "blurred", "too_small", "clutter", "uncertain"]
"""Why nothing was read.

``blank``: nothing is written. ``low_contrast``: something is there, but too faint to tell from noise. ``blurred``: ink
without a sharp edge. ``too_small``: all marks are too small to be a digit. ``clutter``: many marks, and none is
believed to be a digit. ``uncertain``: the same of a few marks.
"""

PlainUnreadReason = Literal[
    "no digit", "part of a word", "struck out", "cut off by the border", "too small", "too faint"
]
"""Why a mark was not read, for people. One more reason names two digits: see ``unsure_between``."""

UnsureBetween = NewType("UnsureBetween", str)
"""A reason that names two digits, such as ``unsure between 4 and 9``; ``unsure_between`` makes it."""

UnreadReason = PlainUnreadReason | UnsureBetween
"""Why a mark was not read."""

UNREAD_SENT = 100
"""Most unread marks in the JSON of a reading. Chosen: a page of text has hundreds, and 100 take about 10 kB."""

SCHEMA = 1
"""Version of the JSON form of readings, events and notices, as described in ``edge/schema/``."""


class Box(NamedTuple):
    """Where a digit or mark is, in pixels of the captured frame; (x, y) is the top left corner."""

    x: int
    y: int
    width: int
    height: int


def halved(grey: Pixels) -> Pixels:
    """A picture (height, width) of any values at half its size: each pixel is the mean of 2x2 pixels.

    An odd row at the bottom or column at the right is left out: halving exactly is several times faster.
    """
    import cv2

    height, width = max(1, grey.shape[0] // 2), max(1, grey.shape[1] // 2)
    return cv2.resize(grey[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)


@dataclass(frozen=True, slots=True)
class Frame:
    """One grey picture and when it was captured."""

    pixels: Pixels
    """(height, width) uint8, 0 = black, 255 = white."""
    source: str
    """Where it came from: a file's name or a source URI."""
    index: int = 0
    """Counts the frames of one source, from 0."""
    captured_at: datetime | None = None
    """When it was captured, UTC; None if the source does not know."""
    truth: str | None = None
    """What is really written there, lines joined by ``\\n``; None if the source does not know (``synthetic:`` does)."""
    _halves: dict[int, Pixels] = field(default_factory=dict, init=False, compare=False, repr=False)
    """A cache for ``reduced``: how often the pixels were halved -> the result."""

    def reduced(self, side: int) -> Pixels:
        """The pixels, halved until the longer side is at most ``side``. Each size is computed once and cached."""
        picture, times = self.pixels, 0
        while max(picture.shape) > side:
            times += 1
            half = self._halves.get(times)
            if half is None:
                half = self._halves[times] = halved(picture)
            picture = half
        return picture


@dataclass(frozen=True, slots=True)
class Glyph:
    """One candidate digit as the model gets it."""

    pixels: Pixels
    """(28, 28) uint8, light ink on black, 0 = paper, 255 = ink, like MNIST."""
    box: Box
    """Where it is, in pixels of the captured frame."""
    line: int
    """The number of its line of writing, from 0, top to bottom."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit that was read."""

    digit: int
    """The class, 0 to 9."""
    confidence: float
    """The belief that it is this digit, 0 to 1."""
    line: int
    """The number of its line of writing, from 0, top to bottom."""
    box: Box
    """Where it is, in pixels of the captured frame."""
    probabilities: tuple[float, ...] = field(default=(), compare=False, repr=False)
    """The probabilities of the digits 0 to 9, which the tracker averages over frames; empty if they are not known. Not
    in the JSON."""


def unsure_between(one: int, other: int) -> UnsureBetween:
    """The reason of a mark that may be either of two digits, 0 to 9, whichever is given first."""
    return UnsureBetween(f"unsure between {min(one, other)} and {max(one, other)}")


@dataclass(frozen=True, slots=True)
class Unread:
    """One mark that was not read."""

    box: Box
    """Where it is, in pixels of the captured frame."""
    reason: UnreadReason
    """Why it was not read."""
    digit: int | None
    """The likeliest digit, 0 to 9; None where no digit is likely."""
    confidence: float
    """The belief that it is that digit, 0 to 1; 0 where no digit is likely."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one frame: the object that every publisher sends."""

    source: str
    """Where the frame came from: a file's name or a source URI."""
    frame: int
    """The frame's number in its source, from 0."""
    captured_at: datetime
    """When the frame was captured, UTC."""
    digits: tuple[Digit, ...]
    """In reading order: left to right, then top to bottom."""
    reason: Reason | None
    """None, or why nothing was read."""
    model: str
    """Name and hash of the model that read it."""
    elapsed_ms: float
    """Milliseconds from frame to reading."""
    unread: tuple[Unread, ...] = field(default=(), compare=False, repr=False)
    """All marks that were not read, in reading order. The JSON has only ``likeliest_unread``."""
    is_repeat: bool = field(default=False, compare=False, repr=False)
    """True if the frame shows the same as the one before, so that it was not read again. Not in the JSON."""
    lines: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """The digits of each line of writing, top to bottom."""
    text: str = field(init=False, compare=False, repr=False)
    """All lines, joined by ``\\n``; empty when nothing was read."""

    def __post_init__(self) -> None:
        rows: dict[int, str] = {}
        for digit in self.digits:
            rows[digit.line] = rows.get(digit.line, "") + str(digit.digit)
        lines = tuple(rows[line] for line in sorted(rows))
        object.__setattr__(self, "lines", lines)
        object.__setattr__(self, "text", "\n".join(lines))

    @property
    def likeliest_unread(self) -> list[Unread]:
        """The UNREAD_SENT unread marks that are likeliest to be digits, the likeliest first."""
        return sorted(self.unread, key=lambda one: -one.confidence)[:UNREAD_SENT]

    def repeat_for(self, frame: Frame, elapsed_ms: float) -> Reading:
        """This reading for another frame, which shows the same as the one that was read."""
        at = frame.captured_at or datetime.now(UTC)
        return replace(self, frame=frame.index, captured_at=at, elapsed_ms=elapsed_ms, is_repeat=True)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, as ``edge/schema/reading.json`` describes it."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "frame": self.frame,
            "captured_at": timestamp(self.captured_at),
            "text": self.text,
            "lines": list(self.lines),
            "digits": [
                {"digit": d.digit, "confidence": round(d.confidence, 4), "line": d.line, "box": list(d.box)}
                for d in self.digits
            ],
            "unread": [
                {"box": list(one.box), "reason": one.reason, "digit": one.digit, "confidence": round(one.confidence, 4)}
                for one in self.likeliest_unread
            ],
            "reason": self.reason,
            "model": self.model,
            "elapsed_ms": round(self.elapsed_ms, 3),
        }


Change = Literal["appeared", "changed", "cleared"]
"""How the writing changed. ``appeared``: there was none before. ``changed``: it is different. ``cleared``: it is
gone."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of what is written, reported once."""

    change: Change
    at: datetime
    """When the first frame with the new text was captured, UTC."""
    text: str
    """What is written now, lines joined by ``\\n``; empty when cleared."""
    before: str
    """What was written before; empty when appeared."""
    held_seconds: float
    """How many seconds the text before had been there."""
    confidence: float
    """How sure the new text is, 0 to 1, over all frames since it was first seen."""
    reading: Reading
    """The newest reading with the new text."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, as ``edge/schema/event.json`` describes it."""
        return {
            "schema": SCHEMA,
            "event": self.change,
            "at": timestamp(self.at),
            "source": self.reading.source,
            "text": self.text,
            "before": self.before,
            "held_seconds": round(self.held_seconds, 3),
            "confidence": round(self.confidence, 4),
            "reading": self.reading.as_dict(),
        }


Subject = Literal["camera", "model"]
"""What a notice is about."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A change of the program's own state, camera or model. Every publisher sends it."""

    subject: Subject
    state: str
    """For the camera its ``edge.sources.base.State``; for a new model ``accepted`` or ``refused``."""
    name: str
    """The source's URI without password, or the model's name and hash."""
    at: datetime
    """When it happened, UTC."""
    reason: str | None
    """What is wrong, one line for people; None if nothing is."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, as ``edge/schema/notice.json`` describes it."""
        return {
            "schema": SCHEMA,
            "notice": self.subject,
            "state": self.state,
            "name": self.name,
            "at": timestamp(self.at),
            "reason": self.reason,
        }


Message = Reading | Event | Notice
"""What a publisher sends."""


def timestamp(moment: datetime) -> str:
    """A time as text, as in all JSON here: RFC 3339, UTC, microseconds, ``2026-11-23T08:00:00.123456Z``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
