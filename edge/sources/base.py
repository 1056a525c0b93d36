"""The interfaces ``Source`` (an iterator of frames) and ``Camera`` (a device; the supervisor makes a Source of it)."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Hashable
from datetime import datetime
from typing import Literal, Protocol, Self

from edge.system.closing import Closing
from edge.types import Frame, Pixels

DEADLINE_SECONDS = 2.0
"""Seconds without a frame after which a camera has stalled; the default of the setting ``source_deadline``."""
WEDGED_SECONDS = 15.0
"""A call into a driver that takes longer than this never returns. More than the 10 s after which OpenCV gives up."""
FRAME_SIZE = (1536, 1152)
"""Width and height that a camera is asked for where none is named, pixels.

An A4 page that fills it has 5 pixels a millimetre: the smallest usual digits, 4 mm tall, have 20. From 16 on nearly all
are read, of 12 one in ten is not, of 8 most are not; and twice as many pixels read no more. Measured with
``python -m tests.benchmarks.frame_sizes``.
"""
FROZEN_SECONDS = 10.0
"""Seconds after which a camera whose picture does not change by one byte is frozen (a working camera has noise); the
default of the setting ``source_frozen``."""

SLICE_SECONDS = 0.1
"""Waits are made of slices of this length, because a wait goes on after a signal handler returns (PEP 475)."""

State = Literal["starting", "running", "stalled", "reopening"]
"""The state of a source. ``starting``: no frame has come yet. ``running``: frames come. ``stalled``: it is open, but no
new picture comes. ``reopening``: it failed and is being opened again."""


class Source(Closing, Protocol):
    """An iterator of frames that is closed after use.

    ``next()`` gives a Frame. It raises SourceError if there is no frame this time (call it again), and StopIteration at
    the end.
    """

    live: bool
    """True for a camera: it gives the newest frame, skips older ones, and is opened again after an error."""
    name: str = ""
    """Its URI without a password, as its frames have it."""
    state: State = "running"
    """Its state."""
    pages: bool = False
    """True if each frame shows another page, as files do: it is an event of its own. Otherwise frames follow each other
    in time, and show the same page."""
    waited_at: float | None = None
    """When it last waited for a frame without fault, seconds of time.monotonic(), if none may come for days; None for a
    camera, which always has frames."""
    dropped: int = 0
    """How many frames were skipped, because a newer one came before they were taken."""
    wedged: bool = False
    """True after ``close()`` if a call into the driver has not returned: only the process's end frees the device."""
    problem: str = ""
    """Why no frames come now, and what to do about it, in one line; empty while they come. Any thread may ask."""

    def __next__(self) -> Frame:
        """The next frame."""
        ...

    def close(self) -> None:
        """Release the device or file; a second call does nothing."""
        ...

    def stop(self) -> None:
        """End the iteration soon, also a wait for the next frame; a signal handler may call it."""
        return

    def check(self) -> None:
        """Raise the error of the first frame if that is sure to come. No device is opened."""
        return

    def settings_now(self) -> dict[str, str]:
        """What the camera has set by itself, as ``Camera.settings_now``."""
        return {}

    def seen_share(self) -> float | None:
        """How much of what the camera can see its frames show, as ``Camera.seen_share``."""
        return None

    def __iter__(self) -> Self:
        """Itself."""
        return self


class Camera(ABC):
    """A camera device. Each call may fail or block: ``edge.sources.supervisor`` makes a Source of it that does not.

    The constructor does not touch the device, so a wrong URI is refused at once. One thread opens, reads and closes the
    device, any number of times.
    """

    name: str
    """Its URI without a password, for its frames and errors."""
    wedged_seconds: float = WEDGED_SECONDS
    """Seconds after which a call that has not returned never will."""

    @abstractmethod
    def open(self) -> None:
        """Open the device. Raises SourceError if it is not there or cannot be opened."""

    @abstractmethod
    def read(self) -> tuple[Pixels, datetime]:
        """Wait for a new picture: (height, width) uint8, not shared, and when it was captured, UTC.

        Called again and again without a pause, it gives the newest picture. Raises SourceError if it fails.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the device, also after a failure, or if it was never opened."""

    def check(self) -> None:
        """Raise the SourceError of ``open`` if it is sure to fail, as a library is missing. The device is not opened.

        An unplugged camera is no error here: it may be there when it is opened.
        """
        return

    def settings_now(self) -> dict[str, str]:
        """What the camera has set by itself and may keep, such as its focus: options of its URI, name -> value.

        Added to the URI they make a valid one: no option is in it already, or contradicts one that is. Any thread may
        ask at any time; it must not wait. Empty if the camera sets nothing by itself, or if it has given no frame yet.
        """
        return {}

    def seen_share(self) -> float | None:
        """Which share of the width, or of the height if that is less, that the camera can see its pictures have.

        0 to 1; None if the camera does not tell, or is not open. Any thread may ask at any time; it must not wait.
        """
        return None

    def availability(self) -> Hashable:
        """What can be seen of the device without opening it: its node, who uses it, whether its port answers.

        When this value changes, it is worth trying to open the device again. While the camera is away, this is called
        twice a second; it must take less than a second.
        """
        return None


class Pace:
    """Limits a source to its frames per second: ``wait()`` sleeps until the next frame is due."""

    def __init__(self, fps: float) -> None:
        self._period = 1 / fps if fps > 0 else 0.0
        self._due = time.monotonic()
        self._stopped = False

    def stop(self) -> None:
        """End a wait within SLICE_SECONDS, and each later one at once."""
        self._stopped = True

    def wait(self) -> bool:
        """Sleep until the next frame is due; False if it was stopped.

        After a late frame the later ones are due later, too: there is no catching up.
        """
        while not self._stopped and (left := self._due - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_SECONDS))
        self._due = max(self._due, time.monotonic() - self._period) + self._period
        return not self._stopped
