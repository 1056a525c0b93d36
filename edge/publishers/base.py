"""What a publisher is, and how its deliveries are going."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge.system.closing import Closing
from edge.types import Message


class Delivery(NamedTuple):
    """How a publisher gets on."""

    connected: bool = False
    """Whether the far side answers; of a file, whether it takes what it is given."""
    backlog: int = 0
    """Entries still to be sent."""
    oldest_seconds: float = 0.0
    """Age of the oldest of them."""
    dropped: int = 0
    """Entries that the store had to let go before they could be sent; of a file, what it did not take."""
    sent: int = 0
    """What the far side has, since the start."""
    refused: int = 0
    """Entries that the far side would not take, since the start."""
    failures: int = 0
    """How often a connection, or writing, failed or broke, since the start."""
    problem: str = ""
    """What is wrong now, one line; empty where nothing is."""


class Publisher(Closing, Protocol):
    """Takes readings and notices until it is closed."""

    name: str = ""
    """What its errors call it."""

    def publish(self, message: Message) -> None:
        """Send one reading or notice; PublishError where it cannot be delivered."""
        ...

    def close(self) -> None:
        """Give the file or connection back; a second call does nothing."""
        ...

    def stop(self) -> None:
        """End a wait for whoever reads, soon; a signal handler may call it."""
        return

    def delivery(self) -> Delivery | None:
        """How it gets on, where it knows; any thread may ask."""
        return None
