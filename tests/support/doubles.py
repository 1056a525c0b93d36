"""What stands in for the world in several test files."""

from __future__ import annotations

from edge.publishers.base import Publisher
from edge.types import Event, Message, Notice, Reading


class Sink(Publisher):
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.events: list[Event] = []
        self.notices: list[Notice] = []

    def publish(self, message: Message) -> None:
        if isinstance(message, Notice):
            self.notices.append(message)
        elif isinstance(message, Event):
            self.events.append(message)
        else:
            self.readings.append(message)

    def close(self) -> None:
        pass
