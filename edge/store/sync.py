"""The thread that waits for the disk, so that neither the loop nor a publisher does."""

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
"""Events are on the disk itself after so long, and a write of the disk: it is also the time of a common file system."""
SYNC_LEAST_SECONDS = 0.5
"""And not sooner after the last time, however much is written."""


class SyncThread(Closing):
    """Settles the file that is open every SYNC_SECONDS, or sooner when called; what is wrong there is said once."""

    def __init__(self, path: Path, file: Callable[[], EventFile | None]) -> None:
        """``file`` gives the one that is open now, from any thread."""
        self._path, self._file = path, file
        self._ending, self._called = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def call(self) -> None:
        """Settle it soon; any thread may."""
        self._called.set()

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self._called.set()
        self._thread.join()

    def _run(self) -> None:
        wrong = ""
        while not self._ending.wait(SYNC_LEAST_SECONDS):
            self._called.wait(SYNC_SECONDS - SYNC_LEAST_SECONDS)
            self._called.clear()
            file = self._file()
            if file is None or self._ending.is_set():
                continue
            try:
                file.settle()
            except (sqlite3.Error, OSError) as error:
                # A file that was taken away, or is in use just now, is no trouble of the disk's.
                if isinstance(error, FileNotFoundError) or result_code(error) == sqlite3.SQLITE_BUSY:
                    continue
                if not wrong:
                    wrong = (error.strerror if isinstance(error, OSError) else None) or one_line(error)
                    log.warning("%s: %s; what is written now may not survive a power cut", self._path, wrong)
            else:
                if wrong:
                    log.warning("%s: is safe on the disk again", self._path)
                wrong = ""
