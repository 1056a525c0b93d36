"""The file of events: SQLite in WAL mode, written by one process, read by any.

Two tables: ``events``, in the order of ``position``, and ``outlets``, how far each publisher got. Positions have no
gaps but where events were lost, so that what a publisher missed can be counted by subtracting.

A commit is a write into the log without fsync (synchronous=NORMAL). What the kernel has survives the end of the
process; a power cut may take the newest transactions, but "WAL mode is always consistent with synchronous=NORMAL"
(https://www.sqlite.org/pragma.html#pragma_synchronous): the file is then as it was some transactions before.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.closing import Closing
from edge.limits import Limits

APPLICATION = 0x65646765
"""SQLite's application_id of these files: "edge" in ASCII."""
VERSION = 1
"""Their user_version."""
TABLES = (
    "CREATE TABLE events (position INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL,"
    " up REAL NOT NULL, text TEXT NOT NULL)",
    "CREATE TABLE outlets (name TEXT PRIMARY KEY, done INTEGER NOT NULL, dropped INTEGER NOT NULL) WITHOUT ROWID",
)
COLUMNS = "position, boot_id, seq, at, up, text"
BUSY_SECONDS = 0.5
"""Another program that writes to the file is waited for so long; then the event waits in memory."""
LOG_PAGES = 1000
"""The log is copied into the file after so many pages of 4 KiB, by the thread that writes."""
LOG_WRITES = 64
"""After so many transactions it should be, by a thread that has time: ``checkpoint``."""
LOG_BYTES = 5_000_000
"""What the log takes at most beside the file, as long as nobody reads for minutes in one go."""
TRIM_ROWS = 256
"""Rows that one transaction deletes at most: some milliseconds on a Pi."""
SPARE_PAGES = 256
"""Free pages are given back to the disk above this: below, new events fill them."""
KEPT_ASIDE = 2
"""So many files that were set aside are kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored message."""

    position: int
    """Its place in this file: ever growing, whatever the clock does."""
    boot_id: str
    """With ``seq`` the key by which a listener knows what it already has."""
    seq: int
    """Counts the messages of one boot."""
    at: float
    """When it happened, seconds since 1970, by the clock of then."""
    up: float
    """When it was stored, seconds since that boot."""
    text: str
    """The JSON that is sent."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a publisher got."""

    done: int
    """Position of the last entry that need not be sent again."""
    dropped: int
    """Entries that were gone before it had them."""


class Unusable(Exception):
    """The file is no store of ours: damaged, foreign or from the future. ``str()`` says which."""


class EventFile(Closing):
    """The open file; for one thread at a time, but for ``checkpoint``, which any thread may call meanwhile.

    Opening raises Unusable, OSError where another process has it, or sqlite3.Error; so does every method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owned = _own(path)
        self._resting = threading.Lock()
        self._writes = 0
        self._file: sqlite3.Connection | None = None
        try:
            self._file = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._prepare()
            self._inode = path.stat().st_ino
        except BaseException:
            self.close()
            raise

    first: int
    """Position of the oldest entry; ``last`` + 1 where there is none."""
    last: int
    """The highest position that was ever given, as far as the file knows."""
    newest: tuple[str, int] | None
    """Boot and seq of the newest entry."""

    def _connection(self) -> sqlite3.Connection:
        if self._file is None:
            raise sqlite3.OperationalError("the file of events is closed")
        return self._file

    def _run(self, sql: str, values: tuple[str | int | float, ...] = ()) -> sqlite3.Cursor:
        return self._connection().execute(sql, values)

    def _number(self, sql: str) -> int:
        return int(self._run(sql).fetchone()[0])

    def _prepare(self) -> None:
        fresh = not self._number("SELECT count(*) FROM sqlite_master")
        if not fresh and self._number("PRAGMA application_id") != APPLICATION:
            raise Unusable("is another program's database")
        if not fresh and self._number("PRAGMA user_version") > VERSION:
            raise Unusable("was written by a newer edge-digits")
        if fresh:
            self._run("PRAGMA auto_vacuum = INCREMENTAL")
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            f"wal_autocheckpoint = {LOG_PAGES}",
            f"journal_size_limit = {LOG_BYTES}",
            "cell_size_check = ON",
            "cache_size = -1024",
            "temp_store = MEMORY",
        ):
            self._run(f"PRAGMA {pragma}").fetchall()
        if fresh:
            with self._transaction():
                for table in TABLES:
                    self._run(table)
                self._run(f"PRAGMA application_id = {APPLICATION}")
                self._run(f"PRAGMA user_version = {VERSION}")
        try:
            self.first, self.last, self.newest = self._ends()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise Unusable(f"has not the tables of a store ({error})") from error
            raise

    def _ends(self) -> tuple[int, int, tuple[str, int] | None]:
        oldest = self._run("SELECT min(position) FROM events").fetchone()[0]
        newest = self._run(f"SELECT {COLUMNS} FROM events ORDER BY position DESC LIMIT 1").fetchone()
        sent = self._run("SELECT max(done) FROM outlets").fetchone()[0]
        last = max(sent or 0, newest[0] if newest else 0)
        return oldest or last + 1, last, (newest[1], newest[2]) if newest else None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            # A full disk may have ended the transaction already.
            with contextlib.suppress(sqlite3.Error):
                self._run("ROLLBACK")
            raise

    def write(self, entries: Iterable[Entry], progress: Iterable[tuple[str, Progress]] = ()) -> None:
        """Add entries, and write down how far publishers got, all or nothing."""
        entries = tuple(entries)
        with self._transaction():
            for e in entries:
                self._run(
                    "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", (e.position, e.boot_id, e.seq, e.at, e.up, e.text)
                )
            for name, p in progress:
                self._run("INSERT OR REPLACE INTO outlets VALUES (?, ?, ?)", (name, p.done, p.dropped))
        self._writes += 1
        if entries:
            if self.first > self.last:
                self.first = entries[0].position
            self.last = entries[-1].position

    def after(self, position: int, limit: int) -> list[Entry]:
        """The next entries after a position, in order."""
        rows = self._run(
            f"SELECT {COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?", (position, limit)
        ).fetchall()
        return [Entry(*row) for row in rows]

    def newest_event(self) -> str | None:
        """The newest entry that is an event, and no notice."""
        row = self._run(
            "SELECT text FROM events WHERE json_extract(text, '$.event') IS NOT NULL ORDER BY position DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else None

    def outlets(self) -> dict[str, Progress]:
        """How far each publisher got, by its name."""
        return {name: Progress(done, dropped) for name, done, dropped in self._run("SELECT * FROM outlets")}

    def trim(self, limits: Limits, boot_id: str, up: float, now: float) -> bool:
        """Delete the oldest entries that are beyond a limit; true where more are than one transaction takes.

        ``boot_id`` and ``up`` (seconds) are those of now, ``now`` in seconds since 1970: the age of what was stored
        since this boot is told by a clock that cannot jump. The newest entry stays, as the numbers go on from it.
        """
        rows = self.last - self.first + 1
        pages, free, size = (self._number(f"PRAGMA {of}") for of in ("page_count", "freelist_count", "page_size"))
        used, most = (pages - free) * size, limits.megabytes * 1_000_000 - LOG_BYTES
        beyond = max(rows - limits.rows, math.ceil((used - most) / max(1, used // max(1, rows))), 0)
        age = limits.days * 86_400
        oldest = self._run(
            "SELECT CASE boot_id WHEN ? THEN ? - up ELSE ? - at END FROM events ORDER BY position LIMIT ?",
            (boot_id, up, now, TRIM_ROWS if self._older(age, boot_id, up, now) else 0),
        )
        old = sum(1 for (seconds,) in oldest if seconds > age)
        many = min(max(beyond, old), rows - 1)
        if many > 0:
            upto = self.first + min(many, TRIM_ROWS) - 1
            with self._transaction():
                self._run("DELETE FROM events WHERE position <= ?", (upto,))
            self.first = self._ends()[0]
        if free > SPARE_PAGES:
            # A row without columns for each page: execute() would stop after the first.
            self._connection().executescript(f"PRAGMA incremental_vacuum({SPARE_PAGES})")
        return many >= TRIM_ROWS

    def _older(self, age: float, boot_id: str, up: float, now: float) -> bool:
        """Whether the oldest entry is older than ``age`` seconds."""
        row = self._run("SELECT boot_id, at, up FROM events ORDER BY position LIMIT 1").fetchone()
        return bool(row) and (up - row[2] if row[0] == boot_id else now - row[1]) > age

    def bytes(self) -> int:
        """What the file and its log take on the disk."""
        return sum(p.stat().st_size for p in (self._path, beside(self._path, "-wal")) if p.exists())

    def is_there(self) -> bool:
        """Whether it is still the file at its path: people delete files."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def checkpoint(self) -> None:
        """Copy the log into the file, where it is long: it waits for the disk, which a thread of readers must not."""
        if self._writes < LOG_WRITES:
            return
        with self._resting:
            if self._file is None or not self.is_there():
                return
            self._writes = 0
            # A second connection, so that the first one can append meanwhile.
            with contextlib.closing(sqlite3.connect(self._path, timeout=0, isolation_level=None)) as other:
                other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close it; the log is copied into the file and removed."""
        with self._resting:
            if self._file is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._file.close()
                self._file = None
            if self._owned >= 0:
                os.close(self._owned)
                self._owned = -1


def _own(path: Path) -> int:
    """A lock that goes with the process: two that write would give the same numbers twice."""
    lock = os.open(beside(path, ".lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise BlockingIOError(error.errno, "another process writes to it") from error
    return lock


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


def boot_id() -> str:
    """The kernel's name of this boot; where there is none, one of its own."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        import uuid

        return str(uuid.uuid4())


def uptime() -> float:
    """Seconds since this boot, asleep or not; it never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
