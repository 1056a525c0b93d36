"""Measures each stage of the loop of ``edge run``, and the floor: the least work that could read the same frames."""

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

LOADED_FRAMES = 40
"""Most frames that are loaded before the measurement, if the source is not a camera. Chosen: they stay in memory."""
WARM_UP_FRAMES = 20
"""The first frames are not counted, as caches fill and memory is allocated. Chosen."""
UNCHANGED_FRAMES = 1000
"""How often the last page is shown at the end, each time with its own noise, as by a camera. Chosen."""
ROUNDS = 5
"""Loop and floor are measured in turn, this many times, so that other load of the machine affects both. Chosen."""


@dataclass(slots=True)
class Times:
    """Milliseconds of each frame, and totals."""

    stages: dict[str, list[float]] = field(default_factory=dict)
    """By stage. A frame that does not reach a stage adds nothing to it."""
    work: list[float] = field(default_factory=list)
    """From having the frame to having published its reading and events."""
    latency: list[float] = field(default_factory=list)
    """From the capture of the frame to having published its reading and events."""
    floor: list[float] = field(default_factory=list)
    """Of the floor: a threshold, connected components and bare runs of the model."""
    unchanged: list[float] = field(default_factory=list)
    """As ``work``, of frames that show an unchanged page and are therefore not read."""
    seconds: float = 0.0
    """Wall-clock time of the loop, without the floor."""
    cpu_seconds: float = 0.0
    """Processor time of the loop, without the floor."""
    digits: int = 0
    """Digits that were read."""

    def percentiles(self) -> dict[str, dict[str, float]]:
        """The 50th, 95th and 99th percentile of each stage and of the whole frame, in milliseconds."""
        named = {**{stage: self.stages[stage] for stage in STAGES if stage in self.stages}, "frame": self.work}
        named |= {"latency": self.latency, "unchanged": self.unchanged, "floor": self.floor}
        return {name: _percentiles(values) for name, values in named.items() if values}


class Meter:
    """Wraps the reader in the loop, and records how long each stage takes."""

    def __init__(self, live_reader: LiveReader, times: Times) -> None:
        self.is_unchanged = False
        """Whether the frames now show the page that was read last."""
        self.stopwatch = Stopwatch()
        self._live_reader, self._times = live_reader, times
        self._begun = 0.0
        self._analysis: Analysis | None = None
        self._frames = 0

    def read(self, frame: Frame) -> Reading | None:
        """Read a frame, as the loop asks for it."""
        self._begun = time.perf_counter()
        reading = self._live_reader.read(frame)
        self._analysis = self._live_reader.newest[1] if self._live_reader.newest else None
        return reading

    def done(self) -> tuple[()]:
        """Record the times of a frame after all of it was published. Returns no notices."""
        now = time.perf_counter()
        if self._analysis is None:
            return ()
        laps, analysis, self._analysis = self.stopwatch.take(), self._analysis, None
        self._frames += 1
        if self._frames <= WARM_UP_FRAMES:
            return ()
        if self.is_unchanged:
            if analysis.reading.is_repeat:
                self._times.unchanged.append(1000 * (now - self._begun))
            return ()
        for stage, seconds in (laps | analysis.stages).items():
            self._times.stages.setdefault(stage, []).append(1000 * seconds)
        self._times.work.append(1000 * (now - self._begun))
        late = datetime.now(UTC) - analysis.reading.captured_at
        self._times.latency.append(1000 * max(0.0, late.total_seconds()))
        self._times.digits += len(analysis.reading.digits)
        return ()


class RepeatedFrames(Source):
    """Loaded frames, again and again, as if a camera captured them now."""

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


def measure(settings: Settings, frames: int) -> Times:
    """Read and time ``frames`` frames of ``settings.source``. Raises EdgeError if something cannot be opened."""
    times = Times()
    with ExitStack() as stack:
        source = stack.enter_context(open_source(settings.source))
        model = Model(settings.model or None, threads=settings.threads or 1)
        reader = stack.enter_context(Reader(model, vision=settings.vision, min_confidence=settings.min_confidence))
        live_reader = LiveReader(reader, source, Controls(settings.min_confidence))
        meter = Meter(live_reader, times)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-bench-")))
        store = stack.enter_context(Store(folder / FILE, device="bench", limits=settings.store))
        outputs = [
            StorePublisher(store, meter.stopwatch),
            live_reader,
            stack.enter_context(open_publisher(f"jsonl:{os.devnull}")),
        ]
        tracker = Tracker(settings.track)
        loaded = [] if source.live else list(islice(_readable(source), LOADED_FRAMES))
        if not source.live and not loaded:
            raise SourceError(f"{settings.source}: gives no frame")
        pages = _pages(loaded)
        for part in range(ROUNDS):
            page = pages[part % len(pages)] if pages else []
            shown = RepeatedFrames(page, source.name) if page else source
            begun, processor = time.perf_counter(), time.process_time()
            run(
                shown,
                meter.read,
                outputs,
                tracker=tracker,
                frames=_share(frames, part) + (WARM_UP_FRAMES if part == 0 else 0),
                between_frames=meter.done,
                stopwatch=meter.stopwatch,
            )
            times.seconds += time.perf_counter() - begun
            times.cpu_seconds += time.process_time() - processor
            times.floor += list(_floor(model, page, _share(frames, part), times)) if page else []
        if loaded:
            meter.is_unchanged = True
            live_reader.change_detector, live_reader.is_settled = ChangeDetector(settings.track), tracker.is_settled
            # Photographs have no known text and are all different pages: then only the last is repeated.
            unchanged = RepeatedFrames(page if page[-1].truth else page[-1:], source.name)
            run(
                unchanged,
                meter.read,
                outputs,
                tracker=tracker,
                frames=UNCHANGED_FRAMES,
                between_frames=meter.done,
                stopwatch=meter.stopwatch,
            )
            del times.unchanged[:WARM_UP_FRAMES]
    return times


def _pages(frames: list[Frame]) -> list[list[Frame]]:
    """The frames grouped by page. Each round shows one page, so that turning the page is not measured."""
    pages: dict[str | None, list[Frame]] = {}
    for frame in frames:
        pages.setdefault(frame.truth, []).append(frame)
    return list(pages.values())


def _floor(model: Model, frames: list[Frame], count: int, times: Times) -> Iterator[float]:
    """Milliseconds of a threshold, connected components and a bare run of the model for each digit, ``count`` times."""
    invokes = round(times.digits / max(1, len(times.work)))
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
