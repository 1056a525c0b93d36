"""What a source is: ``Source`` gives frames; ``Camera`` is a device, of which the supervisor makes a Source."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Hashable
from datetime import datetime
from typing import Literal, Protocol, Self

from edge.system.closing import Closing
from edge.types import Frame, Pixels

DEADLINE_SECONDS = 2.0
"""A camera that gives no frame for this long has stalled."""
FROZEN_SECONDS = 10.0
"""A camera whose picture stays the same to the byte for this long is frozen: a live one has noise."""

State = Literal["starting", "running", "stalled", "reopening"]
"""How a source is. ``starting``: no frame came yet; ``running``; ``stalled``: open, but no new picture comes;
``reopening``: it failed, and is being opened again."""


class Source(Closing, Protocol):
    """An iterator of frames that is closed after use.

    ``next()`` gives a Frame, raises SourceError where there is none this time (it may be called again), or
    StopIteration at the end.
    """

    live: bool
    """True for a camera: it gives the newest frame and drops rather than lags, and comes back after an error."""
    name: str = ""
    """What its frames are said to come from: its URI, without a password."""
    state: State = "running"
    """How it is."""
    dropped: int = 0
    """Frames that came and that nobody took before the next one."""
    wedged: bool = False
    """After ``close()``: a call into its driver has not come back, so that only the end of the process frees it."""

    def __next__(self) -> Frame:
        """The next frame."""
        ...

    def close(self) -> None:
        """Give the device or file back; a second call does nothing."""
        ...

    def stop(self) -> None:
        """End the wait for the next frame, and the frames, soon; a signal handler may call it."""
        return

    def __iter__(self) -> Self:
        """Itself."""
        return self


class Camera(ABC):
    """A device as its driver has it: any call may fail, and block. ``edge.sources.supervisor`` makes a Source of it.

    Made without touching the device, so that a wrong URI is refused at once; one thread opens, reads and closes it,
    any number of times.
    """

    name: str
    """What its frames and errors call it: its URI, without a password."""

    @abstractmethod
    def open(self) -> None:
        """Take the device; SourceError where it is not there or will not."""

    @abstractmethod
    def read(self) -> tuple[Pixels, datetime]:
        """The next picture, (height, width) uint8 of its own, and when it was taken, UTC; SourceError where it fails.

        It waits for a new picture; whoever asks without pause gets the newest.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the device back, also where it failed or was never opened."""

    def availability(self) -> Hashable:
        """What can be seen of it from outside without taking it: its device, who holds it, whether its port answers.

        A change means that to open it again is worth a try. It is asked twice a second while the camera is away, and
        takes less than a second.
        """
        return None


class Pace:
    """Keeps a source to its frames a second: ``wait()`` until the next frame is due."""

    def __init__(self, fps: float) -> None:
        self._period = 1 / fps if fps > 0 else 0.0
        self._due = time.monotonic()
        self._stopped = False

    def stop(self) -> None:
        """End a wait within 0.1 s, and every later one at once."""
        self._stopped = True

    def wait(self) -> bool:
        """Sleep until the next frame is due; False where it was stopped meanwhile.

        A frame that comes late moves the later ones: nothing is hurried to catch up.
        """
        while not self._stopped and (left := self._due - time.monotonic()) > 0:
            # In pieces: a signal handler that returns does not end a sleep (PEP 475).
            time.sleep(min(left, 0.1))
        self._due = max(self._due, time.monotonic() - self._period) + self._period
        return not self._stopped
