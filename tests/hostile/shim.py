"""Compiles and controls faults.c, which makes system calls of a process fail."""

from __future__ import annotations

import mmap
import struct
import subprocess
from pathlib import Path

KINDS = ("open", "read", "write", "fsync", "mmap", "socket", "thread")
"""In the order of faults.c."""
SOURCE = Path(__file__).parent / "faults.c"
PAGE = struct.Struct("16I256s")
"""The ``struct control`` of faults.c."""


def compiled(folder: Path) -> Path:
    """The shim, compiled into that folder. Raises OSError or CalledProcessError where that is not possible."""
    shim = folder / "faults.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return shim


class Control:
    """The page that the shim and the test share; the file's path is in the shim's environment as FAULT_CONTROL."""

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes a new one."""
        if not path.exists():
            path.write_bytes(bytes(PAGE.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), PAGE.size)

    def set(
        self,
        kind: str,
        nth: int,
        error: int,
        *,
        armed: int = 0,
        times: int = 1,
        children: bool = False,
        imports: bool = False,
    ) -> None:
        """Choose which calls fail, and count from 0 again; 0 ``times``: none. See faults.c for the rest."""
        pid = PAGE.unpack(self._page)[7]
        numbers = (armed, KINDS.index(kind), nth, times, error, children, imports, pid)
        self._page[:] = PAGE.pack(*numbers, *[0] * 8, b"")

    def arm(self, on: bool) -> None:
        """Begin or end to count and fail."""
        self._page[:4] = struct.pack("I", on)

    @property
    def fired(self) -> int:
        """How many calls have failed."""
        return int(PAGE.unpack(self._page)[8])

    @property
    def counts(self) -> dict[str, int]:
        """How many calls of each kind there were."""
        return dict(zip(KINDS, PAGE.unpack(self._page)[9:16], strict=True))

    @property
    def what(self) -> str:
        """What the first failed call was about: a path, or empty."""
        return bytes(PAGE.unpack(self._page)[16]).split(b"\0")[0].decode(errors="replace")

    def close(self) -> None:
        """Unmap the page."""
        self._page.close()
