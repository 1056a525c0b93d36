"""How much of the past is kept: what ``[store]`` says.

A plain dataclass in a room of its own, so that reading an image needs no database.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Whichever is reached first makes the oldest events go, sent or not."""

    rows: int = setting(100_000, "events kept; the oldest go first", ge=100, le=10_000_000)
    days: float = setting(90.0, "an event older than this goes", ge=0.01, le=36_500)
    megabytes: int = setting(100, "size of the file of events with its log, in millions of bytes", ge=8, le=100_000)
