"""Exponential backoff: how long to wait before something that failed is tried again."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.5
"""Longest pause before the first retry; each further one may be twice as long as the one before. Chosen."""
LAST_SECONDS = 30.0
"""Longest pause before any retry. Chosen: something that comes back is noticed within this time."""


class Backoff:
    """Pauses that double. Each is random between half and all of its length, so that programs do not retry in step."""

    def __init__(self, first: float = FIRST_SECONDS, last: float = LAST_SECONDS) -> None:
        """``first`` and ``last``: the longest first pause and the longest of all, in seconds."""
        self._first = first
        self._last = last
        self.longest = first
        """Upper limit of the next pause, in seconds."""

    def pause(self) -> float:
        """Seconds to wait now; doubles the next pause."""
        seconds = random.uniform(self.longest / 2, self.longest)
        self.longest = min(2 * self.longest, self._last)
        return seconds

    def reset(self) -> None:
        """Start again with the first pause, after a success."""
        self.longest = self._first
