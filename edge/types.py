"""What travels along the line: Frame, Box, Glyph, Digit, Reading, Event, Notice. All frozen, with units."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Grey pixels, (height, width) uint8, 0 = black, 255 = white."""

Reason = Literal["blank", "low_contrast", "blurred", "too_small", "clutter", "uncertain"]
"""Why nothing was read.

``blank``: nothing is written; ``low_contrast``: something faint, not distinct from noise; ``blurred``: ink without an
edge; ``too_small``: marks too small to be a digit; ``clutter``: marks, none of a digit's shape; ``uncertain``:
digit-like marks that the model is not sure about.
"""

SCHEMA = 1
"""Version of the JSON form of a Reading; ``edge/schema/reading.json`` describes it."""


class Box(NamedTuple):
    """Where a digit stands, in pixels of the frame as captured; (x, y) is its top left corner."""

    x: int
    y: int
    width: int
    height: int


def halved(grey: Pixels) -> Pixels:
    """A picture (height, width) of any values at half its size, by the mean of each 2x2 pixels.

    An odd row or column at the right or bottom is left out: whole halves are several times faster than fractions.
    """
    import cv2

    height, width = max(1, grey.shape[0] // 2), max(1, grey.shape[1] // 2)
    return cv2.resize(grey[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)


@dataclass(frozen=True, slots=True)
class Frame:
    """One grey picture and when it was taken."""

    pixels: Pixels
    """(height, width) uint8, 0 = black, 255 = white."""
    source: str
    """Where it came from: a file's name or a source URI."""
    index: int = 0
    """Counts the frames of one source, from 0."""
    captured_at: datetime | None = None
    """UTC; None where the source does not know."""
    truth: str | None = None
    """What is really written there, lines joined by ``\\n``, where the source knows (``synthetic:`` does)."""
    _halves: dict[int, Pixels] = field(default_factory=dict, init=False, compare=False, repr=False)
    """Its pixels halved once, twice and so on, as far as they were needed."""

    def reduced(self, side: int) -> Pixels:
        """Its pixels, halved until the longer side has ``side`` at most. Each half is made once, and kept."""
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
    """One candidate digit as the model sees it."""

    pixels: Pixels
    """(28, 28) uint8, light ink on black, 0 = paper, 255 = ink, like MNIST."""
    box: Box
    """Pixels of the frame as captured."""
    line: int
    """Which line of writing it stands in, from 0, top to bottom."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit that was read."""

    digit: int
    """The class, 0 to 9."""
    confidence: float
    """Probability the model gives it, 0 to 1."""
    line: int
    """Which line of writing, from 0, top to bottom."""
    box: Box
    """Pixels of the frame as captured."""
    probabilities: tuple[float, ...] = field(default=(), compare=False, repr=False)
    """Of the digits 0 to 9, for what is fused over frames; empty where nobody says. No part of the JSON."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one frame: the object that every publisher sends."""

    source: str
    """Where the frame came from: a file's name or a source URI."""
    frame: int
    """The frame's number in its source, from 0."""
    captured_at: datetime
    """UTC."""
    digits: tuple[Digit, ...]
    """In reading order: left to right, then top to bottom."""
    reason: Reason | None
    """None, or why nothing was read."""
    model: str
    """Name and hash of the model that read it."""
    elapsed_ms: float
    """Milliseconds from frame to reading."""
    unread: tuple[Box, ...] = field(default=(), compare=False, repr=False)
    """Marks that may be digits but were not read, pixels of the frame as captured. No part of the JSON."""
    is_repeat: bool = field(default=False, compare=False, repr=False)
    """Whether the frame shows what the one before showed, so that it was not read again. No part of the JSON."""
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

    def repeat_for(self, frame: Frame, elapsed_ms: float) -> Reading:
        """The same of another frame, which shows what this one's did."""
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
            "reason": self.reason,
            "model": self.model,
            "elapsed_ms": round(self.elapsed_ms, 3),
        }


Change = Literal["appeared", "changed", "cleared"]
"""What became of the writing: it is there now, it is another one, it is gone."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is written there now, said once."""

    change: Change
    at: datetime
    """UTC: when the frame was captured in which it was first seen."""
    text: str
    """What is written there now, lines joined by ``\n``; empty when cleared."""
    before: str
    """What was written there before; empty when appeared."""
    held_seconds: float
    """How long what was there before had held."""
    confidence: float
    """How sure that is, 0 to 1: over all frames since it was first seen."""
    reading: Reading
    """The newest that says so."""

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


@dataclass(frozen=True, slots=True)
class Notice:
    """What a part of the program has come to: every publisher sends it when that changes."""

    subject: Subject
    state: str
    """Of the camera its ``edge.sources.base.State``; of a new model ``accepted`` or ``refused``."""
    name: str
    """The source's URI without password, or the model's name and hash."""
    at: datetime
    """UTC."""
    reason: str | None
    """Why it is not well: one line for people; None where it is."""

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
    """A moment as all JSON here has it: RFC 3339, UTC, microseconds, ``2026-11-23T08:00:00.123456Z``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
