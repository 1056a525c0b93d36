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
    from edge.web.server import WebServer

FPS, HOLD = 10, 30
"""Frames per second, and frames of each page, which is thus shown for three seconds. Chosen for watching."""
ADDRESS, ANY_PORT = "127.0.0.1:8080", "127.0.0.1:0"
"""The usual address of the live page, and one that lets the system choose a free port."""

EXAMPLES = """examples:
  edge demo                     until Ctrl-C
  edge demo --seconds 20
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "--seconds",
        type=_seconds,
        metavar="S",
        help="stop after this time (default: run until Ctrl-C; 60 without a terminal)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the generated pages (default 1)")
    add_settings(parser, without=("source", "publish", "state", "metrics"))


def run(arguments: argparse.Namespace) -> int:
    """Print what was read on each page and how long it took, and a summary; a browser shows it too."""
    seconds = arguments.seconds or (math.inf if sys.stdout.isatty() else 60.0)
    return demo(settings_of(arguments), seed=arguments.seed, seconds=seconds)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


class PageReport(Publisher):
    """Prints a line for each page after it was read, and at the end how many were right."""

    name = "demo"

    def __init__(self, live_reader: LiveReader) -> None:
        """``live_reader`` has the frame that was read last."""
        self._live_reader = live_reader
        self._newest: tuple[Frame, Reading] | None = None
        self._pages = self._right = self._digits = self._wrong = 0
        self._times: list[float] = []

    def publish(self, message: Message) -> None:
        """Print the last reading of a page when the next page comes."""
        if isinstance(message, Reading) and (newest := self._live_reader.newest):
            if self._newest and self._newest[0].truth != newest[0].truth:
                self._print_page(*self._newest)
            self._newest = newest[0], message
            self._times.append(message.elapsed_ms)

    def close(self) -> None:
        """Print the last page and the summary."""
        if self._newest:
            self._print_page(*self._newest)
            self._newest = None
            print(
                f"\n{self._right} of {self._pages} pages without a mistake, {self._digits - self._wrong} of"
                f" {self._digits} digits; median {statistics.median(self._times):.1f} ms a frame."
            )

    def _print_page(self, frame: Frame, reading: Reading) -> None:
        truth, text = frame.truth or "", reading.text
        same = text == truth
        self._pages, self._right = self._pages + 1, self._right + same
        self._digits += len(only_digits(truth))
        self._wrong += edits(only_digits(text), only_digits(truth))[0]
        shown = (text or f"nothing ({reading.reason})").replace("\n", " / ")
        mark = "ok" if same else f"<- written: {truth.replace(chr(10), ' / ')}"
        print(f"{self._pages:4d}  {shown:20s} {reading.elapsed_ms:5.1f} ms  {mark}", flush=True)


def demo(settings: Settings, *, seed: int, seconds: float) -> int:
    """Read a synthetic camera for ``seconds`` (infinite: until it is stopped); returns the exit status."""
    from edge.commands.pipeline import run_source

    source = f"synthetic:?seed={seed}&digits=6&lines=2&fps={FPS}&hold={HOLD}"
    frames = None if math.isinf(seconds) else max(1, round(seconds * FPS))
    print("Generated pages of handwriting, seen by a synthetic camera: uneven light, tilt, blur, noise.", flush=True)
    # A temporary state folder: the events of a demo do not belong in the history.
    with tempfile.TemporaryDirectory(prefix="edge-demo-") as state:
        chosen = replace(settings, source=source, publish=(), web=settings.web or _free_address(), state=state)
        return run_source(chosen, frames, extra_publisher=PageReport, announce=_announce)


def _announce(web: WebServer) -> None:
    # The link contains the token, so that everything can be tried.
    print(f"Live page, where you can also draw, teach and tune: {web.link}\nCtrl-C stops the demo.\n", flush=True)


def _free_address() -> str:
    """The usual address, or one with any free port if that is in use."""
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(split_address(ADDRESS, "web"))
        return ADDRESS
    return ANY_PORT
