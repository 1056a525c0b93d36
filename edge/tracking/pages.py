"""Makes events of readings that each show another page: files, and what a scanner sends."""

from __future__ import annotations

from edge.types import Event, Frame, Reading


class PageEvents:
    """In place of the tracker where frames do not follow each other in time: nothing is averaged over them."""

    def update(self, reading: Reading, seconds: float, frame: Frame | None = None) -> tuple[Event, ...]:
        """The event of a page: its text has appeared. None if nothing was read on it."""
        if not reading.digits:
            return ()
        sure = min(digit.confidence for digit in reading.digits)
        return (Event("appeared", reading.captured_at, reading.text, "", 0.0, sure, reading),)

    def camera_lost(self) -> None:
        """Do nothing: no page is remembered."""
