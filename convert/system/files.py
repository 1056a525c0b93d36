"""Write the converter's output files atomically; an error is one clear line."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from edge.errors import ConvertError
from edge.system.files import replacing


@contextmanager
def atomic_write(out: Path) -> Iterator[Path]:
    """A temporary path in ``out``'s folder to write to; the file there replaces ``out`` when the block ends.

    If the block fails, ``out`` stays as it was and the temporary file is removed. Raises ConvertError if the file
    cannot be written.
    """
    try:
        with replacing(out) as temporary:
            yield temporary
    except OSError as error:
        raise not_writable(out, error) from error


def check_writable(out: Path) -> None:
    """Raise ConvertError if ``out`` cannot be written: better before the long work than after it."""
    try:
        mode = _mode(out)
        TemporaryFile(dir=out.parent).close()
    except OSError as error:
        raise not_writable(out, error) from error
    if stat.S_ISDIR(mode):
        raise ConvertError(f"{out}: is a folder; give a file to write with -o")
    if mode and not stat.S_ISREG(mode):
        # Else a device or a pipe would be replaced by a file.
        raise ConvertError(f"{out}: is no regular file; give a file to write with -o")


def _mode(path: Path) -> int:
    """The mode of a file or folder, 0 if there is none. Raises OSError, also for too long a name."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0


def check_ours(out: Path, *marks: bytes) -> None:
    """Raise ConvertError if ``out`` cannot be written, or is there without these ``marks`` near its start."""
    check_writable(out)
    if out.exists():
        try:
            with out.open("rb") as file:
                start = file.read(1000)
        except OSError as error:
            raise not_writable(out, error) from error
        if not all(mark in start for mark in marks):
            raise ConvertError(
                f"{out}: was not written by edge-convert for a model of this name; move it away, or choose another name"
                " with -o"
            )


def check_folder(folder: Path) -> None:
    """Raise ConvertError if ``folder`` is not a folder to write in, and cannot become one; nothing is made yet."""
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    try:
        _mode(folder)
        TemporaryFile(dir=there).close()
    except OSError as error:
        raise _no_folder(folder, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are not there. Raises ConvertError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_folder(folder, error) from error


def _no_folder(folder: Path, error: OSError) -> ConvertError:
    why = error.strerror or error
    return ConvertError(f"{folder}: cannot create this folder ({why}); choose another with --report")


def not_writable(out: Path, error: OSError) -> ConvertError:
    """The error for a file that the system does not let us write."""
    return ConvertError(f"{out}: cannot be written ({error.strerror or error}); choose another file with -o")
