"""``edge demo``: pages of handwriting that nobody wrote, read before a newcomer's eyes: in a browser and a terminal."""

from __future__ import annotations

import contextlib
import math
import socket
import statistics
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.commands.pipeline import run_source
from edge.mqtt.address import split_address
from edge.publishers.base import Publisher
from edge.reading.evaluation import edits, only_digits
from edge.running.live_reader import LiveReader
from edge.settings import Settings
from edge.types import Frame, Message, Reading

if TYPE_CHECKING:
    from edge.web.server import Web

FPS, HOLD = 10, 30
"""Frames a second, and frames of each page: it is shown for three seconds."""
ADDRESS, ANY_PORT = "127.0.0.1:8080", "127.0.0.1:0"


class Pages(Publisher):
    """A line for each page once it was read, and at the end how many were right."""

    name = "demo"

    def __init__(self, viewer: LiveReader) -> None:
        """``viewer`` knows the frame that was read last."""
        self._viewer = viewer
        self._newest: tuple[Frame, Reading] | None = None
        self._pages = self._right = self._digits = self._wrong = 0
        self._times: list[float] = []

    def publish(self, message: Message) -> None:
        """Say what was read on a page when the next one comes."""
        if isinstance(message, Reading) and (newest := self._viewer.newest):
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
    """Read a synthetic camera for so long, or until it is stopped; the exit status."""
    source = f"synthetic:?seed={seed}&digits=6&lines=2&fps={FPS}&hold={HOLD}"
    frames = None if math.isinf(seconds) else max(1, round(seconds * FPS))
    print("Pages of handwriting through a synthetic camera: uneven light, tilt, blur, noise.", flush=True)
    # What happens here is nobody's history.
    with tempfile.TemporaryDirectory(prefix="edge-demo-") as state:
        chosen = replace(settings, source=source, publish=(), web=settings.web or _free(), state=state)
        return run_source(chosen, frames, also=Pages, told=_say)


def _say(web: Web) -> None:
    # With its token: everything may be tried out here.
    print(f"See it, draw digits of your own, teach and tune: {web.link}\nCtrl-C ends it.\n", flush=True)


def _free() -> str:
    """The usual address, or any free port where somebody else has that."""
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(split_address(ADDRESS, "web"))
        return ADDRESS
    return ANY_PORT
