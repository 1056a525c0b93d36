"""48 hours of a page that does not change, with a clock that the test turns on: memory, store and events.

    python -m tests.hostile.two_days              a frame every 10 s: some minutes
    python -m tests.hostile.two_days 2 1          two hours, a frame every second

Reader, tracker, change detector and store are those of ``edge run``; each frame has new sensor noise. The status is
1 if resident memory grew by 3 MiB or more after the first tenth, or if the page made more than one event.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge.controls import Controls
from edge.handwriting.virtual_camera import sensor_noise
from edge.loop import run
from edge.publishers.store import StorePublisher
from edge.reading.reader import Reader
from edge.running.live_reader import LiveReader
from edge.sources.base import Source
from edge.sources.synthetic import Synthetic
from edge.store.store import FILE, Store
from edge.system.process import MemoryTrimmer, after_imports
from edge.system.stopwatch import Stopwatch
from edge.tracking.change_detector import ChangeDetector
from edge.tracking.settings import TrackSettings
from edge.tracking.tracker import Tracker
from edge.types import Frame, Notice
from tests.faults.endurance import resources

MAX_GROWTH_BYTES = 3 * 1024 * 1024
"""How much resident memory may grow after the first tenth, in bytes: as in ``tests.faults.endurance``."""


class Page(Source):
    """The same page for ever; the clock goes on by ``period`` seconds with each frame."""

    name, live = "page:", True

    def __init__(self, period: float) -> None:
        self._page = next(Synthetic(size=(320, 240), digits=4, difficulty=0)).pixels
        self._noise = np.random.default_rng(1)
        self._seconds, self._period, self._count = time.monotonic(), period, itertools.count()
        time.monotonic = lambda: self._seconds  # type: ignore[assignment]

    def __next__(self) -> Frame:
        self._seconds += self._period
        pixels = sensor_noise(self._page, self._noise, 1.0)
        return Frame(pixels, self.name, next(self._count), datetime.now(UTC))

    def close(self) -> None: ...


def endure(hours: float, period: float) -> bool:
    """Read the page for so many hours of its clock, a frame every ``period`` seconds; whether nothing grew."""
    after_imports()
    frames = round(hours * 3600 / period)
    before, growth, came = 0, 0, itertools.count(1)
    trim = MemoryTrimmer()
    with (
        tempfile.TemporaryDirectory() as folder,
        Reader() as reader,
        Store(Path(folder) / FILE, device="page") as store,
    ):
        source, settings = Page(period), TrackSettings()
        tracker, live = Tracker(settings, ""), LiveReader(reader, source, Controls(0.5))
        live.change_detector, live.is_settled = ChangeDetector(settings), tracker.is_settled

        def between() -> Iterable[Notice]:
            nonlocal before, growth
            trim()
            count = next(came)
            if count % max(1, frames // 10) == 0:
                memory, files, threads = resources()
                before = before or memory
                growth = memory - before
                size = sum(one.stat().st_size for one in Path(folder).iterdir())
                hour = count * period / 3600
                print(
                    f"{hour:5.1f} h: {growth / 2**20:+6.2f} MiB, {files} files, {threads} threads, store {size} bytes,"
                    f" {store.position} events",
                    flush=True,
                )
            return ()

        publishers = [StorePublisher(store, Stopwatch()), live]
        tally = run(source, live.read, publishers, tracker=tracker, frames=frames, between_frames=between)
        print(f"{tally.frames} frames, digits in {tally.read}")
        return growth < MAX_GROWTH_BYTES and store.position <= 1


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    sys.exit(0 if endure(*(given or [48.0, 10.0])) else 1)
