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

from edge.address import split_address
from edge.errors import PublishError, StateError, one_line
from edge.publishers import Publisher
from edge.types import Event, Message
from edge.web.site import Site, Sources
from edge.web.tokens import Tokens, tokens

log = logging.getLogger(__name__)

CONNECTIONS = 64
"""So many at once: others are hung up on, as each costs a file descriptor that the camera or the store may need."""
REQUEST_SECONDS = 15.0
"""Who has not sent the head of a request by then is hung up on."""
CLOSE_SECONDS = 2.0
"""What is being answered at the end may take so long."""


class Web(Publisher):
    """Listens from the beginning; as a publisher it learns of events, for those who listen to them."""

    name = "web"

    def __init__(self, address: str, sources: Sources, *, folder: Path) -> None:
        """Listen at ``host:port``; tokens are in the state ``folder``, made where there are none.

        SettingsError: that is no address. PublishError: it cannot be had.
        """
        host, port = split_address(address, "web")
        self._newest = sources.program.newest
        self._socket = _listen(host, port, address)
        self.port: int = self._socket.getsockname()[1]
        """Where it listens: a free one where port 0 was asked for."""
        try:
            self.tokens = _tokens(folder)
            self._site = Site(sources, self.tokens, folder=folder, host=host, port=self.port)
        except BaseException:
            self._socket.close()
            raise
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
            timeout_keep_alive=30,
            timeout_graceful_shutdown=int(CLOSE_SECONDS),
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
        """Pass an event on, as the store has it."""
        if isinstance(message, Event) and (text := self._newest()):
            self._site.told.say(text)

    def close(self) -> None:
        """Stop answering; what is being answered is waited for a moment."""
        if self._closed:
            return
        self._closed = True
        self._server.should_exit = True
        if self._loop and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._site.stop(), self._loop)
        self._thread.join(2 * CLOSE_SECONDS)
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
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._overdue)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._deadline and not self.transport.is_closing():
            self._deadline.cancel()
            self._deadline = self.loop.call_later(2 * REQUEST_SECONDS, self._overdue)

    def _overdue(self) -> None:
        # uvicorn has no request before the first.
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
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
