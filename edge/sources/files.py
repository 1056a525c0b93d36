"""``files:PATH_OR_GLOB``: image files, one frame each, in natural order (9.png before 10.png), or as they arrive."""

from __future__ import annotations

from pathlib import Path

from edge.errors import ImageError, SettingsError, SourceError
from edge.images import load
from edge.sources.base import Pace, Source
from edge.sources.image_paths import find_images
from edge.system.files import expanded
from edge.system.text import readable
from edge.types import Frame
from edge.uri import Fps, YesNo


def files(path: str, *, loop: YesNo = False, fps: Fps = 0.0, watch: YesNo = False) -> Source:
    """The images of a file, a folder or a glob; with ``watch`` those that arrive in a folder from now on.

    With ``loop`` it starts again after the last file. ``fps`` is frames per second; 0: as fast as they are read.
    """
    if not watch:
        return Files(find_images(path), Pace(fps), loop=loop)
    if loop:
        raise SettingsError(f"files:{path}: loop and watch exclude each other")
    from edge.sources.arrivals import Arrivals

    return Arrivals(expanded(path), Pace(fps))


class Files(Source):
    """Frames from files."""

    live = False

    def __init__(self, paths: list[Path], pace: Pace, *, loop: bool) -> None:
        # In a loop they stand for a camera.
        self.pages = not loop
        self._paths, self._pace, self._loop = paths, pace, loop
        self._next = 0
        self._index = 0
        self._readable = False

    def __next__(self) -> Frame:
        """The next file. Raises SourceError if it cannot be read; the next call goes on with the file after it."""
        if self._next == len(self._paths):
            # If no file could be read, the next round would fail the same way.
            if not (self._loop and self._readable):
                raise StopIteration
            self._next, self._readable = 0, False
        if not self._pace.wait():
            raise StopIteration
        path = self._paths[self._next]
        self._next += 1
        try:
            pixels = load(path)
        except ImageError as error:
            raise SourceError(str(error)) from error
        frame = Frame(pixels, readable(str(path)), self._index)
        self._readable = True
        self._index += 1
        return frame

    def stop(self) -> None:
        """End the iteration, also a wait for the next frame."""
        self._pace.stop()

    def close(self) -> None:
        """End the iteration. No file is open between two frames."""
        self._next, self._loop = len(self._paths), False
