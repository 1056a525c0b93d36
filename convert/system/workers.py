"""Worker processes that compute NumPy arrays in the background; they end at once when the work is cancelled."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context, resource_tracker
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

# Spawned, because TensorFlow's threads do not survive a fork.
_PROCESSES = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Job:
    """An array that a process is computing; ``result`` may be called once."""

    process: SpawnProcess
    file: Path
    """Where the process saves its array."""
    argument_files: tuple[Path, ...]
    """Where the arrays among its arguments are."""

    def result(self) -> Any:
        """Wait for the array. Raises ChildProcessError if its process failed."""
        self.process.join()
        if self.process.exitcode:
            raise ChildProcessError(f"a process that generated images ended with exit status {self.process.exitcode}")
        array = np.load(self.file)
        for file in (self.file, *self.argument_files):
            file.unlink()
        return array


@dataclass(slots=True)
class Workers:
    """Starts processes of one thread each, and ends them.

    Arrays are passed in files, not through pipes as concurrent.futures does: if a process is terminated while it
    writes to a pipe, this one waits for the rest for ever.
    """

    count: int
    """How many processes the work should be divided among; not enforced here."""
    folder: Path
    jobs: list[Job] = field(default_factory=list)

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Job:
        """Start ``work(*arguments)``, which returns an array, in a new process."""
        number = len(self.jobs)
        passed: list[Any] = []
        for i, argument in enumerate(arguments):
            if isinstance(argument, np.ndarray):
                argument_file = self.folder / f"{number}-{i}.npy"
                np.save(argument_file, argument)
                argument = _ArrayFile(argument_file)
            passed.append(argument)
        file = self.folder / f"{number}.npy"
        # A daemon process ends with this one, however this one ends.
        process = _PROCESSES.Process(target=_run, args=(work, passed, file), daemon=True)
        # Ctrl-C reaches every process of a terminal, also one that is only starting; the main process ends these.
        with _without_ctrl_c():
            process.start()
        self.jobs.append(Job(process, file, tuple(part.path for part in passed if isinstance(part, _ArrayFile))))
        return self.jobs[-1]

    def stop(self) -> None:
        """End the processes that are still working."""
        for job in self.jobs:
            job.process.terminate()
            job.process.join()


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """Starts processes, to be about ``count`` at a time; all have ended when the block ends, however it ends."""
    with TemporaryDirectory() as folder:
        pool = Workers(count, Path(folder))
        try:
            yield pool
        finally:
            pool.stop()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """A process started in the block never gets SIGINT; one that arrives here meanwhile is handled after the block."""
    # Starting it unblocks the signal, which the first process would otherwise do.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class _ArrayFile:
    """An array argument, saved in a file."""

    path: Path


def _run(work: Callable[..., Any], arguments: list[Any], file: Path) -> None:
    import cv2

    cv2.setNumThreads(1)
    np.save(file, work(*(np.load(part.path) if isinstance(part, _ArrayFile) else part for part in arguments)))
