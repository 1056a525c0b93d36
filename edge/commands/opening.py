"""Opens the parts of the pipeline of ``edge run`` that the settings ask for."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge import publishers, uri
from edge.commands.arguments import device_of, model_of
from edge.controls import Controls, Program
from edge.errors import StateError
from edge.publishers import open_publisher
from edge.publishers.base import Publisher
from edge.reading.reader import Reader
from edge.running.live_reader import LiveReader
from edge.running.saved_vision import SavedVision
from edge.settings import Settings
from edge.sources import open_source
from edge.sources.base import Source
from edge.system import state_folder
from edge.system.stopwatch import Stopwatch
from edge.tracking.change_detector import ChangeDetector
from edge.tracking.pages import PageEvents
from edge.tracking.tracker import Tracker
from edge.vision.settings import VisionSettings

if TYPE_CHECKING:
    from edge.running.advice_log import AdviceLog
    from edge.running.metrics import Metrics
    from edge.running.model_swap import ModelSwap
    from edge.store.store import Store
    from edge.web.server import MetricsServer, WebServer

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The open parts of ``edge run``, from the source to the publishers."""

    source: Source
    reader: Reader
    live_reader: LiveReader
    publishers: list[Publisher]
    """In the order in which they get each message."""
    tracker: Tracker | PageEvents | None
    """Makes events from readings; None if nothing needs events."""
    model_swap: ModelSwap | None
    """Changes the model while the loop runs; None if the model is fixed."""
    stopwatch: Stopwatch

    def stop(self) -> None:
        """End all waits soon. May be called in a signal handler."""
        self.source.stop()
        for publisher in self.publishers:
            publisher.stop()


def open_pipeline(
    stack: ExitStack,
    settings: Settings,
    *,
    extra_publisher: Callable[[LiveReader], Publisher] | None,
    announce: Callable[[WebServer], None],
    pinned: Iterable[str],
) -> Pipeline:
    """Open everything; ``stack`` closes it in reverse order. For the other arguments see ``run_source``."""
    source = stack.enter_context(
        open_source(settings.source, deadline_seconds=settings.source_deadline, frozen_seconds=settings.source_frozen)
    )
    swap = stack.enter_context(_model_swap(settings)) if settings.model and source.live else None
    model = swap.model if swap else model_of(settings, threads=settings.threads)
    saved = SavedVision(settings.state, settings.vision, pinned)
    reader = stack.enter_context(Reader(model, vision=_vision(saved), min_confidence=settings.min_confidence))
    controls = Controls(settings.min_confidence)
    live_reader = LiveReader(reader, source, controls)
    store = stack.enter_context(_store(settings)) if _wants_events(settings, source) else None
    program = _program(settings, controls, source, live_reader, store)
    outputs: list[Publisher] = [live_reader]
    if extra_publisher:
        outputs.append(stack.enter_context(extra_publisher(live_reader)))
    _open_publishers(stack, settings, source, program, store, outputs)
    stopwatch = Stopwatch()
    if settings.metrics or settings.web:
        metrics = _metrics(source, reader, outputs)
        if settings.metrics:
            stack.enter_context(_metrics_server(settings.metrics, metrics))
        live_reader.analyse, stopwatch = metrics.analyse, metrics.stopwatch
        outputs.append(metrics)
        if settings.web:
            web = stack.enter_context(
                _web(settings, program, source, live_reader, reader, outputs, store, metrics, saved)
            )
            outputs.append(web)
            announce(web)
    # Pages need no store: they make the same events each time.
    tracker: Tracker | PageEvents | None = PageEvents() if source.pages else None
    if store:
        outputs.insert(0, _store_publisher(store, stopwatch))
    if store and not tracker:
        tracker = Tracker(settings.track, _newest_text(store))
        if source.live:
            live_reader.change_detector, live_reader.is_settled = ChangeDetector(settings.track), tracker.is_settled
            live_reader.advice_log = _advice_log(source)
    return Pipeline(
        source=source,
        reader=reader,
        live_reader=live_reader,
        publishers=outputs,
        tracker=tracker,
        model_swap=swap,
        stopwatch=stopwatch,
    )


def _model_swap(settings: Settings) -> ModelSwap:
    from edge.running.model_swap import ModelSwap

    return ModelSwap(Path(settings.model), folder=settings.state, threads=settings.threads)


def _vision(saved: SavedVision) -> VisionSettings:
    try:
        return saved.vision()
    except StateError as error:
        # A damaged file of the live page must not stop the reading.
        log.warning("%s (using [vision] of the settings until then)", error)
        return saved.configured


def _wants_events(settings: Settings, source: Source) -> bool:
    """Whether to make events: for a live source, or if a publisher sends them."""
    return source.live or _has_channels(settings)


def _has_channels(settings: Settings) -> bool:
    """Whether any publisher is a channel: one behind a network, to which a courier delivers."""
    return any(publishers.is_channel_uri(text) for text in settings.publish)


def _store(settings: Settings) -> Store:
    from edge.store.store import FILE, Store

    try:
        folder = state_folder.create(settings.state)
    except StateError as error:
        log.warning("%s (events are kept in memory until then)", error)
        folder = state_folder.locate(settings.state)
    return Store(folder / FILE, device=device_of(settings), limits=settings.store)


def _advice_log(source: Source) -> AdviceLog:
    from edge.running.advice_log import AdviceLog

    return AdviceLog(source)


def _store_publisher(store: Store, stopwatch: Stopwatch) -> Publisher:
    from edge.publishers.store import StorePublisher

    return StorePublisher(store, stopwatch)


def _newest_text(store: Store) -> str:
    """The text of the last event before the program ended; empty if there was none."""
    return str(json.loads(store.newest_event).get("text", "")) if store.newest_event else ""


def _program(
    settings: Settings, controls: Controls, source: Source, live_reader: LiveReader, store: Store | None
) -> Program:
    return Program(
        device=device_of(settings),
        controls=controls,
        camera_state=lambda: source.state,
        camera_problem=lambda: source.problem,
        stats=live_reader.stats,
        last_picture=live_reader.picture.jpeg,
        newest_event=lambda: store.newest_event if store else None,
    )


def _open_publishers(
    stack: ExitStack,
    settings: Settings,
    source: Source,
    program: Program,
    store: Store | None,
    outputs: list[Publisher],
) -> None:
    """Open the publishers of the settings, and append them to ``outputs``."""
    for text in settings.publish:
        outlet = store.outlet if store else None
        outputs.append(stack.enter_context(open_publisher(text, live=source.live, program=program, outlet=outlet)))
    if _has_channels(settings):
        stack.callback(_close_couriers, outputs)


def _close_couriers(outputs: Iterable[Publisher]) -> None:
    # All at once: one after the other, each that hangs would take half a second.
    from edge.publishers.courier import Courier, close_all

    close_all(publisher for publisher in outputs if isinstance(publisher, Courier))


def _metrics(source: Source, reader: Reader, outputs: Iterable[Publisher]) -> Metrics:
    from edge.running.metrics import Metrics

    return Metrics(source=source, reader=reader, publishers=outputs)


def _metrics_server(address: str, metrics: Metrics) -> MetricsServer:
    from edge.web.server import MetricsServer

    return MetricsServer(address, metrics.text)


def _web(
    settings: Settings,
    program: Program,
    source: Source,
    live_reader: LiveReader,
    reader: Reader,
    outputs: Iterable[Publisher],
    store: Store | None,
    metrics: Metrics,
    saved: SavedVision,
) -> WebServer:
    from edge.reading.aim import aim_of
    from edge.web.app import Backend
    from edge.web.server import WebServer

    backend = Backend(
        program=program,
        live_reader=live_reader,
        reader=reader,
        source=uri.public(settings.source),
        aim=partial(aim_of, source=source),
        publishers=tuple(outputs),
        events=store.path if store else None,
        newest_message=lambda: store.newest_message if store else None,
        metrics=metrics.text,
        saved_vision=saved,
    )
    return WebServer(
        settings.web,
        backend,
        folder=state_folder.locate(settings.state),
        certificate=settings.web_cert,
        key=settings.web_key,
    )
