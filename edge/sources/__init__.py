"""Where frames come from: a camera, files, a video, a drawn page; ``open_source`` opens one by its URI.

``files:PATH_OR_GLOB``, ``video:FILE``, ``v4l2:/dev/video0``, ``picamera2:0``, ``synthetic:``; options follow
as ``?size=640x480&fps=30``. ``rtsp://`` and ``http://`` name a network camera as everywhere else.
"""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, Self

from edge import uri
from edge.system.closing import Closing
from edge.types import Frame, Pixels

SCHEMES = {
    "files": "edge.sources.files:Files",
    "video": "edge.sources.video:Video",
    "v4l2": "edge.sources.v4l2:V4l2",
    "picamera2": "edge.sources.picamera:Picamera",
    "synthetic": "edge.sources.synthetic:Synthetic",
    "rtsp": "edge.sources.stream:Stream",
    "http": "edge.sources.stream:Stream",
    "https": "edge.sources.stream:Stream",
}
"""scheme -> "module:Class", a Source or a Camera; the module is imported when its scheme is named."""
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


def open_source(
    text: str, *, deadline_seconds: float = DEADLINE_SECONDS, frozen_seconds: float = FROZEN_SECONDS
) -> Source:
    """Open the source that a URI names; a path that exists needs no scheme and means ``files:``.

    A camera may come later: it is opened when its first frame is asked for, and again after it failed. It gives a
    SourceError where no frame comes for ``deadline_seconds``, and is frozen after ``frozen_seconds`` (0 = never).
    SettingsError: no such scheme or option. SourceError: the files are not there or cannot be opened.
    """
    # A network camera's own query is none of our options.
    url = re.match(r"(rtsp|https?)://", text)
    parts = uri.Uri(text, url[1], text, {}) if url else uri.split(text)
    if not parts.scheme and parts.what and Path(parts.what).exists():
        parts = parts._replace(scheme="files")
    source: Source | Camera = uri.open_uri(parts, SCHEMES, "source")
    if isinstance(source, Camera):
        from edge.sources.supervisor import Steady

        return Steady(source, deadline_seconds=deadline_seconds, frozen_seconds=frozen_seconds)
    return source


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

    def devices(self) -> Hashable:
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
