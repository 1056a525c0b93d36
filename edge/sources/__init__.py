"""Where frames come from: a camera, files, a video, a drawn page; ``open_source`` opens one by its URI.

``files:PATH_OR_GLOB``, ``video:FILE``, ``v4l2:/dev/video0``, ``picamera2:0``, ``synthetic:``; options follow
as ``?size=640x480&fps=30``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol, Self

from edge import uri
from edge.closing import Closing
from edge.types import Frame

SCHEMES = {
    "files": "edge.sources.files:Files",
    "video": "edge.sources.video:Video",
    "v4l2": "edge.sources.v4l2:V4l2",
    "picamera2": "edge.sources.picamera:Picamera",
    "synthetic": "edge.sources.synthetic:Synthetic",
}
"""scheme -> "module:Class"; the module is imported when its scheme is named."""


class Source(Closing, Protocol):
    """An iterator of frames that is closed after use.

    ``next()`` gives a Frame, raises SourceError where there is none this time (it may be called again), or
    StopIteration at the end.
    """

    live: bool
    """True for a camera: it gives the newest frame and drops rather than lags, and its errors last."""

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


def open_source(text: str) -> Source:
    """Open the source that a URI names; a path that exists needs no scheme and means ``files:``.

    SettingsError: no such scheme or option. SourceError: it is not there or cannot be opened.
    """
    parts = uri.split(text)
    if not parts.scheme and parts.what and Path(parts.what).exists():
        parts = parts._replace(scheme="files")
    source: Source = uri.open_uri(parts, SCHEMES, "source")
    return source


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
