"""A publisher of a live source: what it cannot deliver is lost, counted and said, and the reading goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from edge.errors import NoReaderError, PublishError
from edge.publishers.base import Delivery, Publisher
from edge.types import Message

log = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""What comes and goes (a disk with next to no room) is said once in so long, or the log would fill the disk."""


class BestEffort(Publisher):
    """Another publisher, whose PublishError is a warning where it begins, and one where it ends: how many were lost.

    NoReaderError is raised: who has closed the pipe wants no more. One that blocks (a disk that does not answer, a pipe
    that nobody empties) holds up the loop: systemd's watchdog then starts the service again.
    """

    def __init__(self, publisher: Publisher, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds, and never goes back."""
        self.name = publisher.name
        self._publisher = publisher
        self._clock = clock
        self._began = 0.0
        self._lost = 0
        self._state = Delivery(connected=True)

    def publish(self, message: Message) -> None:
        """Send one reading or notice, or count it as lost."""
        try:
            self._publisher.publish(message)
        except NoReaderError:
            raise
        except PublishError as error:
            if not self._lost:
                self._began = self._clock()
                log.warning("%s (until then readings are lost)", error)
            self._lost += 1
            state = self._state
            self._state = state._replace(
                connected=False,
                dropped=state.dropped + 1,
                failures=state.failures + state.connected,
                problem=str(error),
            )
            return
        self._state = self._state._replace(connected=True, sent=self._state.sent + 1, problem="")
        if self._lost and self._clock() - self._began >= QUIET_SECONDS:
            log.warning("%s: takes readings again; lost: %d", self.name, self._lost)
            self._lost = 0

    def delivery(self) -> Delivery:
        """How it gets on; any thread may ask."""
        return self._state

    def stop(self) -> None:
        """End a wait for whoever reads; a signal handler may call it."""
        self._publisher.stop()

    def close(self) -> None:
        """Give the file or connection back, and say what was lost until now."""
        if self._lost:
            log.warning("%s: lost: %d", self.name, self._lost)
            self._lost = 0
        self._publisher.close()
