"""Delivers stored entries to a broker or web server that may be away: retries for ever, in order, at least once.

A courier has a thread of its own, so that the reading loop never waits for a network. Progress is saved only when the
far side (the broker or server) has acknowledged an entry. An entry whose acknowledgement got lost is sent again, with
the same ``boot_id`` and ``seq``.
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

BATCH_ENTRIES = 100
"""Entries that are given to a channel at once, at most. Chosen: bounds memory and the time between two ``tend``."""
IDLE_SECONDS = 0.25
"""Time between two calls of ``tend`` while there is nothing to send. Chosen: a command's effect shows at once."""
POLL_SECONDS = 1.0
"""Time between two looks into the store while it reports nothing new: after a disk error it may have missed some."""
RECOVERY_SECONDS = 5.0
"""How long a connection must work before its recovery is logged. Chosen: an unstable one is then logged once."""
DRAIN_SECONDS = 0.25
"""At the end of the program: how long entries that are being sent are waited for."""
GOODBYE_SECONDS = 0.25
"""At the end of the program, after DRAIN_SECONDS: how long closing the connection is waited for.

Together they are half of the second in which the program ends after a SIGTERM.
"""


class Entry(Protocol):
    """One stored message: ``edge.store.entry.Entry``."""

    @property
    def position(self) -> int:
        """Its place in the store, always increasing."""
        ...

    @property
    def boot_id(self) -> str:
        """With ``seq`` the key by which a receiver recognises duplicates."""
        ...

    @property
    def seq(self) -> int:
        """Counts the messages with one ``boot_id``."""
        ...

    @property
    def text(self) -> str:
        """The JSON that is sent."""
        ...


class Backlog(Protocol):
    """What is still to be sent: ``edge.store.outlet.Backlog``."""

    @property
    def count(self) -> int:
        """Entries to send."""
        ...

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest; 0 if there is none."""
        ...

    @property
    def dropped(self) -> int:
        """Entries that were deleted from the store before they could be sent."""
        ...


class Outlet(Protocol):
    """A publisher's position in the store: ``edge.store.outlet.Outlet``."""

    def pending(self, limit: int) -> Sequence[Entry]:
        """The next entries, oldest first."""
        ...

    def done(self, upto: int) -> None:
        """Mark all entries up to this position as sent."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait until something is pending; false if nothing came in time, or ``wake`` was called."""
        ...

    def wake(self) -> None:
        """End the wait; any thread may call it."""
        ...

    def backlog(self) -> Backlog:
        """What is still to be sent; any thread may ask."""
        ...

    def close(self) -> None:
        """Save the progress."""
        ...


class Channel(ABC):
    """The connection to a far side, a broker or web server. Only the courier's thread calls it, except for ``stop``."""

    name: str
    """Its name in log lines and metrics: its URI, without a password."""
    delivery: Callable[[], Delivery] = Delivery
    """The delivery statistics of its courier; any thread may call it."""

    @abstractmethod
    def connect(self) -> None:
        """Connect to the far side, within a bounded time; PublishError says what is wrong and what to do."""

    @abstractmethod
    def send(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Send entries in order, and yield one string for each, in order, as soon as the far side has it.

        The string is empty if it has accepted the entry. Otherwise it says why the far side will never accept it; the
        entry is then dropped, counted and logged. PublishError: the far side is away or accepts nothing now; entries
        without a yielded string are sent again. BusyError: the same, and it says after how many seconds to retry.
        """

    @abstractmethod
    def close(self) -> None:
        """End the connection, politely if it still works; a second call does nothing."""

    def check(self) -> None:
        """PublishError if a file that ``connect`` needs (a password, a certificate) cannot be used now."""
        return

    def probe(self) -> str:
        """Try whether the far side lets us in, without sending anything; returns what it is. PublishError if not."""
        try:
            self.connect()
            return "there"
        finally:
            self.close()

    def tend(self) -> None:
        """Do what else there is to do while connected; called every IDLE_SECONDS or so. PublishError: it is away."""
        return

    def stop(self) -> None:
        """Make a wait in ``connect`` or ``send`` end soon with a PublishError; another thread calls it."""
        return


def close_all(couriers: Iterable[Courier]) -> None:
    """Close couriers at the same time, within half a second in all: one that hangs does not delay the others."""
    left = list(couriers)
    for seconds, step in ((DRAIN_SECONDS, Courier._begin_stop), (GOODBYE_SECONDS, Courier._abort_wait)):
        for courier in left:
            step(courier)
        deadline = time.monotonic() + seconds
        left = [courier for courier in left if not courier._has_ended(deadline)]


class Courier(Publisher):
    """Delivers entries from an outlet to a channel, in a thread, until it is closed.

    It is a publisher whose messages are already in the store. Every failure is retried. It is logged once when it
    begins and once when it ends, and never raised.
    """

    def __init__(self, channel: Channel, outlet: Outlet) -> None:
        """Start delivering at once, in a thread of its own."""
        self.name = channel.name
        self._channel = channel
        self._outlet = outlet
        self._stopping = threading.Event()
        self._state = Delivery()
        self._reported: set[str] = set()
        self._refusals: set[str] = set()
        self._backlog_at_start = 0
        self._connected_at = math.inf
        channel.delivery = self.delivery
        self._worker = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._worker.start()

    def publish(self, message: Message) -> None:
        """Do nothing: what is to be sent comes from the store."""

    def delivery(self) -> Delivery:
        """Its delivery statistics; any thread may ask."""
        backlog = self._outlet.backlog()
        return self._state._replace(
            backlog=backlog.count, oldest_seconds=backlog.oldest_seconds, dropped=backlog.dropped
        )

    def close(self) -> None:
        """Stop within half a second; what could not be sent stays in the store."""
        close_all([self])

    # The three steps of close_all.

    def _begin_stop(self) -> None:
        """Send what is pending, then stop."""
        self._stopping.set()
        self._outlet.wake()

    def _has_ended(self, deadline: float) -> bool:
        """Wait until the deadline (seconds of the monotonic clock) at most; whether the thread has ended."""
        self._worker.join(max(0.0, deadline - time.monotonic()))
        return not self._worker.is_alive()

    def _abort_wait(self) -> None:
        """Stop waiting for the far side."""
        self._channel.stop()

    # What follows runs in the worker thread.

    def _work(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            self._connected_at, busy = math.inf, 0.0
            try:
                self._channel.connect()
                self._connected_at = time.monotonic()
                self._deliver()
                problem = ""
            except PublishError as error:
                problem = str(error)
                busy = error.seconds if isinstance(error, BusyError) else 0.0
            except Exception as error:
                # An error of a library or the store must not end the thread.
                log.debug("%s", self.name, exc_info=True)
                problem = f"{self.name}: {type(error).__name__}: {one_line(error)}"
            with contextlib.suppress(Exception):
                self._channel.close()
            if self._stopping.is_set():
                break
            state = self._state
            self._state = state._replace(connected=False, failures=state.failures + 1, problem=problem)
            self._report_problem(problem)
            # A connection that had been stable is retried soon; an unstable one less and less often.
            if time.monotonic() - self._connected_at > backoff.longest:
                backoff.reset()
            self._stopping.wait(max(backoff.pause(), busy))
        self._state = self._state._replace(connected=False)
        with contextlib.suppress(Exception):
            self._outlet.close()

    def _deliver(self) -> None:
        """Send stored and new entries until told to stop; PublishError if the far side is away."""
        self._state = self._state._replace(connected=True)
        self._backlog_at_start = self._outlet.backlog().count
        ready, polled_at = True, 0.0
        while True:
            entries: Sequence[Entry] = ()
            if ready or self._stopping.is_set() or time.monotonic() - polled_at >= POLL_SECONDS:
                entries, polled_at = self._outlet.pending(BATCH_ENTRIES), time.monotonic()
            if not entries:
                self._report_recovery()
                if self._stopping.is_set():
                    return
                ready = self._outlet.wait(IDLE_SECONDS)
            else:
                for entry, refusal in zip(entries, self._channel.send(entries), strict=True):
                    self._record_result(entry, refusal)
            self._channel.tend()

    def _record_result(self, entry: Entry, refusal: str) -> None:
        if refusal:
            if refusal not in self._refusals:
                self._refusals.add(refusal)
                log.warning("%s: %s; dropped: boot_id %s, seq %d", self.name, refusal, entry.boot_id, entry.seq)
        else:
            self._report_recovery()
        self._outlet.done(entry.position)
        state = self._state
        self._state = state._replace(sent=state.sent + (not refusal), refused=state.refused + bool(refusal))

    def _report_problem(self, problem: str) -> None:
        if problem not in self._reported:
            self._reported.add(problem)
            # In brackets, because a problem often already has a semicolon before what to do.
            log.warning("%s (retrying until it works)", problem)

    def _report_recovery(self) -> None:
        """Entries are accepted: log that, if a problem was logged and the connection has worked for a while."""
        if self._reported and time.monotonic() - self._connected_at >= RECOVERY_SECONDS:
            log.warning("%s: works again; events that were waiting: %d", self.name, self._backlog_at_start)
            self._reported.clear()
        self._state = self._state._replace(problem="")
