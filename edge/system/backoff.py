"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random

FIRST_SECONDS, LAST_SECONDS = 0.5, 30.0
"""Before the first new try, and at most. Each is twice the one before."""


class Backoff:
    """Pauses that double, each drawn from its upper half: several programs shall not return at once."""

    def __init__(self, first: float = FIRST_SECONDS, last: float = LAST_SECONDS) -> None:
        """``first`` and ``last`` in seconds."""
        self._first = first
        self._last = last
        self.longest = first
        """The next pause is at most this long, seconds."""

    def pause(self) -> float:
        """Seconds to wait this time."""
        seconds = random.uniform(self.longest / 2, self.longest)
        self.longest = min(2 * self.longest, self._last)
        return seconds

    def reset(self) -> None:
        """It went well: the next pause is the first again."""
        self.longest = self._first
