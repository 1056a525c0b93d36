"""Runs the pipeline of ``edge run``: open everything, let the loop go round, close everything in reverse order."""

from __future__ import annotations

import logging
import os
import sys
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
from edge.system.process import Tidy, settle
from edge.types import Notice

if TYPE_CHECKING:
    from edge.web.server import Web

log = logging.getLogger(__name__)


def _announce(web: Web) -> None:
    # Not a warning, but whoever asked for a page has to know its address; the log of a service is the place for it.
    log.warning("web: the live page is at %s", web.url)


def run_source(
    settings: Settings,
    frames: int | None = None,
    *,
    also: Callable[[LiveReader], Publisher] | None = None,
    announce: Callable[[Web], None] = _announce,
    pinned: Iterable[str] = (),
) -> int:
    """Read ``settings.source`` until it ends, ``frames`` came, or a signal asks to stop; gives the exit status.

    ``also`` makes one more publisher. ``announce`` is told of the live page, where there is one. What was saved on that
    page replaces ``settings.vision``, except for the fields in ``pinned``.

    Where a camera's driver hangs, this ends the process itself. Raises EdgeError where something cannot be opened.
    """
    settle()
    watchdog = Watchdog()
    with ExitStack() as stack:
        pipeline = open_pipeline(stack, settings, also=also, announce=announce, pinned=pinned)
        status = _run(stack, pipeline, watchdog, frames)
        watchdog.stopping()
    if pipeline.source.wedged:
        _end_process(status)
    return status


def _run(stack: ExitStack, pipeline: Pipeline, watchdog: Watchdog, frames: int | None) -> int:
    """Let the loop go round until its end, a signal or a camera that hangs; gives the exit status."""
    swap, tidy = pipeline.model_swap, Tidy()

    def between() -> Iterable[Notice]:
        tidy()
        return swap.apply_pending() if swap else ()

    stopping = stack.enter_context(stop_signals(pipeline.stop))
    stack.enter_context(reload_signal(swap.request_check if swap else _nothing_to_reload))
    if swap:
        swap.start(pipeline.reader)
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
        return 1
    return 1 if tally.failed else 0


def _nothing_to_reload() -> None:
    # Inside a signal handler, where the log may be busy.
    os.write(2, b"edge: SIGHUP: nothing to load again; only a camera's own model (the setting model) can be changed\n")


def _end_process(status: int) -> None:
    """End without waiting for the thread that hangs in a camera's driver: the interpreter's own end might wait."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
