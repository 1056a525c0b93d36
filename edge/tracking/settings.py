"""When a change is believed: what ``[track]`` sets.

A plain dataclass, as ``edge.vision.settings`` is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """When a change is believed. Durations are seconds."""

    fuse: float = setting(
        0.1, "frames are averaged over about this many seconds, what is newer counting more", ge=0, le=10
    )
    enter: float = setting(
        0.6, "a digit is there from this share of recent frames on, and gone below the rest of 1", ge=0.5, le=0.95
    )
    dwell: float = setting(0.3, "a new text is said when it has held for this many seconds", ge=0, le=60)
    refractory: float = setting(0.5, "after an event there is none for this many seconds", ge=0, le=3600)
    still: float = setting(
        0.25, "a page that does not change is read again after so many seconds; 0: every frame is read", ge=0, le=60
    )
    unlike: float = setting(
        3.0, "a place has changed that differs by more grey levels than this, besides the noise", ge=1, le=64
    )
    hold: float = setting(
        5.0, "what is hidden or cannot be read any more is still believed for this many seconds", ge=0, le=3600
    )
