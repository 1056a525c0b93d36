"""The file lock of the events database; the lock file also records the last key that was given."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from pathlib import Path

from edge.system.closing import Closing

MOST_SEQ = 2**53
"""A larger number was never given."""


class Lock(Closing):
    """Held by one process and released when it ends: two writers would give the same keys twice."""

    def __init__(self, path: Path) -> None:
        """Take the lock; BlockingIOError if another process holds it, or another OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise BlockingIOError(error.errno, "another process writes to it") from error

    def read_key(self) -> tuple[str, int] | None:
        """The key (``boot_id``, ``seq``) that was recorded last; None if there is none or it cannot be parsed."""
        boot_id, _, seq = os.pread(self._file, 200, 0).decode("ascii", "replace").strip().partition(" ")
        return (boot_id, int(seq)) if re.fullmatch("[0-9]{1,20}", seq) and int(seq) < MOST_SEQ else None

    def record_key(self, boot_id: str, seq: int) -> None:
        """Record the last key; a failed write is not an error.

        It always overwrites the same bytes of a small file, which mostly works on a full disk too.
        """
        with contextlib.suppress(OSError):
            os.pwrite(self._file, f"{boot_id} {seq:020}\n".encode(), 0)

    def close(self) -> None:
        """Release the lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
