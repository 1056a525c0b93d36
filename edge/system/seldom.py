"""Keeps others from filling the journal with lines that they can cause as often as they like."""

from __future__ import annotations

import time


class Seldom:
    """Knows when each kind of line was logged last."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def is_due(self, kind: str, seconds: float) -> bool:
        """Whether to log a line of this kind now: if the last one is that long ago. There must be few kinds."""
        now = time.monotonic()
        if now - self._last.get(kind, float("-inf")) < seconds:
            return False
        self._last[kind] = now
        return True
