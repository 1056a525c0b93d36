"""Finds image files: by a path, in a folder, by a glob."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from edge.errors import SourceError
from edge.images import CONVERTED, SUFFIXES
from edge.system.files import expanded


def find_images(what: str) -> list[Path]:
    """The files that a path, a folder or a glob names, in natural order. Raises SourceError if there are none.

    Of a folder those files that ``is_image_name`` tells, and no pipe or device; what is named itself may have any name.
    """
    path = expanded(what)
    if path.is_dir():
        try:
            paths = [one for one in path.iterdir() if is_image_name(one.name) and one.is_file()]
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
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


def is_image_name(name: str) -> bool:
    """Whether a file of a folder counts, by its name: an image, also one of a kind that has to be converted.

    Hidden files do not count, nor do those with the endings of an upload (.part, .tmp).
    """
    return not name.startswith(".") and Path(name).suffix.lower() in (*SUFFIXES, *CONVERTED)


def natural_key(path: Path) -> list[tuple[int, str]]:
    """A sort key that compares numbers as numbers: page9 before page10."""
    pieces = re.split(r"([0-9]+)", str(path))
    return [(int(piece), "") if piece.isdecimal() else (-1, piece.casefold()) for piece in pieces]
