"""What a publisher is, and its delivery statistics."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge.system.closing import Closing
from edge.types import Message


class Delivery(NamedTuple):
    """The delivery statistics of a publisher."""

    connected: bool = False
    """Whether the far side answers; for a file, whether it can be written."""
    backlog: int = 0
    """Entries still to be sent."""
    oldest_seconds: float = 0.0
    """Age of the oldest of them."""
    dropped: int = 0
    """Entries that were deleted from the store before they could be sent; for a file, messages it did not accept."""
    sent: int = 0
    """Entries that the far side has accepted, since the start."""
    refused: int = 0
    """Entries that the far side will never accept, since the start."""
    failures: int = 0
    """How often connecting or writing failed, or a connection broke, since the start."""
    problem: str = ""
    """What is wrong now, in one line; empty if nothing is."""


class Publisher(Closing, Protocol):
    """Takes messages (readings, events, notices) until it is closed."""

    name: str = ""
    """Its name in error messages."""

    def publish(self, message: Message) -> None:
        """Send one message; PublishError if it cannot be delivered."""
        ...

    def close(self) -> None:
        """Close the file or connection; a second call does nothing."""
        ...

    def stop(self) -> None:
        """Make a wait for a slow reader end soon; a signal handler may call it."""
        return

    def delivery(self) -> Delivery | None:
        """Its delivery statistics, if it has any; any thread may ask."""
        return None
