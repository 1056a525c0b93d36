"""Remote commands to the loop, and what a channel may ask of the program. Nothing here blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.types import Reading
from edge.vision.settings import VisionSettings


class Controls:
    """Remote commands, which the loop looks up between frames.

    A network thread writes, the loop reads. Each property only reads one attribute, so it costs a frame no time.
    """

    def __init__(self, min_confidence: float = 0.5) -> None:
        """``min_confidence`` is the value of the setting, 0 to 1."""
        self._lock = threading.Lock()
        self._paused = False
        self._threshold = self._configured = min_confidence
        self._vision: VisionSettings | None = None
        self._requests = 0
        self._answered = 0
        self._answer: Reading | None = None

    @property
    def paused(self) -> bool:
        """True while frames are not to be read."""
        return self._paused

    @property
    def threshold(self) -> float:
        """The ``min_confidence`` in use, 0 to 1: a mark of less confidence is not read."""
        return self._threshold

    @property
    def vision(self) -> VisionSettings | None:
        """The cleaning settings to use; None: those from the start."""
        return self._vision

    @property
    def reading_requested(self) -> bool:
        """True if somebody waits for the next reading, even while paused; ``answer_requests`` answers."""
        return self._requests != self._answered

    def pause(self, on: bool) -> None:
        """Stop reading frames (``on`` true), or read them again."""
        self._paused = on

    def set_threshold(self, value: float | None) -> None:
        """Change ``min_confidence``; None: back to the setting. Raises ValueError if it is not from 0 to 1."""
        if value is None:
            value = self._configured
        if not 0 <= value <= 1:
            raise ValueError(value)
        self._threshold = float(value)

    def set_vision(self, vision: VisionSettings) -> None:
        """Use other cleaning settings from the next frame on."""
        self._vision = vision

    def request_reading(self) -> None:
        """Ask for the next reading."""
        with self._lock:
            self._requests += 1

    def answer_requests(self, reading: Reading) -> None:
        """Answer all requests until now with this reading."""
        with self._lock:
            self._answer, self._answered = reading, self._requests

    def last_answer(self) -> tuple[int, Reading | None]:
        """How many requests were answered, and the last answer."""
        with self._lock:
            return self._answered, self._answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a channel may ask of the program that it publishes for; the channel's thread calls these."""

    device: str
    """The name of this device, unique among those that publish to the same place."""
    controls: Controls = field(default_factory=Controls)
    camera_state: Callable[[], str] = lambda: "running"
    """The source's state: ``edge.sources.base.State``."""
    camera_problem: Callable[[], str] = lambda: ""
    """Why no frames come now, and what to do about it, in one line; empty while they come."""
    stats: Callable[[], Mapping[str, Any]] = dict
    """The statistics of ``edge/schema/stats.json``, without the fields that the channel adds."""
    last_picture: Callable[[], tuple[int, bytes] | None] = lambda: None
    """The picture of the last event: its number, counted from the start, and a JPEG; None if there is none yet."""
    newest_event: Callable[[], str | None] = lambda: None
    """The JSON of the newest stored event, which may be from before the start; None if there is none."""
