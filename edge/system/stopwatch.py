"""Measures how long each stage of a frame takes; costs less than a microsecond a stage."""

from __future__ import annotations

import time
from collections.abc import Callable


class Stopwatch:
    """Adds up seconds by stage. Each lap starts where the previous one ended, so nothing is counted twice.

    >>> watch.lap()
    >>> cleaned = clean(pixels)
    >>> watch.lap("clean")
    """

    __slots__ = ("_clock", "_last", "_seconds")

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """``clock`` returns seconds and never goes back."""
        self._clock = clock
        self._seconds: dict[str, float] = {}
        self._last = clock()

    def lap(self, stage: str | None = None) -> None:
        """Add the time since the last lap to a stage; without a name, to none."""
        now = self._clock()
        if stage is not None:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def take(self) -> dict[str, float]:
        """Seconds of each stage since the last take; stages that were not reached are missing."""
        taken, self._seconds = self._seconds, {}
        return taken
