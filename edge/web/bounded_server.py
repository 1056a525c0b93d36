"""Serves an ASGI application in a thread of its own, with bounded connections: uvicorn behind an own accept loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.errors import PublishError
from edge.system.closing import Closing
from edge.system.text import one_line
from edge.uri import split_address
from edge.web.clients import client_of
from edge.web.connection import REQUEST_SECONDS, Connection
from edge.web.late_imports import import_late

WRITE_SECONDS = 10.0
"""Seconds after which a client that reads nothing of what it is sent is disconnected. Chosen."""
PART_BYTES = 65_536
"""Most bytes of an answer that are passed on at once. Chosen: asyncio has a buffer of as many."""
MAX_HANDSHAKES = 24
"""Most connections whose TLS handshake is under way. One more, and one of them is ended. Chosen."""
BUSY_WORTH = 8
"""A busy connection is ended before an idle one if its client has this many times as many connections. Chosen: a proxy
keeps the requests that it may have at once while others have three connections or more."""
RESERVED_DESCRIPTORS = 128
"""File descriptors that connections leave to the rest of the program: camera, store, models, imports. Chosen: it has
about 30 open."""
LEAST_CONNECTIONS = 8
"""Connections that are allowed however few descriptors the process may open. Chosen: a browser opens six."""
BACKLOG = 512
"""Connections that wait in the kernel until they are accepted; they take no descriptors. Chosen: with fewer, a burst of
strangers would make others wait a second until their system tries again."""
RETRY_SECONDS = 0.1
"""Seconds until the next try to accept a connection after the system refused to. Chosen."""
CLOSE_SECONDS = 0.2
"""Seconds that answers may still take when the server stops. Chosen."""


class BoundedServer(Closing):
    """Listens as soon as it is made. It never has more than so many connections.

    One more, and a connection of the client that has the most is ended: the one that has been idle for longest. If all
    are busy, a client loses one only to another that has fewer.
    """

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        *,
        name: str,
        most: int,
        tls: ssl.SSLContext | None = None,
        on_stop: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Serve an ASGI application on a listening socket, which this closes; ``most``: connections at once.

        ``name``: the thread's. ``on_stop`` is awaited at the end; it ends answers without end. Raises OSError or
        RuntimeError if the system has no file descriptor or thread for it.
        """
        self._listener, self._tls, self._on_stop = listener, tls, on_stop
        self._most = affordable(most)
        self._arriving: dict[Connection, asyncio.Task[None]] = {}
        """Connections that cannot be used yet, the oldest first: their TLS handshake is under way."""
        self._opening: set[asyncio.Task[None]] = set()
        # Otherwise what strangers send would fill the journal.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        self._config = uvicorn.Config(
            _in_parts(application),
            http="h11",
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
        self._config.load()
        self._server = uvicorn.Server(self._config)
        # Here, where a failure is noticed; in the thread it would leave a server that never answers.
        try:
            self._loop: asyncio.AbstractEventLoop = _EventLoop()
        except OSError:
            listener.close()
            raise
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._loop.close()
            listener.close()
            raise
        self._closed = False

    def close(self) -> None:
        """Stop the server; answers under way get a moment to finish."""
        if self._closed:
            return
        self._closed = True
        self._server.should_exit = True
        if self._on_stop and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(_awaited(self._on_stop()), self._loop)
        self._thread.join(5 * CLOSE_SECONDS)
        self._listener.close()

    def _serve(self) -> None:
        import_late()

        async def serve() -> None:
            accepting = self._loop.create_task(self._accept_all())
            # uvicorn gets no socket: it would accept all that come, and count them afterwards.
            await self._server.serve([])
            accepting.cancel()

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serve())

    async def _accept_all(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        while not self._server.should_exit:
            try:
                link, address = await loop.sock_accept(self._listener)
            except ConnectionAbortedError:
                continue
            except OSError:
                # No descriptor or no memory is left.
                self._make_room()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            client = client_of(address)
            if self._has_room() or self._make_room(client):
                task = loop.create_task(self._open(link, client))
                # The event loop itself does not keep it.
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
            else:
                link.close()
            # One connection for each turn of the event loop, so that the others are answered meanwhile.
            await asyncio.sleep(0)

    async def _open(self, link: socket.socket, client: str) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            # The kernel's own clock for data that the other side does not confirm or has no room for.
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(WRITE_SECONDS * 1000))
        options: dict[str, Any] = {}
        if self._tls:
            options = {
                "ssl": self._tls,
                "ssl_handshake_timeout": REQUEST_SECONDS,
                # The end of the last answer may still be on its way.
                "ssl_shutdown_timeout": WRITE_SECONDS,
            }
        connection = Connection(self._config, self._server.server_state, loop, client)
        if task := asyncio.current_task():
            self._arriving[connection] = task
        try:
            await loop.connect_accepted_socket(lambda: connection, link, **options)
        except OSError:
            # A handshake that fails is the client's problem.
            pass
        finally:
            self._arriving.pop(connection, None)

    def _handshakes(self) -> list[Connection]:
        return [one for one in self._arriving if not one.is_made]

    def _has_room(self) -> bool:
        handshakes = len(self._handshakes())
        return len(self._server.server_state.connections) + handshakes < self._most and handshakes < MAX_HANDSHAKES

    def _make_room(self, newcomer: str | None = None) -> bool:
        """End one connection, if there is one that may be ended; whether there was one.

        A busy one is ended only for a ``newcomer``, a client that has fewer.
        """
        connections: list[Any] = self._handshakes()
        if len(connections) < MAX_HANDSHAKES:
            connections += self._server.server_state.connections
        idle = {one for one in connections if one.may_go()}
        of = Counter(one.client_name for one in connections)
        if newcomer is not None:
            of[newcomer] += 1

        def order(one: Connection) -> tuple[float, float]:
            worth = 1 if one in idle else BUSY_WORTH
            return of[one.client_name] / worth, -one.idle_since

        last = max(idle if newcomer is None else connections, key=order, default=None)
        if last is None or (newcomer is not None and last not in idle and of[last.client_name] <= of[newcomer]):
            return False
        if last.is_made:
            last.transport.abort()
        else:
            self._arriving.pop(last).cancel()
        return True


class _EventLoop(asyncio.SelectorEventLoop):
    """One that can fail to be made: asyncio's own then prints a traceback, as it closes what it does not have."""

    _is_whole = False

    def __init__(self) -> None:
        super().__init__()
        self._is_whole = True

    def is_closed(self) -> bool:
        return not self._is_whole or super().is_closed()


def affordable(most: int) -> int:
    """How many connections the limit of open files allows, at most ``most``."""
    try:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    except OSError:
        # A sandbox may forbid to ask.
        return most
    if limit == resource.RLIM_INFINITY:
        return most
    # Half of what is left, because there may be a second server.
    return min(most, max(LEAST_CONNECTIONS, (limit - RESERVED_DESCRIPTORS) // 2))


def listen(address: str, setting: str) -> socket.socket:
    """A socket that listens on ``host:port``; ``setting`` is the setting that has this address.

    Raises SettingsError if that is not an address, PublishError if nothing can listen on it.
    """
    host, port = split_address(address, setting)
    try:
        family, kind, proto, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
    except (OSError, ValueError) as error:
        # ValueError: what cannot be a name, such as one with two dots together.
        raise PublishError(
            f"{setting}: {address}: no such address ({one_line(error)}); use an address of this machine"
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PublishError(
            f"{setting}: {address}: cannot listen there ({error.strerror or one_line(error)});"
            " choose another address, or stop the program that uses this one"
        ) from error
    return listener


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _in_parts(application: ASGIApp) -> ASGIApp:
    """The application, which waits while its client is slow to read: it is at work until nearly all is sent."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_parts(message: Message) -> None:
            body = message.get("body", b"")
            last = max(0, len(body) - 1) // PART_BYTES * PART_BYTES
            for begin in range(0, last, PART_BYTES):
                await send({**message, "body": body[begin : begin + PART_BYTES], "more_body": True})
            await send({**message, "body": body[last:]} if last else message)

        await application(scope, receive, send_parts)

    return answer
