"""The settings of ``[track]``: when a change of the readings becomes an event."""

from __future__ import annotations

from dataclasses import dataclass

from edge.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """When a change becomes an event. Durations are in seconds."""

    fuse: float = setting(
        0.1,
        "readings are averaged over about this many seconds, newer ones counting more; 0: no averaging",
        ge=0,
        le=10,
    )
    enter: float = setting(
        0.6,
        "a digit appears when this share of recent frames has it, and disappears below 1 minus this share",
        ge=0.5,
        le=0.95,
    )
    dwell: float = setting(
        0.3, "a new text is reported after this many stable seconds; twice as many if it is doubtful", ge=0, le=60
    )
    refractory: float = setting(0.5, "least time between two events, in seconds", ge=0, le=3600)
    still: float = setting(
        0.25,
        "an unchanged page is read again after this many seconds, or four times as long as reading it takes; 0: every "
        "frame is read",
        ge=0,
        le=60,
    )
    unlike: float = setting(
        3.0, "a page has changed if any spot differs by more grey levels than this and than the noise", ge=1, le=64
    )
    hold: float = setting(
        5.0, "a digit that is covered or no longer readable is kept for at most this many seconds", ge=0, le=3600
    )
