"""Writes several files together: all of them, or none."""

from __future__ import annotations

import contextlib
from pathlib import Path

from edge.errors import StateError
from edge.system.files import read_small, write_atomically

MOST_BYTES = 1_000_000
"""Largest file that is changed, bytes. Chosen: a settings file with every setting has 5 kB."""


class Changes:
    """Files that were written, and what was there before."""

    def __init__(self) -> None:
        self._before: list[tuple[Path, bytes | None]] = []

    def write(self, path: Path, content: bytes, *, secret: bool = False) -> None:
        """Write a file, through a symbolic link if it is one. Folders are made. Raises StateError."""
        path = path.resolve()
        before = content_of(path)
        if before == content and not secret:
            return
        # First of all: Ctrl-C may come at any moment.
        self._before.append((path, before))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content, secret=secret)
        except OSError as error:
            raise StateError(f"{path}: cannot be written ({error.strerror}); nothing was changed") from error

    def undo(self) -> None:
        """Make each file again what it was, as far as that is possible. Folders that were made stay."""
        while self._before:
            path, content = self._before.pop()
            with contextlib.suppress(OSError):
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    write_atomically(path, content)


def content_of(path: Path) -> bytes | None:
    """What is in a file; None if it does not exist. Raises StateError if it cannot be read, or is no small file."""
    try:
        return read_small(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise StateError(f"{path}: cannot be read ({why}); nothing was changed") from error
