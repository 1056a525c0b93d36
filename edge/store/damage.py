"""What is wrong with a file of events, in words, and what is done with one that is damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

KEPT_ASIDE = 2
"""So many files that were set aside are kept."""


class Unusable(Exception):
    """The file is no store of ours: damaged, foreign or from the future. ``str()`` says which."""


def beside(path: Path, ending: str) -> Path:
    """The file that SQLite, or this room, has beside the store: its log is ``-wal``."""
    return path.with_name(path.name + ending)


def result_code(error: Exception) -> int:
    """SQLite's primary result code; 0 for other errors."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def damage(path: Path, error: Exception) -> str | None:
    """What is wrong with the file itself, in words; None where something else is: no room, no disk, no memory."""
    if isinstance(error, Unusable):
        return str(error)
    code = result_code(error)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT):
        return f"is damaged ({error})"
    if isinstance(error, sqlite3.Error) and code not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) and path.exists():
        if not path.is_file():
            return "is no file"
        if not os.access(path, os.R_OK | os.W_OK):
            return "belongs to another user"
    return None


def set_aside(path: Path) -> Path:
    """Rename the file and its log, for a person to look into; gives the new name. OSError where that is not allowed."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    new, n = beside(path, f".damaged-{stamp}"), 1
    while new.exists():
        n += 1
        new = beside(path, f".damaged-{stamp}-{n}")
    # The log first: a fresh file must never find the log of another one.
    for ending in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            beside(path, ending).rename(beside(new, ending))
    before = sorted(p for p in path.parent.iterdir() if p.name.startswith(f"{path.name}.damaged-") and p != new)
    for old in [p for p in before if not p.name.endswith(("-wal", "-shm"))][: -(KEPT_ASIDE - 1)]:
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(OSError):
                beside(old, ending).unlink()
    return new
