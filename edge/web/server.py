"""The page's server: a thread with uvicorn in it, which a loop that reads never waits for."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import threading
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.errors import PublishError, StateError
from edge.publishers.base import Publisher
from edge.system.text import one_line
from edge.types import Event, Message, Notice
from edge.uri import split_address
from edge.web.app import Site, Sources
from edge.web.tokens import Tokens, tokens

log = logging.getLogger(__name__)

CONNECTIONS = 64
"""So many at once, as each costs a file descriptor that the camera or the store may need: with one more, whichever has
asked for nothing for longest is hung up on."""
REQUEST_SECONDS = 5.0
"""Who has not sent the head of a request by then, the first or the next, is hung up on."""
CLOSE_SECONDS = 0.2
"""What is being answered at the end may take so long."""


class Web(Publisher):
    """Listens from the beginning; as a publisher it learns of events and notices, for those who listen to them."""

    name = "web"

    def __init__(self, address: str, sources: Sources, *, folder: Path) -> None:
        """Listen at ``host:port``; tokens are in the state ``folder``, made where there are none.

        SettingsError: that is no address. PublishError: it cannot be had.
        """
        host, port = split_address(address, "web")
        self._told = sources.told
        self._socket = _listen(host, port, address)
        self.port: int = self._socket.getsockname()[1]
        """Where it listens: a free one where port 0 was asked for."""
        try:
            self.tokens = _tokens(folder)
            self._site = Site(sources, self.tokens, folder=folder, host=host, port=self.port)
        except BaseException:
            self._socket.close()
            raise
        # A name may have several addresses, and one of them is listened at.
        host = self._socket.getsockname()[0]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
        """What a browser on this machine is told."""
        self.link = f"{self.url}#token={self.tokens.change}"
        """The same, for somebody who may change things: what stands after the # is never sent."""
        config = uvicorn.Config(
            self._site.app,
            http=_Connection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=int(REQUEST_SECONDS),
            # It is waited for by asyncio, which takes parts of a second.
            timeout_graceful_shutdown=CLOSE_SECONDS,  # type: ignore[arg-type]
        )
        # Whatever strangers send is no news, and would fill the journal.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name=self.name, daemon=True)
        self._thread.start()
        self._closed = False

    def publish(self, message: Message) -> None:
        """Pass an event or a notice on, as the store has it."""
        if isinstance(message, Event | Notice) and (text := self._told()):
            self._site.told.say(text)

    def close(self) -> None:
        """Stop answering; what is being answered is waited for a moment."""
        if self._closed:
            return
        self._closed = True
        self._server.should_exit = True
        if self._loop and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._site.stop(), self._loop)
        self._thread.join(5 * CLOSE_SECONDS)
        self._socket.close()
        self._site.close()

    def _serve(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve([self._socket])

        asyncio.run(serve())


class _Connection(H11Protocol):
    """Bounded in number, and in how long it may say nothing whole."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()
        there: list[Any] = [one for one in self.connections if not one.transport.is_closing()]
        if len(there) > CONNECTIONS:
            min((one for one in there if one.idle()), key=lambda one: one.deadline()).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait()

    def idle(self) -> bool:
        """Whether it asks for nothing, or has not said yet what."""
        # uvicorn has no request before the first.
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def deadline(self) -> float:
        """Until when it may do so."""
        return self._deadline.when() if self._deadline else 0.0

    def _wait(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._overdue)

    def _overdue(self) -> None:
        if self.idle():
            self.transport.close()


def _tokens(folder: Path) -> Tokens:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tokens(folder)
    except (StateError, OSError) as error:
        # The page is no reason not to read.
        log.warning("web: %s (until then no token opens it)", error)
        return Tokens(secrets.token_urlsafe(), secrets.token_urlsafe())


def _listen(host: str, port: int, address: str) -> socket.socket:
    try:
        family, kind, proto, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
    except OSError as error:
        raise PublishError(f"web: {address}: no such address ({one_line(error)}); name one of this machine") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PublishError(
            f"web: {address}: cannot be listened at ({error.strerror or one_line(error)});"
            " choose another address, or end what listens there"
        ) from error
    return listener
