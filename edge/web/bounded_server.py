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
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.errors import PublishError
from edge.system.closing import Closing
from edge.system.text import one_line
from edge.uri import split_address
from edge.web.clients import client_of
from edge.web.late_imports import import_late

REQUEST_SECONDS = 5.0
"""Seconds in which a client has to send the head of its first or next request; then it is disconnected. Chosen."""
WRITE_SECONDS = 10.0
"""Seconds after which a client that does not read what it is sent is disconnected. Chosen."""
MAX_HANDSHAKES = 24
"""Most connections whose TLS handshake is under way. One more, and the oldest of them is ended. Chosen."""
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

    One more, and the connection that has been idle for longest is ended, of the client that has the most. The
    application limits how many may be busy, so that some are always idle.
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
        self._arriving: dict[_Connection, asyncio.Task[None]] = {}
        """Connections that cannot be used yet, the oldest first: their TLS handshake is under way."""
        self._opening: set[asyncio.Task[None]] = set()
        # Otherwise what strangers send would fill the journal.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        self._config = uvicorn.Config(
            application,
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
                link, _ = await loop.sock_accept(self._listener)
            except ConnectionAbortedError:
                continue
            except OSError:
                # No descriptor or no memory is left.
                self._make_room()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if self._has_room() or self._make_room():
                task = loop.create_task(self._open(link))
                # The event loop itself does not keep it.
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
            else:
                link.close()
            # One connection for each turn of the event loop, so that the others are answered meanwhile.
            await asyncio.sleep(0)

    async def _open(self, link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            # The kernel's own clock for data that the other side does not confirm or has no room for.
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(WRITE_SECONDS * 1000))
        options: dict[str, Any] = {}
        if self._tls:
            options = {
                "ssl": self._tls,
                "ssl_handshake_timeout": REQUEST_SECONDS,
                "ssl_shutdown_timeout": CLOSE_SECONDS,
            }
        connection = _Connection(self._config, self._server.server_state, {}, loop)
        connection.on_made = lambda: self._arriving.pop(connection, None)
        if task := asyncio.current_task():
            self._arriving[connection] = task
        try:
            await loop.connect_accepted_socket(lambda: connection, link, **options)
        except OSError:
            # A handshake that fails is the client's problem.
            pass
        finally:
            self._arriving.pop(connection, None)

    def _has_room(self) -> bool:
        many = len(self._server.server_state.connections) + len(self._arriving)
        return many < self._most and len(self._arriving) < MAX_HANDSHAKES

    def _make_room(self) -> bool:
        """End one connection, if there is one that may be ended; whether there was one."""
        connections: set[Any] = self._server.server_state.connections
        if len(self._arriving) < MAX_HANDSHAKES and (idle := [one for one in connections if one.may_go()]):
            of = Counter(one.client_name for one in connections)
            min(idle, key=lambda one: (-of[one.client_name], one.deadline())).transport.abort()
            return True
        if oldest := next(iter(self._arriving), None):
            self._arriving.pop(oldest).cancel()
        return oldest is not None


class _Connection(H11Protocol):
    """An HTTP connection with deadlines: for the head of a request, and for a client that does not read."""

    client_name = ""
    """Who is at the other end."""
    on_made: Callable[[], object] = staticmethod(lambda: None)
    """Called when it can be used."""
    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.client_name = client_of(self.client)
        self.on_made()
        self._restart_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._write_deadline):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._restart_deadline()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_deadline:
            self._write_deadline.cancel()
            self._write_deadline = None

    def may_go(self) -> bool:
        """Whether no request is being answered."""
        # uvicorn has no cycle before the first request.
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete or self.transport.is_closing()

    def deadline(self) -> float:
        """When it is closed if it is still idle, by the event loop's clock, in seconds."""
        return self._deadline.when() if self._deadline else 0.0

    def _restart_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._on_deadline)

    def _on_deadline(self) -> None:
        if self.may_go():
            self.transport.abort()


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
    except OSError as error:
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
