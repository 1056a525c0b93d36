"""Runs the pipeline of ``edge run``: opens everything, runs the loop, closes everything in reverse order."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge.commands.opening import Pipeline, open_pipeline
from edge.errors import WedgedError
from edge.loop import run
from edge.publishers.base import Publisher
from edge.running.live_reader import LiveReader
from edge.running.systemd import Watchdog, reload_signal, stop_signals
from edge.settings import Settings
from edge.system.process import MemoryTrimmer, after_imports, end_process
from edge.types import Notice

if TYPE_CHECKING:
    from edge.web.server import WebServer

log = logging.getLogger(__name__)


def _announce(web: WebServer) -> None:
    # Not a problem, but logged as a warning so that the address is always shown, also in the log of a service.
    log.warning("web: the live page is at %s", web.url)


def run_source(
    settings: Settings,
    frames: int | None = None,
    *,
    extra_publisher: Callable[[LiveReader], Publisher] | None = None,
    announce: Callable[[WebServer], None] = _announce,
    pinned: Iterable[str] = (),
) -> int:
    """Read ``settings.source`` until it ends, after ``frames`` frames, or until a signal; returns the exit status.

    ``extra_publisher`` makes one more publisher. ``announce`` is called with the live page, if there is one. Settings
    saved on that page replace ``settings.vision``, except for the fields in ``pinned``.

    If the driver of a camera hangs, this ends the process. Raises EdgeError if something cannot be opened.
    """
    after_imports()
    watchdog = Watchdog()
    with ExitStack() as stack:
        pipeline = open_pipeline(stack, settings, extra_publisher=extra_publisher, announce=announce, pinned=pinned)
        status = _run(stack, pipeline, watchdog, frames)
        watchdog.stopping()
    if pipeline.source.wedged:
        # A normal end might wait for the thread that hangs in the camera's driver.
        end_process(status)
    return status


def _run(stack: ExitStack, pipeline: Pipeline, watchdog: Watchdog, frames: int | None) -> int:
    """Run the loop until it ends, a signal comes or a camera hangs; returns the exit status."""
    swap, memory_trimmer = pipeline.model_swap, MemoryTrimmer()

    def between() -> Iterable[Notice]:
        memory_trimmer()
        return swap.apply_pending() if swap else ()

    stopping = stack.enter_context(stop_signals(pipeline.stop))
    stack.enter_context(reload_signal(swap.request_check if swap else _nothing_to_reload))
    if swap:
        swap.start(pipeline.reader, pipeline.live_reader.frame_age)
    try:
        tally = run(
            pipeline.source,
            pipeline.live_reader.read,
            pipeline.publishers,
            tracker=pipeline.tracker,
            frames=frames,
            should_stop=stopping.is_set,
            on_alive=watchdog.alive,
            between_frames=between,
            stopwatch=pipeline.stopwatch,
        )
    except WedgedError as error:
        log.error("%s", error)
        failed = True
    else:
        failed = tally.failed > 0
    if swap:
        swap.loop_ended()
    return 1 if failed else 0


def _nothing_to_reload() -> None:
    # Not logged: this runs in a signal handler, which may have interrupted the logging module.
    os.write(2, b"edge: SIGHUP: nothing to reload; this needs the setting model and a camera as source\n")
