"""Prometheus metrics, as text: the page and the setting ``metrics`` serve them.

The frame path only adds up numbers; everything else is done when Prometheus asks. Names and units follow
https://prometheus.io/docs/practices/naming/. prometheus_client is imported only here.
"""

from __future__ import annotations

import platform
import re
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from edge.publishers.base import Delivery, Publisher
from edge.reading.reader import Analysis, Reader
from edge.sources.base import Source, State
from edge.system import raspberry
from edge.system.stopwatch import Stopwatch
from edge.system.version import __version__
from edge.types import Change, Event, Frame, Message, Reading, Reason

STAGES = ("capture", "clean", "segment", "normalise", "invoke", "decide", "track", "store", "publish")
"""The stages of the pipeline, in order. ``capture`` is the wait for the next frame. A stage that a frame does not reach
(``store``, if there is nothing to store) is not counted for it."""
STAGE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the buckets of the histogram of a stage's time, in seconds. Chosen."""
LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of the histogram from capture to publication, in seconds: the default buckets of
Prometheus' Go client."""
PUBLISHER_METRICS = {
    "connected": (GaugeMetricFamily, "1 if the far side answers, or the file is writable; else 0.", "connected"),
    "backlog": (GaugeMetricFamily, "Events waiting to be sent.", "backlog"),
    "oldest_age_seconds": (GaugeMetricFamily, "Age of the oldest waiting event; 0 if none waits.", "oldest_seconds"),
    "sent": (CounterMetricFamily, "Events that the far side has accepted; lines written to a file.", "sent"),
    "refused": (CounterMetricFamily, "Events that the far side has refused.", "refused"),
    "failures": (CounterMetricFamily, "Failed connections, lost connections and failed writes.", "failures"),
    "dropped": (CounterMetricFamily, "Events dropped from the store before they were sent; lines lost.", "dropped"),
}
"""End of the metric's name -> its kind, its help text, and the field of ``edge.publishers.base.Delivery``."""


class Histogram:
    """A histogram that is cheap to add to."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """``bounds`` are the upper bounds of the buckets, in rising order; one more bucket counts greater values."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str] = ()) -> None:
        """Add it to a metric, cumulated as Prometheus wants it: each bucket includes those below it."""
        names = [*map(str, self._bounds), "+Inf"]
        family.add_metric(labels, list(zip(names, accumulate(self._counts), strict=True)), self._sum)


class Metrics(Publisher, Collector):
    """Counts frames, readings and messages.

    It must be the last publisher, so that it gets a message after all others. Use its ``analyse`` in place of the
    reader's, and give its ``stopwatch`` to the loop.
    """

    name = "metrics"

    def __init__(
        self,
        *,
        source: Source,
        reader: Reader,
        publishers: Iterable[Publisher] = (),
        root: Path = Path("/"),
    ) -> None:
        """``publishers`` are those whose deliveries are reported; ``root`` is the folder with /proc and /sys."""
        self.stopwatch = Stopwatch()
        """Measures the stages ``capture``, ``track``, ``store`` and ``publish``; read with each reading."""
        self._source, self._reader, self._publishers, self._root = source, reader, tuple(publishers), root
        self._stages = {stage: Histogram(STAGE_SECONDS) for stage in STAGES}
        self._latency = Histogram(LATENCY_SECONDS)
        self._frames = self._readings = 0
        self._rejects: dict[str, int] = dict.fromkeys(get_args(Reason), 0)
        self._events: dict[str, int] = dict.fromkeys(get_args(Change), 0)
        self._swaps: dict[str, int] = {"accepted": 0, "refused": 0}
        self._counting = threading.Lock()
        """Held while a frame is counted and while the numbers are read, so that all numbers of one answer are of the
        same frames."""
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        self._registry = registry

    def text(self) -> bytes:
        """All metrics in Prometheus' text format 0.0.4; any thread may ask."""
        return generate_latest(self._registry)

    def analyse(self, frame: Frame) -> Analysis:
        """The reader's analysis of a frame; the time of each of its stages is counted."""
        analysis = self._reader.analyse(frame)
        self._add_stages(analysis.stages)
        return analysis

    def publish(self, message: Message) -> None:
        """Count a message; with a reading also the loop's stages since the reading before."""
        if isinstance(message, Reading):
            with self._counting:
                self._add_stages(self.stopwatch.take())
                self._frames += 1
                if message.reason is None:
                    self._readings += 1
                else:
                    self._rejects[message.reason] += 1
                # If the clock was set back meanwhile, the difference is negative: count 0.
                self._latency.add(max(0.0, (datetime.now(UTC) - message.captured_at).total_seconds()))
        elif isinstance(message, Event):
            self._events[message.change] += 1
        elif message.subject == "model":
            self._swaps[message.state] = self._swaps.get(message.state, 0) + 1

    def close(self) -> None:
        """Nothing is held."""

    def _add_stages(self, stages: Mapping[str, float]) -> None:
        for stage, seconds in stages.items():
            self._stages[stage].add(seconds)

    # The methods below run in the thread of a server, when Prometheus asks.

    def collect(self) -> Iterator[Metric]:
        """All families, each with its help text."""
        with self._counting:
            frames = self._frame_metrics()
        yield from frames
        yield _totals("events", "Changes of what is written.", "event", self._events)
        yield _total("dropped_frames", "Frames skipped, because a newer one came first.", self._source.dropped)
        states = {state: state == self._source.state for state in get_args(State)}
        yield _gauges("source_state", "State of the source: 1 for its state, 0 for the others.", "state", states)
        model = self._reader.model
        card = {"name": model.card.name, "sha256": model.sha256}
        yield InfoMetricFamily("edge_digits_model", "The model in use.", card)
        yield _totals("model_swaps", "New model files found while running.", "outcome", self._swaps)
        yield from self._publisher_metrics()
        yield from self._raspberry_metrics()
        build = {"version": __version__, "python": platform.python_version(), "machine": platform.machine()}
        yield InfoMetricFamily("edge_digits_build", "The program's version, and what it runs on.", build)

    def _frame_metrics(self) -> list[Metric]:
        stages = HistogramMetricFamily(
            "edge_digits_stage_seconds", "Time that one stage took for one frame.", labels=["stage"]
        )
        for stage, histogram in self._stages.items():
            histogram.add_to(stages, [stage])
        latency = HistogramMetricFamily(
            "edge_digits_camera_to_publish_seconds", "Time from the capture of a frame until its reading is published."
        )
        self._latency.add_to(latency)
        return [
            stages,
            latency,
            _total("frames", "Frames read.", self._frames),
            _total("readings", "Frames in which digits were read.", self._readings),
            _totals("rejects", "Frames in which no digit was read.", "reason", self._rejects),
        ]

    def _publisher_metrics(self) -> Iterator[Metric]:
        deliveries: dict[str, Delivery] = {}
        for publisher in self._publishers:
            if delivery := publisher.delivery():
                # Readings and events may go to the same file, but Prometheus accepts a label only once.
                suffix = f" ({len(deliveries) + 1})" if publisher.name in deliveries else ""
                deliveries[publisher.name + suffix] = delivery
        for name, (kind, description, field) in PUBLISHER_METRICS.items():
            family = kind(f"edge_digits_publisher_{name}", description, labels=["publisher"])
            for label, delivery in deliveries.items():
                family.add_metric([label], float(getattr(delivery, field)))
            yield family

    def _raspberry_metrics(self) -> Iterator[Metric]:
        degrees, throttled = raspberry.temperature_celsius(self._root), raspberry.throttled_bits(self._root)
        if degrees is not None:
            yield GaugeMetricFamily("edge_digits_temperature_celsius", "Temperature of the hottest sensor.", degrees)
        if throttled is not None:
            now, ever = raspberry.decode_throttled(throttled)
            description = "1 if the Pi is throttled for low voltage or heat"
            for name, when, active in (("throttled", "now", now), ("throttled_since_boot", "since boot", ever)):
                values = {_label(how): how in active for how in raspberry.THROTTLED_BITS.values()}
                yield _gauges(name, f"{description}, {when}; otherwise 0.", "how", values)


def _label(words: str) -> str:
    return re.sub("[ -]", "_", words)


def _total(name: str, description: str, value: int) -> Metric:
    return CounterMetricFamily(f"edge_digits_{name}", description, value)


def _totals(name: str, description: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"edge_digits_{name}", description, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _gauges(name: str, description: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"edge_digits_{name}", description, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
