"""Wraps a publisher for a live source: what it cannot deliver is lost, counted and logged; reading goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from edge.errors import NoReaderError, PublishError
from edge.publishers.base import Delivery, Publisher
from edge.types import Message

log = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""Shortest time between two warnings about the same publisher. Chosen: a failure that comes and goes, such as an almost
full disk, must not flood the log."""


class BestEffort(Publisher):
    """Turns the PublishErrors of another publisher into two warnings: at the first loss, and at the end with the count.

    NoReaderError is still raised, because a closed pipe means that no more is wanted. A publisher that blocks (a disk
    that does not answer, a pipe that nobody reads) holds up the loop; systemd's watchdog then restarts the service.
    """

    def __init__(self, publisher: Publisher, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns seconds and never goes back."""
        self.name = publisher.name
        self._publisher = publisher
        self._clock = clock
        self._failed_at = 0.0
        self._lost = 0
        self._state = Delivery(connected=True)

    def publish(self, message: Message) -> None:
        """Send one message, or count it as lost."""
        try:
            self._publisher.publish(message)
        except NoReaderError:
            raise
        except PublishError as error:
            if not self._lost:
                self._failed_at = self._clock()
                log.warning("%s (until this is fixed, readings are lost)", error)
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
        if self._lost and self._clock() - self._failed_at >= QUIET_SECONDS:
            log.warning("%s: accepts readings again; lost: %d", self.name, self._lost)
            self._lost = 0

    def delivery(self) -> Delivery:
        """Its delivery statistics; any thread may ask."""
        return self._state

    def stop(self) -> None:
        """Make a wait for a slow reader end soon; a signal handler may call it."""
        self._publisher.stop()

    def close(self) -> None:
        """Close the publisher, and log how many messages were lost since the last warning."""
        if self._lost:
            log.warning("%s: lost: %d", self.name, self._lost)
            self._lost = 0
        self._publisher.close()
