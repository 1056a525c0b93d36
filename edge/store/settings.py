"""The limits of the store: the ``[store]`` settings.

In a module without SQLite, so that reading an image imports no database.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """When there are too many, the oldest events are deleted, sent or not; because of their age only sent ones."""

    rows: int = setting(100_000, "most events kept; the oldest are deleted first", ge=100, le=10_000_000)
    days: float = setting(90.0, "events older than this many days are deleted once they are sent", ge=0.01, le=36_500)
    megabytes: int = setting(100, "largest size of the event file with its log, in millions of bytes", ge=8, le=100_000)
