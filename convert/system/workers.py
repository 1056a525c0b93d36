"""Processes that make arrays beside this one, and are gone at once when the work is given up."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

# Spawned, as TensorFlow's threads do not survive a fork.
_PROCESSES = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Job:
    """An array that is being made; it is given out once."""

    process: SpawnProcess
    place: Path
    given: tuple[Path, ...]
    """The files of its arguments."""

    def result(self) -> Any:
        """The array, as soon as it is there. Raises ChildProcessError where its process failed."""
        self.process.join()
        if self.process.exitcode:
            raise ChildProcessError(f"a process that made images ended with exit status {self.process.exitcode}")
        made = np.load(self.place)
        for file in (self.place, *self.given):
            file.unlink()
        return made


@dataclass(slots=True)
class Workers:
    """Starts processes of one thread each, and ends them.

    Arrays go to and fro in files, not through pipes as those of concurrent.futures do: there a process that is
    terminated while it writes leaves this one waiting for the rest for ever.
    """

    count: int
    """How many there should be at a time."""
    folder: Path
    jobs: list[Job] = field(default_factory=list)

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Job:
        """Start ``work(*arguments)``, which gives an array, in a process of its own."""
        number = len(self.jobs)
        passed: list[Any] = []
        for i, argument in enumerate(arguments):
            if isinstance(argument, np.ndarray):
                place = self.folder / f"{number}-{i}.npy"
                np.save(place, argument)
                argument = _Kept(place)
            passed.append(argument)
        place = self.folder / f"{number}.npy"
        # A daemon does not outlive this process, whatever becomes of it.
        process = _PROCESSES.Process(target=_run, args=(work, passed, place), daemon=True)
        process.start()
        self.jobs.append(Job(process, place, tuple(part.place for part in passed if isinstance(part, _Kept))))
        return self.jobs[-1]

    def stop(self) -> None:
        """End those that still work."""
        for job in self.jobs:
            job.process.terminate()
            job.process.join()


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """Up to ``count`` processes at a time; none is left when the block ends, however it ends."""
    with TemporaryDirectory() as folder:
        some = Workers(count, Path(folder))
        try:
            yield some
        finally:
            some.stop()


@dataclass(frozen=True, slots=True)
class _Kept:
    """An array in a file."""

    place: Path


def _run(work: Callable[..., Any], arguments: list[Any], place: Path) -> None:
    import cv2

    cv2.setNumThreads(1)
    # Ctrl-C reaches every process of a terminal; the one that they work for ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    np.save(place, work(*(np.load(part.place) if isinstance(part, _Kept) else part for part in arguments)))
