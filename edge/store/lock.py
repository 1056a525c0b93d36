"""Who writes to the file of events, and which key was given last: one small file beside it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from edge.system.closing import Closing


class Lock(Closing):
    """Held by one process, and gone with it: two that write would give the same numbers twice."""

    def __init__(self, path: Path) -> None:
        """Take it; BlockingIOError where another process has it, or another OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise BlockingIOError(error.errno, "another process writes to it") from error

    def noted(self) -> tuple[str, int] | None:
        """The key that was noted last; None where there is no note."""
        boot_id, _, seq = os.pread(self._file, 200, 0).decode("ascii", "replace").strip().partition(" ")
        return (boot_id, int(seq)) if seq.isdecimal() and seq.isascii() else None

    def note(self, boot_id: str, seq: int) -> None:
        """Note a key; a disk that takes nothing is no error.

        It is the same bytes of the same small file again and again, for which a full disk mostly has room.
        """
        with contextlib.suppress(OSError):
            os.pwrite(self._file, f"{boot_id} {seq:020}\n".encode(), 0)

    def close(self) -> None:
        """Give it up."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
