"""Server-sent events for viewers: frames, aims and the status at bounded rates; each event or notice as it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from edge.errors import StateError
from edge.web.error_log import ErrorLog

MAX_FPS = 8.0
"""Most frames per second that viewers get. Chosen."""
STATUS_SECONDS = 1.0
"""Seconds from one status to the next, also while no frames come. Chosen."""
AIM_SECONDS = 1.0
"""Seconds from one aim to the next. Chosen: who moves a camera sees at once what it did, and it costs little."""
MAX_QUEUED = 1000
"""Most events and notices that wait for one listener. Chosen: a slower listener is disconnected, and asks again."""
KEEP_ALIVE_SECONDS = 15.0
"""Seconds without an event after which a comment is sent, so that the connection stays open. From the HTML standard,
9.2.7, which recommends "every 15 seconds or so"."""


class LiveStream:
    """Server-sent events (HTML standard, 9.2) ``view``, ``aim`` and ``status``, made once for all viewers.

    Nothing is made while nobody is viewing. All of it runs in the server's own thread.
    """

    def __init__(
        self,
        newest: Callable[[], object | None],
        to_json: Callable[[Any], Awaitable[str]],
        aim_json: Callable[[Any], Awaitable[str]],
        status: Callable[[], Awaitable[dict[str, Any]]],
        error_log: ErrorLog,
    ) -> None:
        """``newest`` returns the newest analysed frame, ``to_json`` its JSON, ``aim_json`` that of its aim, ``status``
        the program's status."""
        self._newest, self._to_json, self._aim_json = newest, to_json, aim_json
        self._status, self._error_log = status, error_log
        self._changed = asyncio.Condition()
        self._latest: dict[str, tuple[int, str]] = {}
        """The latest event of each kind: its number and its JSON."""
        self._number = 0
        """The number of the latest event."""
        self._viewers = 0
        self._waiting = 0
        """Viewers that have received everything so far. A viewer that has stopped receiving is not among them."""
        self._producers: list[asyncio.Task[None]] = []
        """One for each kind of events: a status that waits for the store does not delay the frames."""
        self._shown: dict[str, object] = {}
        """The newest frame that each kind of events has shown."""
        self._stopped = False

    async def events(self) -> AsyncIterator[str]:
        """The events for one viewer: the latest of each kind. Over a slow network, older ones are skipped."""
        seen: dict[str, int] = {}
        self._viewers += 1
        if not self._producers or any(producer.done() for producer in self._producers):
            self._stop_producers()
            self._latest.clear()
            self._shown.clear()
            self._producers = [
                asyncio.create_task(self._produce("view", 1 / MAX_FPS, lambda: self._of_frame("view", self._to_json))),
                asyncio.create_task(self._produce("aim", AIM_SECONDS, lambda: self._of_frame("aim", self._aim_json))),
                asyncio.create_task(self._produce("status", STATUS_SECONDS, self._status_json)),
            ]
        try:
            while not self._stopped:
                async with self._changed:
                    unseen = await self._wait(seen)
                for kind, (number, text) in unseen.items():
                    seen[kind] = number
                    yield f"event: {kind}\ndata: {text}\n\n"
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._stop_producers()

    async def stop(self) -> None:
        """End the events of all viewers."""
        self._stopped = True
        async with self._changed:
            self._changed.notify_all()

    def _stop_producers(self) -> None:
        for producer in self._producers:
            producer.cancel()
        self._producers = []

    async def _wait(self, seen: dict[str, int]) -> dict[str, tuple[int, str]]:
        self._waiting += 1
        self._changed.notify_all()
        try:
            await self._changed.wait_for(lambda: self._stopped or bool(self._unseen(seen)))
        finally:
            self._waiting -= 1
        return self._unseen(seen)

    def _unseen(self, seen: dict[str, int]) -> dict[str, tuple[int, str]]:
        return {kind: event for kind, event in self._latest.items() if event[0] != seen.get(kind)}

    async def _of_frame(self, kind: str, to_json: Callable[[Any], Awaitable[str]]) -> str | None:
        newest = self._newest()
        if newest is None or newest is self._shown.get(kind):
            return None
        self._shown[kind] = newest
        return await to_json(newest)

    async def _status_json(self) -> str:
        return json.dumps(await self._status())

    async def _produce(self, kind: str, seconds: float, make: Callable[[], Awaitable[str | None]]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._waiting > 0)
            begun = loop.time()
            text = None
            try:
                text = await make()
            except StateError:
                # The device is stopping, and with it the events of all viewers.
                return
            except Exception as error:
                # Caught, because showing the next one may succeed.
                self._error_log.log(f"showing a {kind}", error)
            if text is not None:
                self._number += 1
                async with self._changed:
                    self._latest[kind] = self._number, text
                    self._changed.notify_all()
            await asyncio.sleep(max(0.0, begun + seconds - loop.time()))


class MessageStream:
    """Server-sent events ``event``: each event or notice when it happens, passed from the loop to all listeners."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def send(self, text: str) -> None:
        """Send a JSON text to all listeners. Any thread may call it; it does not wait."""
        if self._listeners and self._loop:
            self._loop.call_soon_threadsafe(self._pass_on, text)

    def stop(self) -> None:
        """End the events of all listeners."""
        self._pass_on(None)

    async def events(self) -> AsyncIterator[str]:
        """The events for one listener, from now on; a comment after each pause keeps the connection open."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str | None] = asyncio.Queue(MAX_QUEUED)
        self._listeners.add(queue)
        try:
            yield ": listening\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if text is None:
                    return
                yield f"event: event\ndata: {text}\n\n"
        finally:
            self._listeners.discard(queue)

    def _pass_on(self, text: str | None) -> None:
        for queue in tuple(self._listeners):
            if queue.full():
                self._listeners.discard(queue)
                queue.get_nowait()
                text = None
            queue.put_nowait(text)
