"""A camera as a source that keeps its promises: the newest frame or an error in time, whatever its driver does.

The camera lives in a thread of its own, which opens it, reads it and opens it again after it failed, for ever. The
loop takes the newest frame from there; what blocks, blocks that thread.

How soon after a camera's return the first frame comes: at once where it had only fallen silent; within a second and
what opening takes where its device, its holder or its port tells (``Camera.devices``). Where nothing tells, when the
pause ends: 30 s at most. That is so for a ribbon cable whose camera refuses to start, and for a network camera that
answers as before and yet gives no video.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Hashable, Iterator
from datetime import datetime

import numpy as np

from edge.errors import EdgeError, SourceError, WedgedError
from edge.sources.base import DEADLINE_SECONDS, FROZEN_SECONDS, Camera, Source, State
from edge.system.backoff import Backoff
from edge.system.text import one_line
from edge.types import Frame, Pixels

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Seconds before a camera that failed is opened again: the first time, and at most. Each is twice the one before."""
OPEN_LONG_SECONDS = 4.0
"""One that was open for so long and gave nothing is opened again soon: the listening was the pause."""
ASK_SECONDS = 0.5
"""How often it is looked at from outside during a pause."""
WEDGED_SECONDS = 15.0
"""A call into the driver that takes longer does not come back. OpenCV gives up after 10 s by itself."""
GOODBYE_SECONDS = 0.5
"""So long may the camera take to be given back at the end."""
SLICE = 0.1
"""Seconds: all waits are made of these, as a signal handler that returns does not end a wait (PEP 475)."""


class SupervisedCamera(Source):
    """The Source that is made of a Camera. Frames are counted as they come, also those that nobody takes.

    What goes wrong is logged where it begins, once, and where it ends.
    """

    live = True

    def __init__(
        self, camera: Camera, *, deadline_seconds: float = DEADLINE_SECONDS, frozen_seconds: float = FROZEN_SECONDS
    ) -> None:
        """``frozen_seconds`` 0: a picture may stay the same for ever."""
        self.name = camera.name
        self.state: State = "starting"
        self.dropped = 0
        self.wedged = False
        self._camera = camera
        self._deadline = deadline_seconds
        self._still = FrozenDetector(frozen_seconds)
        self._worker = threading.Thread(target=self._work, name=camera.name, daemon=True)
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._count = 0
        self._problem = ""
        self._said: set[str] = set()
        self._stopped = False
        self._opened = math.inf
        self._first: float | None = None
        # Which call into the driver this is, and whether it is still under way; and for how long, as seen from outside.
        self._calls = 0
        self._calling = False
        self._blocked = (0, 0.0)

    def __next__(self) -> Frame:
        """The newest frame that was not taken yet; SourceError where none comes within the deadline.

        WedgedError where the driver has not come back for 15 s.
        """
        if not (self._stopped or self._worker.ident):
            self._worker.start()
        until = time.monotonic() + self._deadline
        while not self._stopped:
            with self._changed:
                if self._newest is None:
                    self._wait(until)
                frame, self._newest = self._newest, None
            if frame is not None:
                return frame
            if self._blocked[1] > WEDGED_SECONDS:
                self.wedged = True
                raise WedgedError(
                    f"{self._camera.name}: its driver has not answered for {WEDGED_SECONDS:g} s; "
                    "start again, and unplug the camera where that does not help"
                )
            if time.monotonic() >= until and not self._stopped:
                raise SourceError(self._late())
        raise StopIteration

    def _wait(self, until: float) -> None:
        """Wait a little for a frame, and count for how long the driver has been in the same call."""
        before = time.monotonic()
        self._changed.wait(max(0.0, min(SLICE, until - before)))
        # A process that was itself held up (SIGSTOP) finds that hours have passed: that is not the driver's doing.
        waited = min(time.monotonic() - before, 2 * SLICE)
        call, blocked = self._blocked
        self._blocked = (call, blocked + waited) if self._calling and call == self._calls else (self._calls, 0.0)

    def _late(self) -> str:
        """Why there is no frame at the deadline, said and noted."""
        with self._changed:
            if self.state == "running":
                self.state = "stalled"
            problem = self._problem or f"{self._camera.name}: no frame for {self._deadline:g} s"
        self._say(problem)
        return problem

    def _say(self, problem: str) -> None:
        with self._changed:
            known = problem in self._said
            self._said.add(problem)
        if not known and not self._stopped:
            log.warning("%s (trying again until it comes)", problem)

    def stop(self) -> None:
        """End the wait for the next frame within 0.1 s, and the frames; a signal handler may call it."""
        # No lock: the handler may have interrupted the thread that holds it.
        self._stopped = True

    def close(self) -> None:
        """Give the camera back, unless its driver does not answer: then ``wedged`` is true, and it is left there."""
        self._stopped = True
        if self._worker.ident and not self.wedged:
            self._worker.join(GOODBYE_SECONDS)
            self.wedged = self._worker.is_alive()

    # What follows runs in the worker's thread.

    def _work(self) -> None:
        backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        while not self._stopped:
            there = self._devices()
            problem = self._run()
            if self._stopped:
                return
            with self._changed:
                self._problem = problem
                if self.state != "starting":
                    self.state = "reopening"
            self._say(problem)
            # One that had been well is opened again soon; one that only comes and goes, less and less often.
            now = time.monotonic()
            well = self._first is not None and now - self._first > backoff.longest
            if well or now - self._opened > OPEN_LONG_SECONDS:
                backoff.reset()
            if self._sleep(backoff.pause(), there):
                backoff.reset()

    def _run(self) -> str:
        """Open the camera and read it until it fails, or is stopped; gives the line that says why."""
        self._first, self._opened = None, math.inf
        try:
            with self._call():
                self._camera.open()
            self._opened = time.monotonic()
            while not self._stopped:
                with self._call():
                    pixels, taken = self._camera.read()
                self._take(pixels, taken)
        except EdgeError as error:
            return str(error)
        except Exception as error:
            # Drivers raise what they like; none of it may end the thread.
            return f"{self._camera.name}: {type(error).__name__}: {one_line(error)}"
        finally:
            with self._call(), contextlib.suppress(Exception):
                self._camera.close()
        return ""

    def _take(self, pixels: Pixels, taken: datetime) -> None:
        """Put a picture where the loop finds it; SourceError where it is none, or an old one again and again."""
        if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
            raise SourceError(f"{self._camera.name}: gives no picture, but {pixels.dtype} of shape {pixels.shape}")
        now = time.monotonic()
        self._first = self._first or now
        if self._still.frozen(pixels, now):
            if now - self._opened >= self._still.seconds:
                raise SourceError(f"{self._camera.name}: its picture has been the same for {self._still.seconds:g} s")
            # Opened again since, and still the same: it is not back yet.
            self.state = "stalled"
            return
        with self._changed:
            said, self._said = self._said, set()
        # Before the frame: whoever gets it has been told.
        if said and not self._stopped:
            log.warning("%s: frames come now", self._camera.name)
        with self._changed:
            self.dropped += self._newest is not None
            self._newest = Frame(pixels, self._camera.name, self._count, taken)
            self._count += 1
            self.state, self._problem = "running", ""
            self._changed.notify()

    @contextlib.contextmanager
    def _call(self) -> Iterator[None]:
        """Around each call into the driver, so that one that does not come back is noticed."""
        self._calls += 1
        self._calling = True
        try:
            yield
        finally:
            self._calling = False

    def _devices(self) -> Hashable:
        with contextlib.suppress(OSError):
            return self._camera.availability()
        return None

    def _sleep(self, seconds: float, there: Hashable) -> bool:
        """Wait for ``seconds``; True where the devices are no longer what was ``there``, as soon as that is so."""
        asked = time.monotonic()
        until = asked + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE))
            if time.monotonic() - asked >= ASK_SECONDS and not self._stopped:
                if self._devices() != there:
                    return True
                asked = time.monotonic()
        return False


class FrozenDetector:
    """Whether a picture has stayed the same, to the byte, for too long."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` 0: it may."""
        self.seconds = seconds
        self._last: Pixels | None = None
        self._since = 0.0
        self._frozen = False

    def frozen(self, pixels: Pixels, now: float) -> bool:
        """Whether ``pixels``, seen at ``now`` (monotonic seconds), are what has been there for too long.

        It stays so until another picture comes.
        """
        if not self.seconds:
            return False
        if self._last is None or not same(self._last, pixels):
            self._last, self._since, self._frozen = pixels, now, False
        elif now - self._since >= self.seconds:
            self._frozen = True
        return self._frozen


def same(a: Pixels, b: Pixels) -> bool:
    """Whether two pictures are the same to the byte; noise tells them apart at the first few pixels."""
    return a.shape == b.shape and np.array_equal(a[::16, ::16], b[::16, ::16]) and np.array_equal(a, b)
