"""An HTTP connection of the bounded server: uvicorn's, which knows whether it may be ended."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 5.0
"""Seconds in which a client has to send the head of its first or next request; then it is disconnected. Chosen."""


class Connection(H11Protocol):
    """It has a deadline for the head of a request, which begins when the last answer has arrived."""

    def __init__(self, config: Any, state: Any, loop: asyncio.AbstractEventLoop, client_name: str) -> None:
        """``client_name``: who is at the other end, as ``client_of`` says it."""
        super().__init__(config, state, {}, loop)
        self.client_name = client_name
        self.idle_since = loop.time()
        """When it was accepted or its last answer was complete, by the event loop's clock, in seconds."""
        self.is_made = False
        """Whether it can be used: with TLS, whether the handshake is over."""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """It can be used from now on."""
        super().connection_made(transport)
        self.is_made = True
        self._restart_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """All of the answer is with asyncio or the kernel, but perhaps not with the client."""
        self.idle_since = self.loop.time()
        self._restart_deadline()
        super().on_response_complete()
        # uvicorn's own timer does not wait until the answer has arrived.
        self._unset_keepalive_if_required()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays open although the other side sends no more: until the answer is sent.

        Once an answer has begun, such an end means that the client has gone; an answer may be without end.
        """
        cycle: Any = self.cycle
        # TLS has no such half of a connection.
        if self.scheme == "https" or cycle is None or cycle.response_started or cycle.more_body:
            return False
        cycle.keep_alive = False
        return True

    def may_go(self) -> bool:
        """Whether no request is being answered, and no answer is on its way."""
        # uvicorn has no cycle before the first request.
        cycle: Any = self.cycle
        if not self.is_made:
            return True
        return (cycle is None or cycle.response_complete or self.transport.is_closing()) and not self._is_sending()

    def _is_sending(self) -> bool:
        """Whether the other side has not yet confirmed all that it was sent."""
        if self.transport.get_write_buffer_size():
            return True
        # With TLS there may be more, of which asyncio does not tell; but then the kernel has some of it too.
        link = self.transport.get_extra_info("socket")
        try:
            queued = fcntl.ioctl(link.fileno(), termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):
            # It is closed.
            return False
        return int.from_bytes(queued, sys.byteorder) > 0

    def _restart_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._on_deadline)

    def _on_deadline(self) -> None:
        if self.may_go():
            self.transport.abort()
        else:
            # The kernel ends a connection that its client does not read.
            self._restart_deadline()
