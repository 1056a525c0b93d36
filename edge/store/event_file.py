"""The events database: SQLite in WAL mode, written by one process, read by any.

It has two tables: ``events``, ordered by ``position``, and ``outlets``, how far each publisher has got. Positions have
gaps only where events were lost, so subtracting positions gives the number of events that a publisher missed.

A commit writes to the write-ahead log (WAL) without fsync. Committed data survives the end of the process. A power cut
may lose what was committed since the last ``sync``: always the newest entries, never some from the middle.
tests/faults/test_power.py cuts the WAL at every frame and checks what is left.

Up to SQLite 3.51.2 a transaction may be lost, and the file damaged, if one connection starts to checkpoint a WAL that
is already checkpointed while another one commits (https://www.sqlite.org/wal.html#walresetbug). This module therefore
runs one checkpoint at a time, and runs one beside the writer only if there were commits after the last checkpoint.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.store import tables
from edge.store.damage import NewerError, UnusableError, result_code, sibling
from edge.store.entry import Entry, Progress
from edge.store.lock import Lock
from edge.store.settings import StoreSettings
from edge.system.closing import Closing

BUSY_SECONDS = 0.5
"""How long a write waits for another program that writes to the database; then the event stays in memory. Chosen:
much longer than a transaction takes, and short enough for the reading loop, which waits with it."""
CHECKPOINT_COMMITS = 64
"""Commits after which ``sync`` also checkpoints (copies the WAL into the database). Chosen: fewer means more writing
to the memory card, more means a longer WAL."""
SYNC_SOON_COMMITS = 256
"""Commits since the last checkpoint at which ``needs_sync`` asks for an early ``sync``. The WAL then has 1 to 2 MB."""
WAL_LIMIT_BYTES = 4_000_000
"""WAL size in bytes above which the writing thread runs the checkpoint itself, because the syncing thread cannot keep
up or does not run. Chosen: below WAL_RESERVE_BYTES."""
WAL_RETRY_BYTES = 500_000
"""Growth of the WAL in bytes before the writing thread tries again, if a checkpoint did not shorten the WAL. Chosen."""
WAL_RESERVE_BYTES = 5_000_000
"""Space in bytes reserved for the WAL within the setting ``megabytes``. The WAL stays below this unless a reader keeps
one transaction open for minutes."""
TRIM_ROWS = 256
"""Most rows that one transaction deletes, which takes some milliseconds on a Pi."""
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "wal_autocheckpoint = 0",
    f"journal_size_limit = {WAL_LIMIT_BYTES}",
    "cell_size_check = ON",
    "cache_size = -1024",
    "temp_store = MEMORY",
)
"""SQLite's settings for each connection that writes."""
SPARE_PAGES = 256
"""Free pages kept for new events (4096 bytes each, 1 MB in all); only what is above that goes back to the disk."""


class EventFile(Closing):
    """The open database; for one thread at a time, except ``sync``, which any thread may call meanwhile.

    Opening it, and every method, raises UnusableError, NewerError, OSError (another process has the database) or
    sqlite3.Error.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Also while running: somebody may have removed the state folder.
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = Lock(sibling(path, ".lock"))
        self._checkpoint_lock = threading.Lock()
        self._commits = self._checkpointed = self._synced = 0
        # SQLite keeps the WAL beside the file itself, wherever a symbolic link to it is.
        self._place = Path(os.path.realpath(path))
        self._wal, self._checkpoint_at_bytes = sibling(self._place, "-wal"), WAL_LIMIT_BYTES
        self._wal_descriptor, self._busy_seconds = -1, BUSY_SECONDS
        self._file: sqlite3.Connection | None = None
        try:
            self.last_key = self._lock.read_key()
            if path.exists() and not path.is_file():
                raise UnusableError("is not a regular file")
            self._file = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._file.text_factory = tables.replacing_text
            tables.prepare(self._file, PRAGMAS)
            self.first, self.last = self._position_range()
            tables.check_writable(self._file, path)
            self._opened = path.stat()
            with contextlib.suppress(OSError):
                self._open_wal()
        except NewerError:
            # Closing the last connection would copy the WAL into the database; not if that one may only read.
            with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
                reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
                self.close()
            raise
        except BaseException:
            self.close()
            raise

    first: int
    """Position of the oldest entry; ``last`` + 1 if there is none."""
    last: int
    """The highest position that was ever given, as far as the database knows."""
    last_key: tuple[str, int] | None
    """The key that was recorded last in the lock file; None if there is none."""

    def _connection(self) -> sqlite3.Connection:
        if self._file is None:
            raise sqlite3.OperationalError("the events database is closed")
        return self._file

    def _run(self, sql: str, values: tuple[str | int | float, ...] = ()) -> sqlite3.Cursor:
        return self._connection().execute(sql, values)

    def _number(self, sql: str) -> int:
        return int(self._run(sql).fetchone()[0])

    def _position_range(self) -> tuple[int, int]:
        oldest = self._run("SELECT min(position) FROM events").fetchone()[0]
        newest = self._run("SELECT max(position) FROM events").fetchone()[0]
        sent = self._run("SELECT max(CAST(done AS INTEGER)) FROM outlets").fetchone()[0]
        last = max(sent or 0, newest or 0)
        if last > tables.MOST_POSITION:
            raise UnusableError("is damaged (it has impossible positions)")
        return oldest or last + 1, last

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with tables.transaction(self._connection()):
                yield
        except sqlite3.Error as error:
            if result_code(error) == sqlite3.SQLITE_BUSY:
                self._wait_for_others(0.0)
            raise
        self._wait_for_others(BUSY_SECONDS)
        self._commits += 1
        # The transaction is committed, even if this fails.
        with contextlib.suppress(sqlite3.Error, OSError):
            self._checkpoint_if_long()

    def _wait_for_others(self, seconds: float) -> None:
        """How long the next writes wait for another program that writes."""
        if seconds != self._busy_seconds:
            self._busy_seconds = seconds
            self._run(f"PRAGMA busy_timeout = {round(seconds * 1000)}").fetchall()

    def write(
        self, entries: Iterable[Entry], progress: Iterable[tuple[str, Progress]] = (), *, patient: bool = False
    ) -> None:
        """Add entries and save the publishers' progress, in one transaction.

        It waits BUSY_SECONDS for another program that writes; if the last one waited in vain, only if it is
        ``patient``: otherwise a program that writes for minutes would stop the reading half of the time.
        """
        entries = tuple(entries)
        if patient:
            self._wait_for_others(BUSY_SECONDS)
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
        """The next entries after a position, in order, at most ``limit``."""
        rows = self._run(
            f"SELECT {tables.COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?", (position, limit)
        ).fetchall()
        return [Entry(*row) for row in rows]

    def newest_event(self) -> str | None:
        """The JSON of the newest entry that is an event (not a notice); None if there is none."""
        row = self._run(
            "SELECT CAST(text AS TEXT) AS whole FROM events WHERE CASE WHEN json_valid(whole) THEN"
            " json_extract(whole, '$.event') END IS NOT NULL ORDER BY position DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else None

    def newest_seq(self, boot_id: str) -> int | None:
        """The ``seq`` of the newest entry with this ``boot_id``; None if the newest entry of all is of another boot."""
        newest = self._run(f"SELECT {tables.COLUMNS} FROM events ORDER BY position DESC LIMIT 1").fetchone()
        if newest is None or not Entry(*newest).boot_id.startswith(boot_id):
            return None
        row = self._run(
            f"SELECT {tables.COLUMNS} FROM events WHERE boot_id = ? ORDER BY position DESC LIMIT 1", (boot_id,)
        ).fetchone()
        return Entry(*row).seq if row and Entry(*row).seq < tables.MOST_POSITION else None

    def record_key(self, boot_id: str, seq: int) -> None:
        """Record the last key in the lock file: the database may lose its newest entries, or not fit on a full disk."""
        self._lock.record_key(boot_id, seq)

    def outlets(self) -> dict[str, Progress]:
        """How far each publisher has got, by its name."""
        rows = self._run("SELECT name, CAST(done AS INTEGER), CAST(dropped AS INTEGER) FROM outlets")
        return {name: Progress(done or 0, dropped or 0) for name, done, dropped in rows}

    def trim(self, limits: StoreSettings, sent: int, boot_id: str, up: float, now: float) -> bool:
        """Delete the oldest entries that exceed a limit; true if there are more than one transaction deletes.

        ``boot_id`` and ``up`` (seconds) are the current boot's, ``now`` is in seconds since 1970. The age of entries
        from this boot comes from ``up``, a clock that cannot jump. That of others may be wrong by years: because of it
        only entries up to the position ``sent`` are deleted. The newest entry stays: numbering goes on from it.
        """
        rows = self.last - self.first + 1
        pages, free, size = (self._number(f"PRAGMA {of}") for of in ("page_count", "freelist_count", "page_size"))
        used, limit = (pages - free) * size, limits.megabytes * 1_000_000 - WAL_RESERVE_BYTES
        excess = max(rows - limits.rows, math.ceil((used - limit) / max(1, used // max(1, rows))), 0)
        age, may_expire = limits.days * 86_400, min(TRIM_ROWS, max(sent - self.first + 1, 0))
        oldest = self._run(
            f"SELECT {tables.AGE} FROM events ORDER BY position LIMIT ?",
            (boot_id, up, now, may_expire if self._oldest_exceeds(age, boot_id, up, now) else 0),
        )
        expired = sum(1 for _ in itertools.takewhile(lambda row: row[0] > age, oldest))
        surplus = min(max(excess, expired), rows - 1)
        if surplus > 0:
            upto = self.first + min(surplus, TRIM_ROWS) - 1
            with self._transaction():
                self._run("DELETE FROM events WHERE position <= ?", (upto,))
            self.first = self._position_range()[0]
        if free > SPARE_PAGES:
            # The pragma gives one row for each freed page; execute() would stop after the first.
            self._connection().executescript(f"PRAGMA incremental_vacuum({SPARE_PAGES})")
        return surplus >= TRIM_ROWS

    def _oldest_exceeds(self, age: float, boot_id: str, up: float, now: float) -> bool:
        """Whether the oldest entry is older than ``age`` seconds."""
        row = self._run(f"SELECT {tables.AGE} FROM events ORDER BY position LIMIT 1", (boot_id, up, now)).fetchone()
        return bool(row) and row[0] > age

    def bytes(self) -> int:
        """Size of the database and its WAL on the disk."""
        return sum(p.stat().st_size for p in (self._path, self._wal) if p.exists())

    def exists(self) -> bool:
        """Whether the open file is still the one at its path; false if somebody deleted or replaced it."""
        return self._is_at(self._path)

    def _is_at(self, path: Path) -> bool:
        try:
            return os.path.samestat(path.stat(), self._opened)
        except OSError:
            return False

    @property
    def needs_sync(self) -> bool:
        """Whether the WAL is so long that ``sync`` should be called soon."""
        return self._commits - self._checkpointed >= SYNC_SOON_COMMITS

    def sync(self) -> None:
        """Flush the WAL to the disk, and checkpoint it if it is long.

        This waits for the disk; another thread may read and write meanwhile. A later power cut loses nothing that was
        committed before the call.
        """
        with self._checkpoint_lock:
            if self._file is None or not self.exists():
                return
            commits = self._commits
            if commits != self._synced:
                os.fdatasync(self._open_wal())
                self._synced = commits
            if commits - self._checkpointed >= CHECKPOINT_COMMITS:
                # A second connection, so that the first one can append meanwhile.
                uri = f"{self._path.absolute().as_uri()}?mode=rw"
                with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)) as other:
                    # Only now it is sure which file was opened: our WAL must never get into another one.
                    if self.exists():
                        self._checkpoint(other)

    def _open_wal(self) -> int:
        """A descriptor of the WAL. It stays open: a sync must not fail because the process has too many others."""
        if self._wal_descriptor < 0:
            self._wal_descriptor = os.open(self._wal, os.O_RDONLY | os.O_CLOEXEC)
        return self._wal_descriptor

    def _checkpoint_if_long(self) -> None:
        """Checkpoint a WAL that is too long. If a reader prevents that, try again when it has grown further."""
        size = self._wal.stat().st_size
        if size > self._checkpoint_at_bytes:
            with self._checkpoint_lock:
                self._checkpoint(self._connection())
        if size > self._checkpoint_at_bytes or size <= WAL_LIMIT_BYTES:
            self._checkpoint_at_bytes = max(size, WAL_LIMIT_BYTES - WAL_RETRY_BYTES) + WAL_RETRY_BYTES

    def _checkpoint(self, file: sqlite3.Connection) -> None:
        """Call it with ``_checkpoint_lock`` held, and only after new commits: see the bug in the module docstring."""
        try:
            file.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            # Read the count after the checkpoint: commits that are counted later are certainly not in it.
            self._checkpointed = self._commits

    def _take_wal_away(self, file: sqlite3.Connection) -> None:
        """Copy the WAL into the database, which is at its path no more, and remove it.

        SQLite would leave it there, and take it for the WAL of whatever database is put at the path.
        """
        with contextlib.suppress(sqlite3.Error):
            self._checkpoint(file)
        if os.path.samestat(self._wal.stat(), os.fstat(self._wal_descriptor)):
            for ending in ("-wal", "-shm"):
                sibling(self._place, ending).unlink()

    def close(self) -> None:
        """Close the database; SQLite copies the WAL into it and removes the WAL."""
        with self._checkpoint_lock:
            if self._file is not None and self._wal_descriptor >= 0 and not self._is_at(self._place):
                with contextlib.suppress(sqlite3.Error, OSError):
                    self._take_wal_away(self._file)
            if self._file is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._file.close()
                self._file = None
            if self._wal_descriptor >= 0:
                os.close(self._wal_descriptor)
                self._wal_descriptor = -1
            self._lock.close()
