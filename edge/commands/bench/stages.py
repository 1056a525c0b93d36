"""The whole line, frame after frame, as ``edge run`` goes round it; and the bare minimum on the same frames."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import cv2

from edge.controls import Controls
from edge.errors import SourceError
from edge.loop import run
from edge.model.classifier import Model
from edge.publishers import open_publisher
from edge.publishers.store import StorePublisher
from edge.reading.reader import Analysis, Reader
from edge.running.live_reader import LiveReader
from edge.running.metrics import STAGES
from edge.settings import Settings
from edge.sources import open_source
from edge.sources.base import Source
from edge.store.store import FILE, Store
from edge.system.stopwatch import Stopwatch
from edge.tracking.change_detector import ChangeDetector
from edge.tracking.tracker import Tracker
from edge.types import Frame, Reading

PAGES = 40
"""So many frames of what is no camera are made ready before, and shown in turn."""
WARM = 20
"""So many frames are not counted: caches fill, memory is taken."""
SAME = 1000
"""So many times the last page comes at the end, as a camera shows it: with noise of its own each time."""
ROUNDS = 5
"""The floor is measured in so many parts, between parts of the line: what else the machine does, both bear."""


@dataclass(slots=True)
class Took:
    """Milliseconds of each frame."""

    stages: dict[str, list[float]] = field(default_factory=dict)
    """By stage; one that a frame did not come to has none of it."""
    work: list[float] = field(default_factory=list)
    """From the frame in hand to its reading and events published."""
    latency: list[float] = field(default_factory=list)
    """From when it was captured to that."""
    floor: list[float] = field(default_factory=list)
    """Of the bare minimum."""
    unchanged: list[float] = field(default_factory=list)
    """As ``work``, of a frame that shows the page that was read before, and is not read again."""
    seconds: float = 0.0
    """All of it by the wall's clock,"""
    cpu_seconds: float = 0.0
    """and by the processor's; without the floor."""
    digits: int = 0

    def percentiles(self) -> dict[str, dict[str, float]]:
        """p50, p95 and p99 of each stage, and of the whole."""
        named = {**{stage: self.stages[stage] for stage in STAGES if stage in self.stages}, "frame": self.work}
        named |= {"latency": self.latency, "unchanged": self.unchanged, "floor": self.floor}
        return {name: _percentiles(values) for name, values in named.items() if values}


class Meter:
    """Stands around the line, and notes what each stage took."""

    def __init__(self, live_reader: LiveReader, took: Took) -> None:
        self.same = False
        """Whether what comes now is the same page again."""
        self.watch = Stopwatch()
        self._live_reader, self._took = live_reader, took
        self._begun = 0.0
        self._analysis: Analysis | None = None
        self._frames = 0

    def read(self, frame: Frame) -> Reading | None:
        """What the reader sees."""
        self._begun = time.perf_counter()
        reading = self._live_reader.read(frame)
        self._analysis = self._live_reader.newest[1] if self._live_reader.newest else None
        return reading

    def done(self) -> tuple[()]:
        """A frame has gone round, with all that was published of it; nothing is to be added."""
        now = time.perf_counter()
        if self._analysis is None:
            return ()
        laps, analysis, self._analysis = self.watch.take(), self._analysis, None
        self._frames += 1
        if self._frames <= WARM:
            return ()
        if self.same:
            if analysis.reading.is_repeat:
                self._took.unchanged.append(1000 * (now - self._begun))
            return ()
        for stage, seconds in (laps | analysis.stages).items():
            self._took.stages.setdefault(stage, []).append(1000 * seconds)
        self._took.work.append(1000 * (now - self._begun))
        late = datetime.now(UTC) - analysis.reading.captured_at
        self._took.latency.append(1000 * max(0.0, late.total_seconds()))
        self._took.digits += len(analysis.reading.digits)
        return ()


class Shown(Source):
    """Frames that are ready, again and again, as if a camera gave them now."""

    def __init__(self, frames: list[Frame], name: str) -> None:
        self._frames, self.name = frames, name
        self._index = 0
        self.live = True

    def __next__(self) -> Frame:
        frame = self._frames[self._index % len(self._frames)]
        self._index += 1
        return replace(frame, index=self._index, captured_at=datetime.now(UTC))

    def close(self) -> None:
        """Nothing is held open."""


def measure(settings: Settings, frames: int) -> Took:
    """So many frames of ``settings.source`` through the line. Raises EdgeError where something cannot be opened."""
    took = Took()
    with ExitStack() as stack:
        source = stack.enter_context(open_source(settings.source))
        model = Model(settings.model or None, threads=settings.threads or 1)
        reader = stack.enter_context(Reader(model, vision=settings.vision, min_confidence=settings.min_confidence))
        live_reader = LiveReader(reader, source, Controls(settings.min_confidence))
        meter = Meter(live_reader, took)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-bench-")))
        store = stack.enter_context(Store(folder / FILE, device="bench", limits=settings.store))
        outputs = [
            StorePublisher(store, meter.watch),
            live_reader,
            stack.enter_context(open_publisher(f"jsonl:{os.devnull}")),
        ]
        tracker = Tracker(settings.track)
        ready = [] if source.live else list(islice(_readable(source), PAGES))
        if not source.live and not ready:
            raise SourceError(f"{settings.source}: gives no frame")
        pages = _pages(ready)
        for part in range(ROUNDS):
            page = pages[part % len(pages)] if pages else []
            shown = Shown(page, source.name) if page else source
            begun, processor = time.perf_counter(), time.process_time()
            run(
                shown,
                meter.read,
                outputs,
                tracker=tracker,
                frames=_share(frames, part) + (WARM if part == 0 else 0),
                between_frames=meter.done,
                stopwatch=meter.watch,
            )
            took.seconds += time.perf_counter() - begun
            took.cpu_seconds += time.process_time() - processor
            took.floor += list(_floor(model, page, _share(frames, part), took)) if page else []
        if ready:
            meter.same = True
            live_reader.change_detector, live_reader.is_settled = ChangeDetector(settings.track), tracker.is_settled
            # Of photographs each is another page.
            again = Shown(page if page[-1].truth else page[-1:], source.name)
            run(
                again,
                meter.read,
                outputs,
                tracker=tracker,
                frames=SAME,
                between_frames=meter.done,
                stopwatch=meter.watch,
            )
            del took.unchanged[:WARM]
    return took


def _pages(frames: list[Frame]) -> list[list[Frame]]:
    """Frames of the same page, which is shown in one part: a hand that turns it is no part of reading it."""
    pages: dict[str | None, list[Frame]] = {}
    for frame in frames:
        pages.setdefault(frame.truth, []).append(frame)
    return list(pages.values())


def _floor(model: Model, frames: list[Frame], count: int, took: Took) -> Iterator[float]:
    """Milliseconds of a threshold, connected components, and as many bare invokes as the line's frames have digits."""
    invokes = round(took.digits / max(1, len(took.work)))
    for n in range(count):
        pixels = frames[n % len(frames)].pixels
        begun = time.perf_counter()
        ink = cv2.threshold(pixels, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1]
        cv2.connectedComponentsWithStats(ink)
        model.rerun(invokes)
        yield 1000 * (time.perf_counter() - begun)


def _readable(source: Source) -> Iterator[Frame]:
    while True:
        try:
            yield next(source)
        except StopIteration:
            return
        except SourceError:
            continue


def _share(frames: int, part: int) -> int:
    return frames * (part + 1) // ROUNDS - frames * part // ROUNDS


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return {"p50": round(cuts[49], 4), "p95": round(cuts[94], 4), "p99": round(cuts[98], 4)}
