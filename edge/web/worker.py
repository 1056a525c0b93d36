"""A thread that does one thing after another for the page, and that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from edge.errors import StateError

Job = tuple[Future[Any], Callable[[], Any]]


class Worker:
    """Not an executor: the interpreter waits for the threads of one as it ends, and a picture may take its time."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._waiting: set[asyncio.Future[Any]] = set()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[], Any]) -> Any:
        """What ``work`` gives or raises, once it is its turn; StateError where it is let go before."""
        future: Future[Any] = Future()
        self._jobs.put((future, work))
        waiting = asyncio.wrap_future(future)
        self._waiting.add(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            raise StateError("the device stops; come again") from None
        finally:
            self._waiting.discard(waiting)

    def let_go(self) -> None:
        """Wait for nothing any longer; for the loop that waits."""
        for waiting in tuple(self._waiting):
            waiting.cancel()

    def close(self, seconds: float) -> bool:
        """End after what is under way, and wait for that so long; whether it has ended."""
        self._jobs.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while job := self._jobs.get():
            future, work = job
            # Who has gone is not worked for.
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
