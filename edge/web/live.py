"""What is sent to whoever looks: frames made ready once for all, at a bounded rate, and only while somebody looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from edge.web.error_log import ErrorLog

RATE = 8.0
"""Frames a second are shown at most."""
STATUS_SECONDS = 1.0
"""How the program gets on is told this often, also while no frame comes."""

Newest = Callable[[], object | None]
Show = Callable[[Any], Awaitable[str]]


class Live:
    """Server-sent events (HTML standard, 9.2) ``view`` and ``status``; all of it in the server's own thread."""

    def __init__(
        self, newest: Newest, show: Show, status: Callable[[], Awaitable[dict[str, Any]]], faults: ErrorLog
    ) -> None:
        """``newest`` gives what the loop saw last, ``show`` makes JSON of it, ``status`` says how the program is."""
        self._newest, self._show, self._status, self._faults = newest, show, status, faults
        self._changed = asyncio.Condition()
        self._told: dict[str, tuple[int, str]] = {}
        self._number = 0
        """Of what was told last."""
        self._viewers = self._waiting = 0
        """Those who look, and those of them who have got all until now: who has stopped reading waits for nothing."""
        self._work: asyncio.Task[None] | None = None
        self._stopped = False

    async def look(self) -> AsyncIterator[str]:
        """The events of one viewer: the newest of each kind, the others skipped where the way there is slow."""
        seen: dict[str, int] = {}
        self._viewers += 1
        if self._work is None or self._work.done():
            self._told.clear()
            self._work = asyncio.create_task(self._make())
        try:
            while not self._stopped:
                async with self._changed:
                    news = await self._wait(seen)
                for kind, (number, text) in news.items():
                    seen[kind] = number
                    yield f"event: {kind}\ndata: {text}\n\n"
        finally:
            self._viewers -= 1
            if not self._viewers and self._work is not None:
                self._work.cancel()
                self._work = None

    async def stop(self) -> None:
        """End all of them."""
        self._stopped = True
        async with self._changed:
            self._changed.notify_all()

    async def _wait(self, seen: dict[str, int]) -> dict[str, tuple[int, str]]:
        self._waiting += 1
        self._changed.notify_all()
        try:
            await self._changed.wait_for(lambda: self._stopped or bool(self._news(seen)))
        finally:
            self._waiting -= 1
        return self._news(seen)

    def _news(self, seen: dict[str, int]) -> dict[str, tuple[int, str]]:
        return {kind: told for kind, told in self._told.items() if told[0] != seen.get(kind)}

    async def _make(self) -> None:
        shown: object | None = None
        due = 0.0
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._waiting > 0)
            begun = loop.time()
            news: dict[str, str] = {}
            try:
                newest = self._newest()
                if newest is not None and newest is not shown:
                    shown = newest
                    news["view"] = await self._show(newest)
                if begun >= due:
                    due = begun + STATUS_SECONDS
                    news["status"] = json.dumps(await self._status(), ensure_ascii=False)
            except Exception as error:
                # The next frame may be shown again.
                self._faults.say("showing a frame", error)
            if news:
                self._number += 1
                async with self._changed:
                    self._told |= {kind: (self._number, text) for kind, text in news.items()}
                    self._changed.notify_all()
            await asyncio.sleep(max(0.0, begun + 1 / RATE - loop.time()))


class Told:
    """Events and notices as they happen, for those who listen: said by the loop, passed on in the server's thread."""

    MOST = 1000
    """So many may wait for one listener; one that is slower is let go, and asks again."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def say(self, text: str) -> None:
        """From any thread, and without waiting: nothing at all where nobody listens."""
        if self._listeners and self._loop:
            self._loop.call_soon_threadsafe(self._pass_on, text)

    def stop(self) -> None:
        """End all listening."""
        self._pass_on(None)

    async def listen(self) -> AsyncIterator[str]:
        """The JSON of each event from now on, as server-sent events; now and then a comment, so that the way stays."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str | None] = asyncio.Queue(self.MOST)
        self._listeners.add(queue)
        try:
            yield ": listening\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), 15)
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
