"""``files:PATH_OR_GLOB``: image files, one frame each, in natural order (9.png before 10.png)."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from edge.errors import ImageError, SourceError
from edge.images import SUFFIXES, load
from edge.sources.base import Pace, Source
from edge.system.files import expanded
from edge.types import Frame
from edge.uri import Fps, YesNo


class Files(Source):
    """Frames from a file, all images of a folder, or all files that a glob matches.

    With ``loop`` it starts again after the last file. ``fps`` is frames per second; 0: as fast as they are read.
    """

    live = False

    def __init__(self, path: str, *, loop: YesNo = False, fps: Fps = 0.0) -> None:
        self._paths = find_files(path)
        self._loop = loop
        self._pace = Pace(fps)
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
        frame = Frame(pixels, str(path), self._index)
        self._readable = True
        self._index += 1
        return frame

    def stop(self) -> None:
        """End the iteration, also a wait for the next frame."""
        self._pace.stop()

    def close(self) -> None:
        """End the iteration. No file is open between two frames."""
        self._next, self._loop = len(self._paths), False


def find_files(what: str) -> list[Path]:
    """The files that a path or a glob names, in natural order. Raises SourceError if there are none."""
    path = expanded(what)
    if path.is_dir():
        paths = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
        if not paths:
            raise SourceError(f"{path}: no image in this folder; an image ends with {', '.join(sorted(SUFFIXES))}")
    elif path.exists():
        paths = [path]
    else:
        # Path.glob accepts no absolute pattern.
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207
        paths = [Path(name) for name in names if Path(name).is_file()]
        if not paths:
            raise SourceError(f"{path}: no file matches; name a file, a folder, or a glob in quotes")
    return sorted(paths, key=natural_key)


def natural_key(path: Path) -> list[tuple[int, str]]:
    """A sort key that compares numbers as numbers: page9 before page10."""
    pieces = re.split(r"([0-9]+)", str(path))
    return [(int(piece), "") if piece.isdecimal() else (-1, piece.casefold()) for piece in pieces]
