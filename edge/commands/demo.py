"""``edge demo``: read generated pages from a synthetic camera, and show them in a terminal and a browser."""

from __future__ import annotations

import argparse
import contextlib
import math
import socket
import statistics
import sys
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.commands.arguments import Parser, add_settings, settings_of
from edge.publishers.base import Publisher
from edge.reading.evaluation import edits, only_digits
from edge.running.live_reader import LiveReader
from edge.settings import Settings
from edge.types import Frame, Message, Reading
from edge.uri import split_address

if TYPE_CHECKING:
    from edge.web.server import Web

FPS, HOLD = 10, 30
"""Frames a second, and frames of each page: it is shown for three seconds."""
ADDRESS, ANY_PORT = "127.0.0.1:8080", "127.0.0.1:0"


EXAMPLES = ""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "--seconds", type=_seconds, metavar="S", help="how long (default: until Ctrl-C; without a terminal 60)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which pages (default 1)")
    add_settings(parser, without=("source", "publish", "state", "metrics"))


def run(arguments: argparse.Namespace) -> int:
    """Print what was written, what was read, and how long it took; a summary at the end; all in a browser too."""
    seconds = arguments.seconds or (math.inf if sys.stdout.isatty() else 60.0)
    return demo(settings_of(arguments), seed=arguments.seed, seconds=seconds)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


class Pages(Publisher):
    """A line for each page once it was read, and at the end how many were right."""

    name = "demo"

    def __init__(self, live_reader: LiveReader) -> None:
        """``live_reader`` knows the frame that was read last."""
        self._live_reader = live_reader
        self._newest: tuple[Frame, Reading] | None = None
        self._pages = self._right = self._digits = self._wrong = 0
        self._times: list[float] = []

    def publish(self, message: Message) -> None:
        """Say what was read on a page when the next one comes."""
        if isinstance(message, Reading) and (newest := self._live_reader.newest):
            if self._newest and self._newest[0].truth != newest[0].truth:
                self._turn(*self._newest)
            self._newest = newest[0], message
            self._times.append(message.elapsed_ms)

    def close(self) -> None:
        """Sum up."""
        if self._newest:
            self._turn(*self._newest)
            self._newest = None
            print(
                f"\n{self._right} of {self._pages} pages without a mistake, {self._digits - self._wrong} of"
                f" {self._digits} digits; median {statistics.median(self._times):.1f} ms a frame."
            )

    def _turn(self, frame: Frame, reading: Reading) -> None:
        truth, text = frame.truth or "", reading.text
        same = text == truth
        self._pages, self._right = self._pages + 1, self._right + same
        self._digits += len(only_digits(truth))
        self._wrong += edits(only_digits(text), only_digits(truth))[0]
        shown = (text or f"nothing ({reading.reason})").replace("\n", " / ")
        mark = "ok" if same else f"<- written: {truth.replace(chr(10), ' / ')}"
        print(f"{self._pages:4d}  {shown:20s} {reading.elapsed_ms:5.1f} ms  {mark}", flush=True)


def demo(settings: Settings, *, seed: int, seconds: float) -> int:
    """Read a synthetic camera for so many seconds, or until it is stopped; gives the exit status."""
    from edge.commands.pipeline import run_source

    source = f"synthetic:?seed={seed}&digits=6&lines=2&fps={FPS}&hold={HOLD}"
    frames = None if math.isinf(seconds) else max(1, round(seconds * FPS))
    print("Pages of handwriting through a synthetic camera: uneven light, tilt, blur, noise.", flush=True)
    # What happens here is nobody's history.
    with tempfile.TemporaryDirectory(prefix="edge-demo-") as state:
        chosen = replace(settings, source=source, publish=(), web=settings.web or _free(), state=state)
        return run_source(chosen, frames, also=Pages, announce=_announce)


def _announce(web: Web) -> None:
    # With its token: everything may be tried out here.
    print(f"See it, draw digits of your own, teach and tune: {web.link}\nCtrl-C ends it.\n", flush=True)


def _free() -> str:
    """The usual address, or any free port where somebody else has that."""
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(split_address(ADDRESS, "web"))
        return ADDRESS
    return ANY_PORT
