"""``edge aim``: shows live how well the camera sees the page, and the one next step that makes it better."""

from __future__ import annotations

import argparse
import logging
import math
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from edge import uri
from edge.commands.aim import screen
from edge.commands.aim.saving import offer_to_save, save
from edge.commands.aim.watcher import Watcher
from edge.commands.arguments import Parser, add_settings, picture_file, positive, reader_of, settings_of
from edge.errors import SourceError, WedgedError
from edge.reading.aim import Aim
from edge.running.systemd import stop_signals
from edge.settings import Settings
from edge.sources import open_source
from edge.sources.base import Source
from edge.system.process import end_process
from edge.system.text import printable

LINE_SECONDS = 1.0
"""Seconds from one line to the next, of a camera and without a terminal. Chosen."""
FIRST = 15.0
"""Seconds to wait for the first frame where ``--seconds`` says when to stop. Chosen: libcamera may take 10 s."""

EXAMPLES = """examples:
  edge aim                                             the Pi's camera, until Ctrl-C
  edge aim --source v4l2:/dev/video0                   a USB camera
  edge aim --config edge.toml --save                   and keep the focus that it found in that file
  edge aim --source 'files:photos/*.jpg' --json        one JSON object for each photograph
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object per line, described by edge/schema/aim.json"
    )
    parser.add_argument(
        "--seconds",
        type=positive,
        metavar="S",
        help=f"stop this long after the first frame, or {FIRST:.0f} s without one",
    )
    parser.add_argument(
        "--picture", type=picture_file, metavar="FILE", help="at the end, draw what was read on the last frame there"
    )
    parser.add_argument(
        "--save",
        action="store_true",
        help="at the end, if the view is good, write the source and what the camera has set by itself into --config",
    )
    add_settings(parser, only=("source", "source_deadline", "model", "min_confidence"))


def run(arguments: argparse.Namespace) -> int:
    """Look at frame after frame until it is stopped; the exit status is 1 if none came."""
    if arguments.save and not arguments.config:
        arguments.parser.error("--save writes into the settings file: name it with --config")
    settings = settings_of(arguments)
    with ExitStack() as stack:
        source = stack.enter_context(open_source(settings.source, deadline_seconds=settings.source_deadline))
        source.check()
        watcher = Watcher(stack.enter_context(reader_of(settings)), source)
        live = source.live and sys.stdout.isatty() and not arguments.json
        wedged = ""
        try:
            _show(arguments, source, watcher, live=live)
        except WedgedError as error:
            wedged = str(error)
        source.close()
        status = 1 if wedged or not watcher.newest else _finish(arguments, settings, watcher, live=live)
        if wedged or not watcher.newest:
            name = source.name or uri.public(settings.source)
            print(f"edge: {wedged or source.problem or f'{name}: gave no frame'}", file=sys.stderr)
    if source.wedged:
        # A normal end might wait for the thread that hangs in the camera's driver.
        end_process(status)
    return status


def _show(arguments: argparse.Namespace, source: Source, watcher: Watcher, *, live: bool) -> None:
    """Show each view until the source ends, the time is over or a signal comes; ``live``: on the whole screen."""
    size = shutil.get_terminal_size
    text_of = screen.as_json if arguments.json else screen.as_line
    seconds = arguments.seconds
    drawn_at, until = 0.0, time.monotonic() + FIRST if seconds else math.inf
    with ExitStack() as stack:
        stopping = stack.enter_context(stop_signals(source.stop))
        if live:
            # A line of the log would spoil the screen, which says the same.
            stack.callback(logging.disable, logging.root.manager.disable)
            logging.disable(logging.WARNING)
            stack.callback(print, screen.LEAVE, end="", flush=True)
            print(screen.ENTER, end="", flush=True)
        for aim in _aims(source, watcher):
            now = time.monotonic()
            if aim and seconds:
                until, seconds = now + seconds, None
            if live and now - drawn_at >= screen.REDRAW_SECONDS:
                print(screen.screen(source.name, watcher, source.problem, *size()), end="", flush=True)
                drawn_at = now
            elif not live and aim and (not source.live or now - drawn_at >= LINE_SECONDS):
                print(text_of(aim, watcher.sharpness_share), flush=True)
                drawn_at = now
            if stopping.is_set() or now >= until:
                break


def _aims(source: Source, watcher: Watcher) -> Iterator[Aim | None]:
    """The aim by each frame; None each time that the camera gives none. Raises WedgedError."""
    while True:
        try:
            yield watcher.see(next(source))
        except StopIteration:
            return
        except WedgedError:
            raise
        except SourceError as error:
            if not source.live:
                print(f"edge: {printable(str(error))}", file=sys.stderr)
                continue
            yield None


def _finish(arguments: argparse.Namespace, settings: Settings, watcher: Watcher, *, live: bool) -> int:
    """Draw the picture and save the settings, if that was asked for; returns the exit status."""
    assert watcher.newest is not None
    step = watcher.newest.step
    if live:
        # The screen is gone.
        print(watcher.newest.advice)
    if arguments.picture:
        watcher.draw(arguments.picture)
    if arguments.save:
        if step:
            print(f"edge: {arguments.config}: not changed, as the view is not good yet: {step.text}", file=sys.stderr)
            return 1
        # Otherwise it would stand among the JSON.
        out = sys.stderr if arguments.json else sys.stdout
        print(save(Path(arguments.config), settings.source, watcher.newest.found), file=out)
    elif live and arguments.config and sys.stdin.isatty() and not step:
        offer_to_save(Path(arguments.config), settings.source, watcher.newest.found)
    return 0
