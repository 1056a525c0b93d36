"""The publisher that puts events and notices into the store, from where couriers deliver them."""

from __future__ import annotations

from edge.publishers.base import Publisher
from edge.store.store import Store
from edge.system.stopwatch import Stopwatch
from edge.types import Message, Reading


class StorePublisher(Publisher):
    """Stores events and notices. Readings are not stored: there are too many."""

    name = "store"

    def __init__(self, store: Store, stopwatch: Stopwatch) -> None:
        """``stopwatch`` learns how long storing took."""
        self._store, self._stopwatch = store, stopwatch

    def publish(self, message: Message) -> None:
        """Store an event or a notice."""
        if not isinstance(message, Reading):
            self._stopwatch.lap("publish")
            self._store.append(message)
            self._stopwatch.lap("store")

    def close(self) -> None:
        """The store is closed after its couriers, by whoever opened it."""
