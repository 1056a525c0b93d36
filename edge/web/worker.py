"""A thread that runs jobs one after another, for coroutines that await their results."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from edge.errors import StateError

Job = tuple[Future[Any], Callable[[], Any]]
RunJob = Callable[[Callable[[], Any]], Awaitable[Any]]
"""``Worker.run``, for those who need nothing else of a worker."""


class Worker:
    """Runs jobs in one thread.

    Not a ThreadPoolExecutor: at its end Python waits for an executor's threads, and reading a picture may take long.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._waiting: set[asyncio.Future[Any]] = set()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[], Any]) -> Any:
        """Wait for the job's turn; return its result or raise its error. StateError after ``cancel_waiting``."""
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
            raise StateError("the device is stopping; try again later") from None
        finally:
            self._waiting.discard(waiting)

    def post(self, work: Callable[[], Any]) -> None:
        """Run a job that nobody waits for."""
        self._jobs.put((Future(), work))

    def cancel_waiting(self) -> None:
        """Stop waiting for all jobs. To be called in the event loop that waits for them."""
        for waiting in tuple(self._waiting):
            waiting.cancel()

    def close(self, seconds: float) -> bool:
        """End the thread after its present job; wait at most so many seconds. Whether it has ended."""
        self._jobs.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while job := self._jobs.get():
            future, work = job
            # A job that nobody waits for any more is skipped.
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
