"""What is wrong with an events database, in words, and moving a damaged one out of the way."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

DAMAGED_FILES_KEPT = 2
"""Damaged databases that are kept for a person to look into; older ones are deleted. Chosen: evidence against disk."""
MAX_DOUBTS = 4
"""How often in a row a database must look damaged before it is set aside, while the disk cannot read it. Chosen: with
``store.RETRY_SECONDS`` between them it is half a minute, more than a loose card or cable takes."""
READ_BYTES = 2**20
"""How many bytes are read at once when a file is read only to see whether that works. Chosen."""


class UnusableError(Exception):
    """The file is not a usable store: damaged, or another program's. ``str()`` says which."""


class NewerError(Exception):
    """The file is from a newer version of this program, which will go on with it: it is left as it is."""


def sibling(path: Path, ending: str) -> Path:
    """The file in the same folder whose name is the database's with ``ending`` appended: ``-wal`` is SQLite's log."""
    return path.with_name(path.name + ending)


def result_code(error: Exception) -> int:
    """SQLite's primary result code; 0 for other errors."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def describe_damage(path: Path, error: Exception) -> str | None:
    """What is wrong with the file itself, in words; None if the cause is elsewhere (full disk, disk error, memory)."""
    if isinstance(error, UnusableError):
        return str(error)
    code = result_code(error)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT):
        return f"is damaged ({error})"
    is_elsewhere = not isinstance(error, sqlite3.Error) or code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    if not is_elsewhere and path.exists() and not os.access(path, os.R_OK | os.W_OK):
        return "belongs to another user"
    return None


class Doubts:
    """Tells a damaged database from one that the disk could not read: SQLite calls both damaged.

    It reports EIO in a read as SQLITE_CORRUPT (SQLITE_IOERR_CORRUPTFS in its os_unix.c).
    """

    def __init__(self) -> None:
        self._count = 0

    def clear(self) -> None:
        """The database works."""
        self._count = 0

    def next_step(self, path: Path, error: Exception) -> Literal["open again", "wait", "set aside"]:
        """What to do about a database that looks damaged."""
        if result_code(error) != sqlite3.SQLITE_CORRUPT:
            return "set aside"
        self._count += 1
        if self._count == 1:
            return "open again"
        return "wait" if self._count < MAX_DOUBTS and not _is_readable(path) else "set aside"


def _is_readable(path: Path) -> bool:
    """Whether the disk can read all of the database and its log."""
    try:
        for ending in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError), sibling(path, ending).open("rb", buffering=0) as file:
                while file.read(READ_BYTES):
                    pass
    except OSError:
        return False
    return True


def set_aside(path: Path) -> Path:
    """Rename the file and its log so that a person can look into them; returns the new path. OSError if not allowed."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    new, n = sibling(path, f".damaged-{stamp}"), 1
    while new.exists():
        n += 1
        new = sibling(path, f".damaged-{stamp}-{n}")
    # The log first: a new database must never find the log of another one.
    for ending in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            sibling(path, ending).rename(sibling(new, ending))
    earlier = sorted(p for p in path.parent.iterdir() if p.name.startswith(f"{path.name}.damaged-") and p != new)
    for old in [p for p in earlier if not p.name.endswith(("-wal", "-shm"))][: -(DAMAGED_FILES_KEPT - 1)]:
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(OSError):
                sibling(old, ending).unlink()
    return new
