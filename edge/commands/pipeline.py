"""``edge run``: opens everything in its order, lets the loop go round, and closes it in reverse."""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edge import publishers, uri
from edge.controls import Controls, Program
from edge.errors import StateError, WedgedError
from edge.loop import run
from edge.model.classifier import Model
from edge.publishers import open_publisher
from edge.publishers.base import Publisher
from edge.reading.reader import Reader
from edge.running.live_reader import LiveReader
from edge.running.saved_vision import SavedVision
from edge.running.systemd import Watchdog, reload_signal, stop_signals
from edge.settings import Settings
from edge.sources import open_source
from edge.sources.base import Source
from edge.system import state_folder
from edge.system.process import Tidy, settle
from edge.system.stopwatch import Stopwatch
from edge.tracking.change_detector import ChangeDetector
from edge.tracking.tracker import Tracker
from edge.types import Message, Notice, Reading
from edge.vision.settings import VisionSettings

if TYPE_CHECKING:
    from edge.running.metrics import Metrics
    from edge.running.model_swap import ModelSwap
    from edge.store.store import Store
    from edge.web.server import Web

log = logging.getLogger(__name__)


class StorePublisher(Publisher):
    """Puts what happened into the store, from where couriers take it; readings are too many for that."""

    name = "store"

    def __init__(self, store: Store, watch: Stopwatch) -> None:
        self._store, self._watch = store, watch

    def publish(self, message: Message) -> None:
        """Keep an event or a notice."""
        if not isinstance(message, Reading):
            self._watch.lap("publish")
            self._store.append(message)
            self._watch.lap("store")

    def close(self) -> None:
        """The store is closed after its couriers, by whoever opened it."""


def _told(web: Web) -> None:
    # Not a warning, but what whoever asked for a page has to know; the log of a service is the place for it.
    log.warning("web: the live page is at %s", web.url)


def run_source(
    settings: Settings,
    frames: int | None = None,
    *,
    also: Callable[[LiveReader], Publisher] | None = None,
    told: Callable[[Web], None] = _told,
    pinned: Iterable[str] = (),
) -> int:
    """Read ``settings.source`` until it ends, ``frames`` came, or a signal asks to stop; gives the exit status.

    ``also`` makes one more publisher, and ``told`` hears of the page, where there is one. What was saved there stands
    in place of ``settings.vision``, but for the fields in ``pinned``.

    Where a camera's driver hangs, it ends the process itself. Raises EdgeError where something cannot be opened.
    """
    settle()
    watchdog, tidy, controls = Watchdog(), Tidy(), Controls(settings.min_confidence)
    with ExitStack() as stack:
        source = stack.enter_context(
            open_source(
                settings.source, deadline_seconds=settings.source_deadline, frozen_seconds=settings.source_frozen
            )
        )
        swap = stack.enter_context(_swap(settings)) if settings.model and source.live else None
        model = swap.model if swap else Model(settings.model or None, threads=settings.threads)
        tuning = SavedVision(settings.state, settings.vision, pinned)
        reader = stack.enter_context(Reader(model, vision=_vision(tuning), min_confidence=settings.min_confidence))
        viewer = LiveReader(reader, source, controls)
        store = stack.enter_context(_store(settings)) if _keeps(settings, source) else None
        program = Program(
            device=_device(settings),
            controls=controls,
            camera=lambda: source.state,
            stats=viewer.stats,
            picture=viewer.picture.jpeg,
            newest=lambda: store.newest if store else None,
        )
        outputs: list[Publisher] = [viewer, *([stack.enter_context(also(viewer))] if also else [])]
        for text in settings.publish:
            outlet = store.outlet if store else None
            outputs.append(stack.enter_context(open_publisher(text, live=source.live, program=program, outlet=outlet)))
        if _sends(settings):
            stack.callback(_close_couriers, outputs)
        watch = Stopwatch()
        if settings.metrics or settings.web:
            metrics = stack.enter_context(_metrics(settings, source, reader, outputs))
            viewer.look, watch = metrics.look, metrics.watch
            outputs.append(metrics)
            if settings.web:
                web = _web(settings, program, viewer, reader, outputs, store, metrics, tuning)
                outputs.append(stack.enter_context(web))
                told(web)
        tracker = None
        if store:
            outputs.insert(0, StorePublisher(store, watch))
            tracker = Tracker(settings.track, _written(store))
            if source.live:
                viewer.still, viewer.settled = ChangeDetector(settings.track), tracker.settled

        def stop() -> None:
            source.stop()
            for publisher in outputs:
                publisher.stop()

        def between() -> Iterable[Notice]:
            tidy()
            return swap.between() if swap else ()

        stopping = stack.enter_context(stop_signals(stop))
        stack.enter_context(reload_signal(swap.again if swap else _nothing_to_load))
        if swap:
            swap.serve(reader)
        try:
            tally = run(
                source,
                viewer.read,
                outputs,
                tracker=tracker,
                frames=frames,
                stopping=stopping.is_set,
                alive=watchdog.alive,
                between=between,
                watch=watch,
            )
            status = 1 if tally.failed else 0
        except WedgedError as error:
            log.error("%s", error)
            status = 1
        watchdog.stopping()
    if source.wedged:
        # A thread is in the driver's hands and cannot be joined: the interpreter's own goodbye might wait for it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _keeps(settings: Settings, source: Source) -> bool:
    """Whether there are events: where something stays in sight for a while, or somebody wants them sent."""
    return source.live or _sends(settings)


def _sends(settings: Settings) -> bool:
    """Whether there are couriers."""
    return any(publishers.is_channel_uri(text) for text in settings.publish)


def _store(settings: Settings) -> Store:
    from edge.store.store import FILE, Store

    try:
        folder = state_folder.folder(settings.state)
    except StateError as error:
        log.warning("%s (until then events are kept in memory)", error)
        folder = state_folder.place(settings.state)
    return Store(folder / FILE, device=_device(settings), limits=settings.store)


def _device(settings: Settings) -> str:
    return settings.device or platform.node().partition(".")[0] or "edge-digits"


def _written(store: Store) -> str:
    """What was written there when the program ended, as far as it was told."""
    return str(json.loads(store.newest)["text"]) if store.newest else ""


def _close_couriers(outputs: Iterable[Publisher]) -> None:
    # Together: one after the other, those that hang would take half a second each.
    from edge.publishers.courier import Courier, close_all

    close_all(publisher for publisher in outputs if isinstance(publisher, Courier))


def _metrics(settings: Settings, source: Source, reader: Reader, outputs: Iterable[Publisher]) -> Metrics:
    from edge.running.metrics import Metrics

    return Metrics(settings.metrics, source=source, reader=reader, publishers=outputs)


def _web(
    settings: Settings,
    program: Program,
    viewer: LiveReader,
    reader: Reader,
    outputs: Iterable[Publisher],
    store: Store | None,
    metrics: Metrics,
    tuning: SavedVision,
) -> Web:
    from edge.web.app import Sources
    from edge.web.server import Web

    sources = Sources(
        program=program,
        viewer=viewer,
        reader=reader,
        source=uri.public(settings.source),
        publishers=tuple(outputs),
        events=store.path if store else None,
        told=lambda: store.told if store else None,
        metrics=metrics.text,
        tuning=tuning,
    )
    return Web(settings.web, sources, folder=state_folder.place(settings.state))


def _vision(tuning: SavedVision) -> VisionSettings:
    try:
        return tuning.vision()
    except StateError as error:
        # What was saved is no reason not to read.
        log.warning("%s (until then the settings' own [vision] holds)", error)
        return tuning.configured


def _swap(settings: Settings) -> ModelSwap:
    from edge.running.model_swap import ModelSwap

    return ModelSwap(Path(settings.model), folder=settings.state, threads=settings.threads)


def _nothing_to_load() -> None:
    # Inside a signal handler, where the log may be busy.
    os.write(2, b"edge: SIGHUP: nothing to load again; only a camera's own model (the setting model) can be changed\n")
