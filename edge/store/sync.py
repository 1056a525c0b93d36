"""The thread that waits for the disk, so that neither the reading loop nor a publisher has to."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from edge.store.damage import result_code
from edge.store.event_file import EventFile
from edge.system.closing import Closing
from edge.system.text import one_line

log = logging.getLogger(__name__)

SYNC_SECONDS = 5.0
"""Longest time from a commit to the start of its sync to the disk; ext4's default commit interval is the same."""
_LATER = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN)
"""Results after which the checkpoint is tried again later; the WAL is synced before it."""
SYNC_MIN_SECONDS = 0.5
"""Shortest time between two syncs, however much is written. Chosen: spares the memory card in bursts of events."""


class SyncThread(Closing):
    """Syncs the open database every SYNC_SECONDS, or sooner on request; a failure is logged once, until it ends."""

    def __init__(self, path: Path, file: Callable[[], EventFile | None]) -> None:
        """``file`` returns the database that is open now; it is called from this thread."""
        self._path, self._file = path, file
        self._ending, self._called = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def request(self) -> None:
        """Ask for a sync soon; any thread may call it."""
        self._called.set()

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self._called.set()
        self._thread.join()

    def _run(self) -> None:
        problem = ""
        while not self._ending.wait(SYNC_MIN_SECONDS):
            self._called.wait(SYNC_SECONDS - SYNC_MIN_SECONDS)
            self._called.clear()
            file = self._file()
            if file is None or self._ending.is_set():
                continue
            try:
                file.sync()
            except (sqlite3.Error, OSError) as error:
                # A file that was deleted or is in use right now, or a process without a free descriptor for the second
                # connection, is no failure of the disk.
                if isinstance(error, FileNotFoundError) or result_code(error) in _LATER:
                    continue
                if not problem:
                    problem = (error.strerror if isinstance(error, OSError) else None) or one_line(error)
                    log.warning("%s: %s; what is written now may not survive a power cut", self._path, problem)
            else:
                if problem:
                    log.warning("%s: is safe on the disk again", self._path)
                problem = ""
