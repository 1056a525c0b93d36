"""The file of events: SQLite in WAL mode, written by one process, read by any.

Two tables: ``events``, in the order of ``position``, and ``outlets``, how far each publisher got. Positions have no
gaps but where events were lost, so that what a publisher missed can be counted by subtracting.

A commit is a write into the log without fsync. What the kernel has survives the end of the process. A power cut may
take what was committed since the last ``settle``, the newest first and none from the middle: tests/faults/test_power.py
cuts the log at every frame and looks what is left.

Up to SQLite 3.51.2 a transaction may be lost for good, and the file be damaged, where one connection begins to copy a
log that is copied already while another one commits (https://www.sqlite.org/wal.html#walresetbug). Here only one copies
at a time, and beside the one that writes only when transactions came after the last copy.
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.store.damage import Unusable, beside
from edge.store.entry import Entry, Progress
from edge.store.lock import Lock
from edge.store.settings import StoreSettings
from edge.system.closing import Closing

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
LOG_WRITES = 64
"""The log is copied into the file after so many transactions, by the thread that calls ``settle``."""
LOG_MANY = 256
"""After so many it is time to: the log has one or two megabytes."""
LOG_LONG = 4_000_000
"""A log of so many bytes is copied by the thread that writes: the other one cannot keep up, or there is none."""
LOG_STEP = 500_000
"""And again after so many more, where that was in vain."""
LOG_BYTES = 5_000_000
"""What the log takes at most beside the file, as long as nobody reads for minutes in one go."""
TRIM_ROWS = 256
"""Rows that one transaction deletes at most: some milliseconds on a Pi."""
SPARE_PAGES = 256
"""Free pages are given back to the disk above this: below, new events fill them."""


class EventFile(Closing):
    """The open file; for one thread at a time, but for ``settle``, which any thread may call meanwhile.

    Opening raises Unusable, OSError where another process has it, or sqlite3.Error; so does every method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock(beside(path, ".lock"))
        self._resting = threading.Lock()
        self._commits = self._copied = self._synced = 0
        self._log, self._long = beside(path, "-wal"), LOG_LONG
        self._file: sqlite3.Connection | None = None
        try:
            self.given = self._lock.noted()
            self._file = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            # A byte that a bad card has turned in a text spoils that one, and is no reason to read no more.
            self._file.text_factory = lambda text: text.decode("utf-8", "replace")
            self._prepare()
            self._inode = path.stat().st_ino
        except BaseException:
            self.close()
            raise

    first: int
    """Position of the oldest entry; ``last`` + 1 where there is none."""
    last: int
    """The highest position that was ever given, as far as the file knows."""
    given: tuple[str, int] | None
    """The key that was noted last; None where there is no note."""

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
            "wal_autocheckpoint = 0",
            f"journal_size_limit = {LOG_LONG}",
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
            self.first, self.last = self._ends()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise Unusable(f"has not the tables of a store ({error})") from error
            raise

    def _ends(self) -> tuple[int, int]:
        self._run(f"SELECT {COLUMNS} FROM events LIMIT 0")
        oldest = self._run("SELECT min(position) FROM events").fetchone()[0]
        newest = self._run("SELECT max(position) FROM events").fetchone()[0]
        sent = self._run("SELECT max(done) FROM outlets").fetchone()[0]
        last = max(sent or 0, newest or 0)
        return oldest or last + 1, last

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
        self._commits += 1
        # The transaction is in the log, whatever becomes of this.
        with contextlib.suppress(sqlite3.Error, OSError):
            self._shorten()

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
            "SELECT text FROM events WHERE CASE WHEN json_valid(text) THEN json_extract(text, '$.event') END"
            " IS NOT NULL ORDER BY position DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else None

    def newest_seq(self, boot_id: str) -> int | None:
        """The number of the newest entry with this ``boot_id``, where it is of the boot of the newest of all."""
        newest = self._run("SELECT boot_id FROM events ORDER BY position DESC LIMIT 1").fetchone()
        if newest is None or not newest[0].startswith(boot_id):
            return None
        row = self._run(
            "SELECT seq FROM events WHERE boot_id = ? ORDER BY position DESC LIMIT 1", (boot_id,)
        ).fetchone()
        return row[0] if row else None

    def note(self, boot_id: str, seq: int) -> None:
        """Note beside the file which key was given last: the file may lose its end, and a full disk take none."""
        self._lock.note(boot_id, seq)

    def outlets(self) -> dict[str, Progress]:
        """How far each publisher got, by its name."""
        return {name: Progress(done, dropped) for name, done, dropped in self._run("SELECT * FROM outlets")}

    def trim(self, limits: StoreSettings, boot_id: str, up: float, now: float) -> bool:
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
            "SELECT CASE instr(boot_id, ?) WHEN 1 THEN ? - up ELSE ? - at END FROM events ORDER BY position LIMIT ?",
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
        return bool(row) and (up - row[2] if row[0].startswith(boot_id) else now - row[1]) > age

    def bytes(self) -> int:
        """What the file and its log take on the disk."""
        return sum(p.stat().st_size for p in (self._path, self._log) if p.exists())

    def is_there(self) -> bool:
        """Whether it is still the file at its path: people delete files."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    @property
    def unsettled(self) -> bool:
        """Whether the log has become so long that ``settle`` is better called soon."""
        return self._commits - self._copied >= LOG_MANY

    def settle(self) -> None:
        """Have on the disk what was committed before, and copy the log into the file where it is long.

        It waits for the disk, while another thread may go on reading and writing. After it a power cut takes nothing
        that was committed before it was called.
        """
        with self._resting:
            if self._file is None or not self.is_there():
                return
            commits = self._commits
            if commits != self._synced:
                log = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fdatasync(log)
                finally:
                    os.close(log)
                self._synced = commits
            if commits - self._copied >= LOG_WRITES:
                # A second connection, so that the first one can append meanwhile.
                uri = f"{self._path.absolute().as_uri()}?mode=rw"
                with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)) as other:
                    self._copy(other)

    def _shorten(self) -> None:
        """Copy a log that is too long; where somebody reads in it, it has to grow, and that is tried again later."""
        size = self._log.stat().st_size
        if size > self._long:
            with self._resting:
                self._copy(self._connection())
        if size > self._long or size <= LOG_LONG:
            self._long = max(size, LOG_LONG - LOG_STEP) + LOG_STEP

    def _copy(self, file: sqlite3.Connection) -> None:
        """With ``_resting`` held: two must not copy at once, nor one begin where nothing was written after the last."""
        try:
            file.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            # Afterwards, not before: what is counted from here on is surely not copied.
            self._copied = self._commits

    def close(self) -> None:
        """Close it; the log is copied into the file and removed."""
        with self._resting:
            if self._file is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._file.close()
                self._file = None
            self._lock.close()
