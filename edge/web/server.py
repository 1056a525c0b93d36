"""The web server of the live page and the HTTP API: uvicorn in a thread of its own, with limits."""

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
from edge.web.app import Backend, Site
from edge.web.tokens import Tokens, load_tokens

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
"""Most connections at once. Chosen: each takes a file descriptor that the camera or the store may need. One more, and
the connection that has been idle for longest is closed."""
REQUEST_SECONDS = 5.0
"""Seconds in which a client has to send the head of its first or next request; then it is disconnected. Chosen."""
CLOSE_SECONDS = 0.2
"""Seconds that answers may still take when the server stops. Chosen."""


class WebServer(Publisher):
    """Listens as soon as it is made. As a publisher it passes events and notices on to those who listen to them."""

    name = "web"

    def __init__(self, address: str, backend: Backend, *, folder: Path) -> None:
        """Listen on ``host:port``. The tokens are in the state ``folder``; new ones are made if there are none.

        Raises SettingsError if that is not an address, PublishError if the server cannot listen on it.
        """
        host, port = split_address(address, "web")
        self._newest_message = backend.newest_message
        self._socket = _listen(host, port, address)
        self.port: int = self._socket.getsockname()[1]
        """The port that it listens on; a free one if 0 was asked for."""
        try:
            self.tokens = _load_tokens(folder)
            self._site = Site(backend, self.tokens, folder=folder, host=host, port=self.port)
        except BaseException:
            self._socket.close()
            raise
        # A name may have several addresses; the server listens on one of them.
        host = self._socket.getsockname()[0]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
        """The page's address, for a browser on this machine."""
        self.link = f"{self.url}#token={self.tokens.change}"
        """The same with the token that allows changes. What follows the # is never sent over the network."""
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
            # Declared as int, but passed to asyncio, which accepts fractions of a second.
            timeout_graceful_shutdown=CLOSE_SECONDS,  # type: ignore[arg-type]
        )
        # Otherwise what strangers send would fill the journal.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name=self.name, daemon=True)
        self._thread.start()
        self._closed = False

    def publish(self, message: Message) -> None:
        """Pass an event or a notice on to the listeners, as it was stored."""
        if isinstance(message, Event | Notice) and (text := self._newest_message()):
            self._site.messages.send(text)

    def close(self) -> None:
        """Stop the server; answers under way get a moment to finish."""
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
    """An HTTP connection with limits: how many there may be, and how long each may be idle."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._restart_deadline()
        open_now: list[Any] = [one for one in self.connections if not one.transport.is_closing()]
        if len(open_now) > MAX_CONNECTIONS:
            min((one for one in open_now if one.is_idle()), key=lambda one: one.deadline()).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._restart_deadline()

    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        # uvicorn has no cycle before the first request.
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def deadline(self) -> float:
        """When it is closed if it is still idle, by the event loop's clock, in seconds."""
        return self._deadline.when() if self._deadline else 0.0

    def _restart_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._on_deadline)

    def _on_deadline(self) -> None:
        if self.is_idle():
            self.transport.close()


def _load_tokens(folder: Path) -> Tokens:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return load_tokens(folder)
    except (StateError, OSError) as error:
        # The program goes on reading digits without the page's tokens.
        log.warning("web: %s (no token works until then)", error)
        return Tokens(secrets.token_urlsafe(), secrets.token_urlsafe())


def _listen(host: str, port: int, address: str) -> socket.socket:
    try:
        family, kind, proto, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
    except OSError as error:
        raise PublishError(
            f"web: {address}: no such address ({one_line(error)}); use an address of this machine"
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PublishError(
            f"web: {address}: cannot listen there ({error.strerror or one_line(error)});"
            " choose another address, or stop the program that uses this one"
        ) from error
    return listener
