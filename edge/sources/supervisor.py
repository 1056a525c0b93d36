"""Supervises a camera: gives the newest frame, or an error in time, and reopens a camera that fails.

A thread of its own opens the camera, reads it, and opens it again after a failure, for ever. The main loop takes the
newest frame from there, so a call that blocks blocks only that thread.

How soon the first frame comes after a camera is back:
- at once, if the camera had only stopped sending;
- within a second plus the time to open it, if ``Camera.availability`` changes;
- when the pause between two attempts ends, at most 30 s, in all other cases: a ribbon cable whose camera refuses to
  start, or a network camera that answers as before but gives no video.
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
from edge.sources.base import DEADLINE_SECONDS, FROZEN_SECONDS, SLICE_SECONDS, Camera, Source, State
from edge.system.backoff import Backoff
from edge.system.text import one_line
from edge.types import Frame, Pixels

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""The pause before a camera that failed is opened again: the first one, and the longest. Each is about twice the one
before. Chosen: soon enough for a loose cable, rare enough for a camera that is away for days."""
OPEN_LONG_SECONDS = 4.0
"""A camera that was open for this many seconds before it failed is opened again after the first, short pause, even if
it gave no frame. Chosen."""
CHECK_SECONDS = 0.5
"""How often ``Camera.availability`` is called during a pause, in seconds. Chosen."""
CLOSE_SECONDS = 0.5
"""How long ``close()`` waits for the camera to be released, in seconds. Chosen, so that the program ends soon."""


class SupervisedCamera(Source):
    """The Source made of a Camera. Frames are counted as they come, also those that are skipped.

    A failure is logged once when it begins, and once when frames come again.
    """

    live = True

    def __init__(
        self, camera: Camera, *, deadline_seconds: float = DEADLINE_SECONDS, frozen_seconds: float = FROZEN_SECONDS
    ) -> None:
        """Nothing is opened yet. With ``frozen_seconds`` 0 a picture may stay the same for ever."""
        self.name = camera.name
        self.state: State = "starting"
        self.dropped = 0
        self.wedged = False
        self._camera = camera
        self._deadline = deadline_seconds
        self._frozen_detector = FrozenDetector(frozen_seconds)
        self._worker = threading.Thread(target=self._work, name=camera.name, daemon=True)
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._count = 0
        self.problem = ""
        self._logged: set[str] = set()
        self._stopped = False
        self._opened_at = math.inf
        self._first_frame_at: float | None = None
        # The number of the newest call into the driver, and whether it is still running.
        self._calls = 0
        self._calling = False
        # As seen by the loop: the number of a call, and for how many seconds it has been running.
        self._blocked = (0, 0.0)

    def __next__(self) -> Frame:
        """The newest frame that was not taken yet. Raises SourceError if none comes within the deadline.

        Raises WedgedError if a call into the driver has not returned for ``Camera.wedged_seconds``.
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
            if self._blocked[1] > self._camera.wedged_seconds:
                self.wedged = True
                raise WedgedError(
                    f"{self._camera.name}: its driver has not answered for {self._camera.wedged_seconds:g} s; "
                    "start again, and unplug the camera if that does not help"
                )
            if time.monotonic() >= until and not self._stopped:
                raise SourceError(self._deadline_passed())
        raise StopIteration

    def check(self) -> None:
        """Raise SourceError if the camera is sure not to open, as a library is missing."""
        self._camera.check()

    def settings_now(self) -> dict[str, str]:
        """What the camera has set by itself, as options of its URI."""
        return self._camera.settings_now()

    def seen_share(self) -> float | None:
        """How much of what the camera can see its frames show."""
        return self._camera.seen_share()

    def _wait(self, until: float) -> None:
        """Wait a little for a frame, and measure how long the driver has been in the same call."""
        before = time.monotonic()
        self._changed.wait(max(0.0, min(SLICE_SECONDS, until - before)))
        # If this process itself was stopped (SIGSTOP), hours may have passed: do not blame the driver for them.
        waited = min(time.monotonic() - before, 2 * SLICE_SECONDS)
        call, blocked = self._blocked
        self._blocked = (call, blocked + waited) if self._calling and call == self._calls else (self._calls, 0.0)

    def _deadline_passed(self) -> str:
        """Set the state, log the problem, and give it: why there is no frame at the deadline."""
        with self._changed:
            if self.state == "running":
                self.state = "stalled"
            problem = self.problem = self.problem or f"{self._camera.name}: no frame for {self._deadline:g} s"
        self._log_once(problem)
        return problem

    def _log_once(self, problem: str) -> None:
        with self._changed:
            known = problem in self._logged
            self._logged.add(problem)
        if not known and not self._stopped:
            log.warning("%s (retrying until it works)", problem)

    def stop(self) -> None:
        """End the iteration, also a wait for the next frame, within 0.1 s; a signal handler may call it."""
        # No lock: the handler may have interrupted the thread that holds it.
        self._stopped = True

    def close(self) -> None:
        """Release the camera. If its driver does not answer, ``wedged`` is true, and the camera is not released."""
        self._stopped = True
        if self._worker.ident and not self.wedged:
            self._worker.join(CLOSE_SECONDS)
            self.wedged = self._worker.is_alive()

    # The methods below run in the worker thread.

    def _work(self) -> None:
        backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        while not self._stopped:
            before = self._availability()
            problem = self._run()
            if self._stopped:
                return
            with self._changed:
                self.problem = problem
                if self.state != "starting":
                    self.state = "reopening"
            self._log_once(problem)
            # After it worked for a while, the pauses start short again; one that comes and goes gets longer pauses.
            now = time.monotonic()
            worked = self._first_frame_at is not None and now - self._first_frame_at > backoff.longest
            if worked or now - self._opened_at > OPEN_LONG_SECONDS:
                backoff.reset()
            if self._sleep(backoff.pause(), before):
                backoff.reset()

    def _run(self) -> str:
        """Open the camera and read it until it fails or is stopped; gives one line that says why, or nothing."""
        self._first_frame_at, self._opened_at = None, math.inf
        try:
            with self._call():
                self._camera.open()
            self._opened_at = time.monotonic()
            while not self._stopped:
                with self._call():
                    pixels, captured_at = self._camera.read()
                self._offer(pixels, captured_at)
        except EdgeError as error:
            return str(error)
        except Exception as error:
            # Drivers raise all kinds of exceptions; none of them may end the thread.
            return f"{self._camera.name}: {type(error).__name__}: {one_line(error)}"
        finally:
            with self._call(), contextlib.suppress(Exception):
                self._camera.close()
        return ""

    def _offer(self, pixels: Pixels, captured_at: datetime) -> None:
        """Make a picture the newest frame. Raises SourceError if it is no grey picture, or if the camera is frozen."""
        if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
            raise SourceError(f"{self._camera.name}: gives no grey picture, but {pixels.dtype} of shape {pixels.shape}")
        now = time.monotonic()
        self._first_frame_at = self._first_frame_at or now
        frozen = self._frozen_detector
        if frozen.is_frozen(pixels, now):
            if now - self._opened_at >= frozen.seconds:
                raise SourceError(f"{self._camera.name}: its picture has been the same for {frozen.seconds:g} s")
            # It was opened again, and the picture is still the same: give no frame yet.
            self.state = "stalled"
            return
        with self._changed:
            logged, self._logged = self._logged, set()
        # Log before the frame is there: who gets the frame must find the line in the log.
        if logged and not self._stopped:
            log.warning("%s: frames come now", self._camera.name)
        with self._changed:
            self.dropped += self._newest is not None
            self._newest = Frame(pixels, self._camera.name, self._count, captured_at)
            self._count += 1
            self.state, self.problem = "running", ""
            self._changed.notify()

    @contextlib.contextmanager
    def _call(self) -> Iterator[None]:
        """Around each call into the driver, so that the loop notices one that does not return."""
        self._calls += 1
        self._calling = True
        try:
            yield
        finally:
            self._calling = False

    def _availability(self) -> Hashable:
        with contextlib.suppress(OSError):
            return self._camera.availability()
        return None

    def _sleep(self, seconds: float, before: Hashable) -> bool:
        """Wait for ``seconds``; True at once when the availability is no longer what it was ``before``."""
        checked = time.monotonic()
        until = checked + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_SECONDS))
            if time.monotonic() - checked >= CHECK_SECONDS and not self._stopped:
                if self._availability() != before:
                    return True
                checked = time.monotonic()
        return False


class FrozenDetector:
    """Tells whether a picture has stayed exactly the same for too long."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` is how long it may stay the same; 0: for ever."""
        self.seconds = seconds
        self._last: Pixels | None = None
        self._since = 0.0
        self._frozen = False

    def is_frozen(self, pixels: Pixels, now: float) -> bool:
        """Whether ``pixels``, seen at ``now`` (monotonic seconds), have been the same for too long.

        The answer stays true until a different picture comes.
        """
        if not self.seconds:
            return False
        if self._last is None or not is_same(self._last, pixels):
            self._last, self._since, self._frozen = pixels, now, False
        elif now - self._since >= self.seconds:
            self._frozen = True
        return self._frozen


def is_same(a: Pixels, b: Pixels) -> bool:
    """Whether two pictures are equal in every byte. With noise, the first few pixels already differ, so it is fast."""
    return a.shape == b.shape and np.array_equal(a[::16, ::16], b[::16, ::16]) and np.array_equal(a, b)
