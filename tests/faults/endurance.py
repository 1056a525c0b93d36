"""Memory, open files and threads that many frames leave behind, through all parts of ``edge run``.

    python -m tests.faults.endurance                     100,000 frames of 320x240: half an hour
    python -m tests.faults.endurance 10000 96x64         what the tests run

A camera in its own thread, the packaged model, and JSON lines to a file that is rotated now and then. Drawing a page
takes longer than reading it, so most frames use one of some hundred pages that were drawn before (digits in one to
three lines, good and bad light, blank paper, letters and scribbles), each with new noise; one in fifty is drawn for its
frame. The exit status is 1 if resident memory grew by 3 MiB or more after the first 1,000 frames, or if a file or
thread was left.
"""
# ruff: noqa: T201

from __future__ import annotations

import gc
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from edge.loop import run
from edge.publishers import open_publisher
from edge.reading.reader import Reader
from edge.sources.base import Camera
from edge.sources.supervisor import SupervisedCamera
from edge.sources.synthetic import Synthetic
from edge.system.process import MemoryTrimmer, after_imports
from edge.types import Pixels

WARM_UP_FRAMES = 1000
"""Frames before growth is measured: models, caches and the C library's arenas reach their size in these."""
MAX_GROWTH_BYTES = 3 * 1024 * 1024
"""How much resident memory may grow after the warm-up, in bytes: it levels off at 1.5 to 2.5 MiB after 6,000 frames."""
CACHED_PAGES = 240
"""Pages that are drawn before the measurement."""
NEW_EVERY = 50
"""One in this many frames is of a page that is drawn for it."""
TILE = 64
"""Noise is added from one array that is shifted by up to this many pixels: that is fast."""


class Album(Camera):
    """A camera that shows those pages, one for each release of ``turn``, so that no frame is skipped."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.name = "album:"
        self.turn = threading.Semaphore(1)
        self._rng = np.random.default_rng(5)
        self._new_pages = _pages(size, self._rng)
        self._pages = list(itertools.islice(self._new_pages, CACHED_PAGES))
        self._noise = self._rng.normal(0, 3, (size[1] + TILE, size[0] + TILE)).astype(np.int16)
        self._shown = 0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self) -> tuple[Pixels, datetime]:
        while not self.turn.acquire(timeout=1):
            pass
        self._shown += 1
        if self._shown % NEW_EVERY == 0:
            return next(self._new_pages), datetime.now(UTC)
        page = self._pages[self._rng.integers(len(self._pages))]
        y, x = self._rng.integers(0, TILE, 2)
        noise = self._noise[y : y + page.shape[0], x : x + page.shape[1]]
        return np.clip(page + noise, 0, 255).astype(np.uint8), datetime.now(UTC)


def _pages(size: tuple[int, int], rng: np.random.Generator) -> Iterator[Pixels]:
    """Pages of all kinds, for ever: one in sixteen is of letters and scribbles, others are blank."""
    most = size[0] // 40
    while True:
        lines = int(rng.integers(1, max(2, min(4, size[1] // 60))))
        for _ in range(15):
            seed, digits, difficulty = int(rng.integers(2**32)), int(rng.integers(0, most + 1)), rng.uniform(0, 1)
            source = Synthetic(size=size, seed=seed, digits=digits, lines=lines, difficulty=float(difficulty))
            yield next(source).pixels
        yield _clutter(size, rng)


def _clutter(size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """Letters and scribbles on grey paper."""
    page = np.full((size[1], size[0]), rng.integers(120, 250), np.uint8)
    for _ in range(rng.integers(1, 3)):
        where = (int(rng.integers(0, size[0])), int(rng.integers(20, size[1])))
        cv2.putText(page, "".join(rng.choice(list("ABKRQwmxg?&"), 4)), where, 1, float(rng.uniform(1, 4)), 40, 2)
        cv2.polylines(page, [rng.integers(0, size[0], (6, 1, 2)).astype(np.int32)], False, 60, 2)
    return page


def resources() -> tuple[int, int, int]:
    """Resident bytes, open files and threads of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def endure(frames: int, size: tuple[int, int]) -> bool:
    """Run so many frames, with a line of output for each tenth; whether nothing was left behind."""
    after_imports()
    before: tuple[int, int, int] = (0, 0, 0)
    came, started = 0, time.monotonic()
    camera = Album(size)
    with (
        tempfile.TemporaryDirectory() as folder,
        Reader() as reader,
        open_publisher(f"jsonl:{folder}/read.jsonl", live=True) as publisher,
        SupervisedCamera(camera, deadline_seconds=60) as source,
    ):
        memory_trimmer = MemoryTrimmer()

        def alive(state: str) -> None:
            nonlocal came, before
            came += 1
            memory_trimmer()
            if came == WARM_UP_FRAMES:
                before = resources()
                said = f"{before[0] / 2**20:.1f} MiB, {before[1]} files, {before[2]} threads"
                print(f"{came:7d} frames: {said}", flush=True)
            elif came > WARM_UP_FRAMES and came % (frames // 10) == 0:
                now = resources()
                rate = came / (time.monotonic() - started)
                print(
                    f"{came:7d} frames: {(now[0] - before[0]) / 2**20:+.2f} MiB, {now[1] - before[1]:+d} files, "
                    f"{now[2] - before[2]:+d} threads; {rate:.0f} frames a second",
                    flush=True,
                )
            if came % (frames // 20) == 0:
                (Path(folder) / "read.jsonl").replace(Path(folder) / "read.jsonl.1")
            camera.turn.release()

        tally = run(source, reader.read, [publisher], frames=frames, on_alive=alive)
        after = resources()
        print(f"{tally.frames} frames, digits in {tally.read}; {source.dropped} dropped")
    return after[0] - before[0] < MAX_GROWTH_BYTES and after[1:] == before[1:] and tally.frames == frames


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    width, height = (sys.argv[2] if len(sys.argv) > 2 else "320x240").split("x")
    sys.exit(0 if endure(count, (int(width), int(height))) else 1)
