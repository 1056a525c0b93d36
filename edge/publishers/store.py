"""The publisher that writes events and notices to the store; couriers deliver them from there."""

from __future__ import annotations

from edge.publishers.base import Publisher
from edge.store.store import Store
from edge.system.stopwatch import Stopwatch
from edge.types import Message, Reading


class StorePublisher(Publisher):
    """Stores events and notices. Readings are not stored: there are too many."""

    name = "store"

    def __init__(self, store: Store, stopwatch: Stopwatch) -> None:
        """``stopwatch`` measures how long storing takes."""
        self._store, self._stopwatch = store, stopwatch

    def publish(self, message: Message) -> None:
        """Store an event or a notice."""
        if not isinstance(message, Reading):
            self._stopwatch.lap("publish")
            self._store.append(message)
            self._stopwatch.lap("store")

    def close(self) -> None:
        """Do nothing: whoever opened the store closes it, after its couriers."""
