"""Linux's inotify(7), through the C library: what happens in a folder, without looking again and again."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from pathlib import Path
from typing import NamedTuple

from edge.system.closing import Closing

# <sys/inotify.h>
MODIFY, CLOSE_WRITE, MOVED_FROM, MOVED_TO, DELETE = 0x2, 0x8, 0x40, 0x80, 0x200
DELETE_SELF, MOVE_SELF, UNMOUNT, OVERFLOW, IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
ONLYDIR, ISDIR = 0x01000000, 0x40000000
GONE = DELETE_SELF | MOVE_SELF | UNMOUNT | IGNORED
"""The folder itself is no longer where it was."""
EVENT = struct.Struct("iIII")
"""struct inotify_event: watch, mask, cookie, length of the name that follows."""
BUFFER_BYTES = 65_536
"""Most bytes of events that are taken at once. Chosen: some 2,000 events."""


class Happening(NamedTuple):
    """What happened to a file of the folder."""

    mask: int
    name: str
    cookie: int = 0
    """The same number for both names of a file that is renamed within the folder."""


class Inotify(Closing):
    """Watches one folder, without those in it."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError: there is no such folder, or too many are watched on this machine."""
        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._checked(self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        mask = MODIFY | CLOSE_WRITE | MOVED_FROM | MOVED_TO | DELETE | DELETE_SELF | MOVE_SELF | ONLYDIR
        try:
            self._checked(self._library.inotify_add_watch(self._descriptor, os.fsencode(folder), mask))
        except OSError:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    @staticmethod
    def _checked(answer: int) -> int:
        if answer < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return answer

    def wait(self, seconds: float) -> list[Happening]:
        """What has happened, in order; waits up to ``seconds`` for it."""
        if not self._poll.poll(1000 * seconds):
            return []
        try:
            data = os.read(self._descriptor, BUFFER_BYTES)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(data):
            _, mask, cookie, length = EVENT.unpack_from(data, at)
            at += EVENT.size + length
            found.append(Happening(mask, os.fsdecode(data[at - length : at].rstrip(b"\0")), cookie))
        return found

    def close(self) -> None:
        """End the watch; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
