"""The worker thread runs jobs one after another, and nothing waits for a hanging job."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from edge.web.worker import Worker
from tests.support.patience import patience


def test_jobs_run_in_turn_and_errors_come_back():
    worker = Worker("test")

    async def all_of_it():
        names = await asyncio.gather(*(worker.run(lambda: threading.current_thread().name) for _ in range(3)))
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda: 1 / 0)
        return names, await worker.run(lambda: 7)

    assert asyncio.run(all_of_it()) == (["test"] * 3, 7)
    assert worker.close(10)


def test_a_job_that_nobody_waits_for_is_skipped():
    worker, go, done = Worker("test"), threading.Event(), []

    async def leave():
        first = asyncio.create_task(worker.run(go.wait))
        second = asyncio.create_task(worker.run(lambda: done.append(2)))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0.05)
        go.set()
        await first

    asyncio.run(leave())
    assert worker.close(10) and not done


def test_a_hanging_job_is_not_waited_for():
    worker, go = Worker("test"), threading.Event()

    async def leave():
        task = asyncio.create_task(worker.run(go.wait))
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(leave())
    begun = time.monotonic()
    assert not worker.close(0.1) and time.monotonic() - begun < 5
    go.set()
    assert worker.close(10)


def test_a_hanging_job_does_not_keep_the_program_alive():
    program = (
        "import asyncio, threading\n"
        "from edge.web.worker import Worker\n"
        "async def main():\n"
        "    task = asyncio.create_task(Worker('test').run(threading.Event().wait))\n"
        "    await asyncio.sleep(0.1)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=patience(60))
    assert (done.returncode, done.stderr) == (0, "")
