"""Where the time goes: the seconds of each stage of the line, for less than a microsecond a stage."""

from __future__ import annotations

import time
from collections.abc import Callable


class Stopwatch:
    """Adds up seconds by stage. A lap begins where the one before ended: nothing is counted twice.

    >>> watch.lap()
    >>> cleaned = clean(pixels)
    >>> watch.lap("clean")
    """

    __slots__ = ("_clock", "_last", "_seconds")

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """``clock`` gives seconds, and never goes back."""
        self._clock = clock
        self._seconds: dict[str, float] = {}
        self._last = clock()

    def lap(self, stage: str | None = None) -> None:
        """The time since the last lap was that of a stage; of none that counts without a name."""
        now = self._clock()
        if stage is not None:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def take(self) -> dict[str, float]:
        """Seconds of each stage since the last take; a stage that was not reached is not in it."""
        taken, self._seconds = self._seconds, {}
        return taken
