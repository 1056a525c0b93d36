"""Carries what the store keeps to a far side that may be away: for ever, in order, each entry at least once.

A courier has a thread of its own, so that the loop never waits for a network. Progress is written down only when the
far side has said that it has an entry; what it had and could not say so is sent again, with the same ``boot_id`` and
``seq``.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from edge.errors import BusyError, PublishError
from edge.publishers.base import Delivery, Publisher
from edge.system.backoff import Backoff
from edge.system.text import one_line
from edge.types import Message

log = logging.getLogger(__name__)

BATCH = 100
"""So many entries are handed to a channel at once."""
IDLE_SECONDS = 0.25
"""An idle channel is tended this often."""
LOOK_SECONDS = 1.0
"""The store is looked into this often where it says that nothing came: it may have been in trouble."""
STEADY_SECONDS = 5.0
"""The end of a trouble is said when it has been over for so long: what comes and goes is said once."""
DRAIN_SECONDS, GOODBYE_SECONDS = 0.25, 0.25
"""At the end: for what is under way; then for the goodbye. Both are part of the second that a SIGTERM has."""


class Entry(Protocol):
    """One stored message: ``edge.store.event_file.Entry``."""

    @property
    def position(self) -> int:
        """Its place in the line, ever growing."""
        ...

    @property
    def boot_id(self) -> str:
        """With ``seq`` the key by which a listener knows what it already has."""
        ...

    @property
    def seq(self) -> int:
        """Counts the messages of one boot."""
        ...

    @property
    def text(self) -> str:
        """The JSON that is sent."""
        ...


class Backlog(Protocol):
    """What is still to be sent."""

    @property
    def count(self) -> int:
        """Entries."""
        ...

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest; 0 where there is none."""
        ...

    @property
    def dropped(self) -> int:
        """Entries that were gone from the store before they could be sent."""
        ...


class Outlet(Protocol):
    """A publisher's place in the line: ``edge.store.store.Outlet``."""

    def pending(self, limit: int) -> Sequence[Entry]:
        """The next entries, oldest first."""
        ...

    def done(self, upto: int) -> None:
        """All up to this position need not be sent again."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait until something is pending; false where nothing came in time, or ``wake`` was called."""
        ...

    def wake(self) -> None:
        """End the wait; any thread may call it."""
        ...

    def backlog(self) -> Backlog:
        """What is still to be sent; any thread may ask."""
        ...

    def close(self) -> None:
        """Write down how far it got."""
        ...


class Channel(ABC):
    """The way to a far side. One thread, the courier's, calls everything but ``stop``."""

    name: str
    """What its lines and metrics call it: its URI, without a password."""
    delivery: Callable[[], Delivery] = Delivery
    """How its courier gets on; any thread may ask."""

    @abstractmethod
    def connect(self) -> None:
        """Get to the far side; PublishError says what is wrong, and what mends it. Bounded in time."""

    @abstractmethod
    def send(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Send entries in order, and yield for each, in order, as soon as the far side has it, an empty string.

        Yields why, where the far side will never take this one, which is then dropped, counted and said. PublishError:
        the far side is away, or takes nothing now; what was not yielded is sent again. BusyError: and it says when.
        """

    @abstractmethod
    def close(self) -> None:
        """Say goodbye where the far side is there, and give the connection back; a second call does nothing."""

    def check(self) -> None:
        """PublishError where a file that ``connect`` needs (a password, a certificate) cannot be used now."""
        return

    def probe(self) -> str:
        """Whether the far side is there and lets us in: a word on what it is; nothing is sent. PublishError."""
        try:
            self.connect()
            return "there"
        finally:
            self.close()

    def tend(self) -> None:
        """What else there is to do while connected; called every quarter of a second. PublishError: it is away."""
        return

    def stop(self) -> None:
        """End a wait in ``connect`` or ``send``, by a PublishError, soon; another thread calls it."""
        return


def close_all(couriers: Iterable[Courier]) -> None:
    """Close couriers together, in the half second that one has: a far side that hangs takes no other's time."""
    left = list(couriers)
    for patience, tell in ((DRAIN_SECONDS, Courier._finish), (GOODBYE_SECONDS, Courier._hurry)):
        for courier in left:
            tell(courier)
        by = time.monotonic() + patience
        left = [courier for courier in left if not courier._ended(by)]


class Courier(Publisher):
    """Takes entries from an outlet to a channel, until it is closed.

    It is a publisher whose messages the store already has. Whatever goes wrong is tried again, and said where it
    begins, once, and where it ends: never raised.
    """

    def __init__(self, channel: Channel, outlet: Outlet) -> None:
        """Begin at once, in a thread of its own."""
        self.name = channel.name
        self._channel = channel
        self._outlet = outlet
        self._stopping = threading.Event()
        self._state = Delivery()
        self._said: set[str] = set()
        self._refusals: set[str] = set()
        self._waiting = 0
        self._since = math.inf
        channel.delivery = self.delivery
        self._worker = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._worker.start()

    def publish(self, message: Message) -> None:
        """Nothing: what is to be sent comes from the store."""

    def delivery(self) -> Delivery:
        """How it gets on; any thread may ask."""
        backlog = self._outlet.backlog()
        return self._state._replace(
            backlog=backlog.count, oldest_seconds=backlog.oldest_seconds, dropped=backlog.dropped
        )

    def close(self) -> None:
        """Stop within half a second; what could not be sent stays in the store."""
        close_all([self])

    # The three parts of it, each once for all couriers that are closed together.

    def _finish(self) -> None:
        """Send what is there, and no more."""
        self._stopping.set()
        self._outlet.wake()

    def _ended(self, by: float) -> bool:
        """Whether it ends by a moment of the monotonic clock, seconds."""
        self._worker.join(max(0.0, by - time.monotonic()))
        return not self._worker.is_alive()

    def _hurry(self) -> None:
        """Wait for the far side no longer."""
        self._channel.stop()

    # What follows runs in the worker's thread.

    def _work(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            self._since, busy = math.inf, 0.0
            try:
                self._channel.connect()
                self._since = time.monotonic()
                self._deliver()
                problem = ""
            except PublishError as error:
                problem = str(error)
                busy = error.seconds if isinstance(error, BusyError) else 0.0
            except Exception as error:
                # A library's, or the store's: none of it may end the thread.
                log.debug("%s", self.name, exc_info=True)
                problem = f"{self.name}: {type(error).__name__}: {one_line(error)}"
            with contextlib.suppress(Exception):
                self._channel.close()
            if self._stopping.is_set():
                break
            state = self._state
            self._state = state._replace(connected=False, failures=state.failures + 1, problem=problem)
            self._say(problem)
            # One that had been well is tried again soon; one that only comes and goes, less and less often.
            if time.monotonic() - self._since > backoff.longest:
                backoff.reset()
            self._stopping.wait(max(backoff.pause(), busy))
        self._state = self._state._replace(connected=False)
        with contextlib.suppress(Exception):
            self._outlet.close()

    def _deliver(self) -> None:
        """Send what there is and what comes, until told to stop; PublishError where the far side is away."""
        self._state = self._state._replace(connected=True)
        self._waiting = self._outlet.backlog().count
        ready, looked = True, 0.0
        while True:
            entries: Sequence[Entry] = ()
            if ready or self._stopping.is_set() or time.monotonic() - looked >= LOOK_SECONDS:
                entries, looked = self._outlet.pending(BATCH), time.monotonic()
            if not entries:
                self._over()
                if self._stopping.is_set():
                    return
                ready = self._outlet.wait(IDLE_SECONDS)
            else:
                for entry, refusal in zip(entries, self._channel.send(entries), strict=True):
                    self._settle(entry, refusal)
            self._channel.tend()

    def _settle(self, entry: Entry, refusal: str) -> None:
        if refusal:
            if refusal not in self._refusals:
                self._refusals.add(refusal)
                log.warning("%s: %s; dropped: boot_id %s, seq %d", self.name, refusal, entry.boot_id, entry.seq)
        else:
            self._over()
        self._outlet.done(entry.position)
        state = self._state
        self._state = state._replace(sent=state.sent + (not refusal), refused=state.refused + bool(refusal))

    def _say(self, problem: str) -> None:
        if problem not in self._said:
            self._said.add(problem)
            # In brackets: a problem often has a semicolon before what mends it.
            log.warning("%s (trying again until it comes)", problem)

    def _over(self) -> None:
        """The far side takes entries: said, where it was said that it did not, and has done so for a while."""
        if self._said and time.monotonic() - self._since >= STEADY_SECONDS:
            log.warning("%s: it goes on; were waiting: %d", self.name, self._waiting)
            self._said.clear()
        self._state = self._state._replace(problem="")
