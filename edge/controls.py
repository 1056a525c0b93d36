"""What a remote hand may ask of the loop, and what a channel may ask of the program: all without waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.types import Reading
from edge.vision.settings import VisionSettings


class Controls:
    """Commands that came over a network, left here for the loop to find between frames.

    A thread of the network's writes, the loop reads; each property is one look at one attribute, so that a frame pays
    nothing for it.
    """

    def __init__(self, min_confidence: float = 0.6) -> None:
        """``min_confidence`` is that of the settings: 0 to 1."""
        self._lock = threading.Lock()
        self._paused = False
        self._threshold = self._configured = min_confidence
        self._vision: VisionSettings | None = None
        self._asked = 0
        self._answered = 0
        self._answer: Reading | None = None

    @property
    def paused(self) -> bool:
        """Whether frames shall be let go unread."""
        return self._paused

    @property
    def threshold(self) -> float:
        """A mark whose best digit is less probable than this is not read: ``min_confidence``, 0 to 1."""
        return self._threshold

    @property
    def vision(self) -> VisionSettings | None:
        """How frames shall be cleaned from now on; None: as from the beginning."""
        return self._vision

    @property
    def reading_requested(self) -> bool:
        """Whether the next reading is waited for, also while paused: then ``answer`` it."""
        return self._asked != self._answered

    def pause(self, on: bool) -> None:
        """Let frames go unread, or read them again."""
        self._paused = on

    def set_threshold(self, value: float | None) -> None:
        """Read with another ``min_confidence``, None: that of the settings; ValueError where it is not from 0 to 1."""
        if value is None:
            value = self._configured
        if not 0 <= value <= 1:
            raise ValueError(value)
        self._threshold = float(value)

    def set_vision(self, vision: VisionSettings) -> None:
        """Clean frames by another vision."""
        self._vision = vision

    def request_reading(self) -> None:
        """Ask for the next reading."""
        with self._lock:
            self._asked += 1

    def answer_requests(self, reading: Reading) -> None:
        """The reading that was asked for; one answers all who asked until now."""
        with self._lock:
            self._answer, self._answered = reading, self._asked

    def last_answer(self) -> tuple[int, Reading | None]:
        """How many questions were answered, and the last answer."""
        with self._lock:
            return self._answered, self._answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a channel may know of the program that it speaks for; a channel's thread calls these."""

    device: str
    """Which device this is, among all that send to the same place."""
    controls: Controls = field(default_factory=Controls)
    camera_state: Callable[[], str] = lambda: "running"
    """The source's state: ``edge.sources.base.State``."""
    stats: Callable[[], Mapping[str, Any]] = dict
    """How the program gets on: fields of ``edge/schema/stats.json``, all but those that the channel adds."""
    last_picture: Callable[[], tuple[int, bytes] | None] = lambda: None
    """What was last read, as a JPEG, and the how-manieth that is; None where there is none yet."""
    newest_event: Callable[[], str | None] = lambda: None
    """The JSON of the newest stored event, from before the start too; None where there is none."""
