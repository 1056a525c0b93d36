"""``files:PATH_OR_GLOB``: images on disk, one frame each, in natural order (9.png before 10.png)."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from edge.errors import ImageError, SourceError
from edge.images import SUFFIXES, load
from edge.sources.base import Pace, Source
from edge.types import Frame
from edge.uri import Fps, YesNo


class Files(Source):
    """Frames from a file, a folder's images, or whatever a glob matches.

    ``loop`` begins again after the last one; ``fps`` frames a second, 0 = as fast as they are asked for.
    """

    live = False

    def __init__(self, path: str, *, loop: YesNo = False, fps: Fps = 0.0) -> None:
        self._paths = find(path)
        self._loop = loop
        self._pace = Pace(fps)
        self._next = 0
        self._index = 0
        self._readable = False

    def __next__(self) -> Frame:
        """The next file; SourceError where it cannot be read, and the call after goes on with the one
        after."""
        if self._next == len(self._paths):
            # A round in which nothing could be read would only repeat itself.
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
        frame = Frame(pixels, str(path), self._index)
        self._readable = True
        self._index += 1
        return frame

    def stop(self) -> None:
        """End the wait for the next frame, and the frames."""
        self._pace.stop()

    def close(self) -> None:
        """No file stays open between frames: after this there is no further frame."""
        self._next, self._loop = len(self._paths), False


def find(what: str) -> list[Path]:
    """The files that a path or a glob names, in natural order; SourceError where there is none."""
    path = Path(what).expanduser()
    if path.is_dir():
        paths = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
        if not paths:
            raise SourceError(f"{path}: no image in this folder; it looks for {', '.join(sorted(SUFFIXES))}")
    elif path.exists():
        paths = [path]
    else:
        # Path.glob takes no absolute pattern.
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207
        paths = [Path(name) for name in names if Path(name).is_file()]
        if not paths:
            raise SourceError(f"{path}: no file matches; give a file, a folder, or a glob in quotes")
    return sorted(paths, key=natural)


def natural(path: Path) -> list[tuple[int, str]]:
    """A sort key by which numbers count as numbers: page9 before page10."""
    pieces = re.split(r"([0-9]+)", str(path))
    return [(int(piece), "") if piece.isdecimal() else (-1, piece.casefold()) for piece in pieces]
