"""What is wrong with an events database, in words, and moving a damaged one out of the way."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

DAMAGED_FILES_KEPT = 2
"""Damaged databases that are kept for a person to look into; older ones are deleted. Chosen: evidence against disk."""


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
    if isinstance(error, sqlite3.Error) and code not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) and path.exists():
        if not path.is_file():
            return "is not a regular file"
        if not os.access(path, os.R_OK | os.W_OK):
            return "belongs to another user"
    return None


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
