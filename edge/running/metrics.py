"""``metrics = "127.0.0.1:9101"``: what Prometheus is told, at http://127.0.0.1:9101/metrics. Its library's only door.

The frame path only adds numbers up; what they are called, and all that can be looked up, is done when somebody asks.
Names and units are as Prometheus wants them: https://prometheus.io/docs/practices/naming/.
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
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from edge.errors import PublishError
from edge.publishers.base import Delivery, Publisher
from edge.reading.reader import Analysis, Reader
from edge.sources.base import Source, State
from edge.system import raspberry
from edge.system.stopwatch import Stopwatch
from edge.system.text import one_line
from edge.system.version import __version__
from edge.types import Change, Event, Frame, Message, Reading, Reason
from edge.uri import split_address

STAGES = ("capture", "clean", "segment", "normalise", "invoke", "decide", "track", "store", "publish")
"""Along the line. ``capture`` is the wait for the next frame, and is followed by what is done with it; a stage that a
frame does not come to (there is nothing to store) is not counted for it."""
STAGE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets."""
PUBLISHER = {
    "connected": (GaugeMetricFamily, "Whether the far side answers, or the file is written: 1 or 0.", "connected"),
    "backlog": (GaugeMetricFamily, "Events that wait to be sent.", "backlog"),
    "oldest_age_seconds": (GaugeMetricFamily, "Age of the oldest of them; 0 where none waits.", "oldest_seconds"),
    "sent": (CounterMetricFamily, "Events that the far side has; lines that a file has.", "sent"),
    "refused": (CounterMetricFamily, "Events that the far side would not take.", "refused"),
    "failures": (CounterMetricFamily, "How often a connection, or writing, failed or broke.", "failures"),
    "dropped": (CounterMetricFamily, "Events that the store let go unsent; lines that a file did not take.", "dropped"),
}
"""End of the name -> its kind, what it says, and the field of ``edge.publishers.base.Delivery``."""


class Bins:
    """A histogram that is cheap to add to."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """``bounds`` are the greatest value of each bin, rising; one more bin has the rest."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def into(self, family: HistogramMetricFamily, labels: Sequence[str] = ()) -> None:
        """Put it under a name: each bucket counts those below it, too, as Prometheus has it."""
        names = [*map(str, self._bounds), "+Inf"]
        family.add_metric(labels, list(zip(names, accumulate(self._counts), strict=True)), self._sum)


class Metrics(Publisher, Collector):
    """Counts what passes, and answers Prometheus from a thread of its own.

    The last of the publishers, so that it sees a message when the others have it. Its ``look`` stands in for the
    reader's, and the laps of its ``watch`` are the loop's.
    """

    name = "metrics"

    def __init__(
        self,
        address: str,
        *,
        source: Source,
        reader: Reader,
        publishers: Iterable[Publisher] = (),
        root: Path = Path("/"),
    ) -> None:
        """Listen at ``host:port``, or nowhere. ``publishers`` say how they get on; ``root`` has the system's files.

        SettingsError: that is no address. PublishError: it cannot be had.
        """
        self.stopwatch = Stopwatch()
        """For ``capture``, ``track``, ``store`` and ``publish``: taken with each reading."""
        self._source, self._reader, self._publishers, self._root = source, reader, tuple(publishers), root
        self._stages = {stage: Bins(STAGE_SECONDS) for stage in STAGES}
        self._latency = Bins(LATENCY_SECONDS)
        self._frames = self._readings = 0
        self._rejects: dict[str, int] = dict.fromkeys(get_args(Reason), 0)
        self._events: dict[str, int] = dict.fromkeys(get_args(Change), 0)
        self._swaps: dict[str, int] = {"accepted": 0, "refused": 0}
        self._counting = threading.Lock()
        """Held while a frame is counted and while its numbers are read: those of one answer are of the same frames."""
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        self._registry = registry
        self._server = _server(address, registry) if address else None
        self.port: int = self._server.server_port if self._server else 0
        """Where it listens: a free one where port 0 was asked for."""
        self._closed = False

    def text(self) -> bytes:
        """What Prometheus is told, in its text format 0.0.4; any thread may ask."""
        return generate_latest(self._registry)

    def analyse(self, frame: Frame) -> Analysis:
        """What the reader sees, the time of each of its stages counted."""
        analysis = self._reader.analyse(frame)
        self._took(analysis.stages)
        return analysis

    def publish(self, message: Message) -> None:
        """Count a message; with a reading, the loop's laps since the one before."""
        if isinstance(message, Reading):
            with self._counting:
                self._took(self.stopwatch.take())
                self._frames += 1
                if message.reason is None:
                    self._readings += 1
                else:
                    self._rejects[message.reason] += 1
                # A clock that was set back meanwhile makes no reading of the future.
                self._latency.add(max(0.0, (datetime.now(UTC) - message.captured_at).total_seconds()))
        elif isinstance(message, Event):
            self._events[message.change] += 1
        elif message.subject == "model":
            self._swaps[message.state] = self._swaps.get(message.state, 0) + 1

    def close(self) -> None:
        """Stop answering: at once for the caller, within half a second for the port."""
        if self._server and not self._closed:
            self._closed = True
            threading.Thread(target=_end, args=(self._server,), name=self.name, daemon=True).start()

    def _took(self, stages: Mapping[str, float]) -> None:
        for stage, seconds in stages.items():
            self._stages[stage].add(seconds)

    # What follows runs in a thread of the server, when Prometheus asks.

    def collect(self) -> Iterator[Metric]:
        """All families, each with its help text."""
        with self._counting:
            frames = self._of_frames()
        yield from frames
        yield _totals("events", "What became of the writing, said once.", "event", self._events)
        yield _total("dropped_frames", "Frames that came while another was read.", self._source.dropped)
        states = {state: state == self._source.state for state in get_args(State)}
        yield _gauges("source_state", "How the source is: 1 for its state, 0 for the others.", "state", states)
        model = self._reader.model
        card = {"name": model.card.name, "sha256": model.sha256}
        yield InfoMetricFamily("edge_digits_model", "The model that reads.", card)
        yield _totals("model_swaps", "New models that came while it ran.", "outcome", self._swaps)
        yield from self._deliveries()
        yield from self._board()
        build = {"version": __version__, "python": platform.python_version(), "machine": platform.machine()}
        yield InfoMetricFamily("edge_digits_build", "The program, and what it runs on.", build)

    def _of_frames(self) -> list[Metric]:
        stages = HistogramMetricFamily(
            "edge_digits_stage_seconds", "Time a stage of the line took for one frame.", labels=["stage"]
        )
        for stage, bins in self._stages.items():
            bins.into(stages, [stage])
        latency = HistogramMetricFamily(
            "edge_digits_camera_to_publish_seconds", "From the capture of a frame until what was read is published."
        )
        self._latency.into(latency)
        return [
            stages,
            latency,
            _total("frames", "Frames that were read.", self._frames),
            _total("readings", "Frames in which there were digits.", self._readings),
            _totals("rejects", "Frames in which there were none.", "reason", self._rejects),
        ]

    def _deliveries(self) -> Iterator[Metric]:
        deliveries: dict[str, Delivery] = {}
        for publisher in self._publishers:
            if delivery := publisher.delivery():
                # Readings and events may go to one file, and Prometheus takes no name twice.
                again = f" ({len(deliveries) + 1})" if publisher.name in deliveries else ""
                deliveries[publisher.name + again] = delivery
        for name, (kind, says, of) in PUBLISHER.items():
            family = kind(f"edge_digits_publisher_{name}", says, labels=["publisher"])
            for label, delivery in deliveries.items():
                family.add_metric([label], float(getattr(delivery, of)))
            yield family

    def _board(self) -> Iterator[Metric]:
        degrees, throttled = raspberry.degrees(self._root), raspberry.throttled(self._root)
        if degrees is not None:
            yield GaugeMetricFamily("edge_digits_temperature_celsius", "The hottest sensor.", degrees)
        if throttled is not None:
            now, ever = raspberry.decode(throttled)
            says = "Whether a Pi is held back for want of power or for heat"
            for name, when, named in (("throttled", "now", now), ("throttled_since_boot", "since it started", ever)):
                held = {_label(how): how in named for how in raspberry.BITS.values()}
                yield _gauges(name, f"{says}, {when}: 1 or 0.", "how", held)


def _server(address: str, registry: CollectorRegistry) -> WSGIServer:
    host, port = split_address(address, "metrics")
    try:
        return start_http_server(port, host, registry)[0]
    except OSError as error:
        raise PublishError(
            f"metrics: {address}: cannot be listened at ({error.strerror or one_line(error)});"
            " choose another address, or end what listens there"
        ) from error


def _end(server: WSGIServer) -> None:
    server.shutdown()
    server.server_close()


def _label(words: str) -> str:
    return re.sub("[ -]", "_", words)


def _total(name: str, says: str, value: int) -> Metric:
    return CounterMetricFamily(f"edge_digits_{name}", says, value)


def _totals(name: str, says: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"edge_digits_{name}", says, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _gauges(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"edge_digits_{name}", says, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
