"""Full and read-only disks for tests: real file systems in memory."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest


class Disk:
    """A small tmpfs in its own mount namespace, which exists as long as a shell runs.

    ``path`` leads there from outside, through /proc. Root may create such a namespace, and other users may within a
    user namespace. OSError if neither is allowed, as in a plain container.
    """

    def __init__(self, place: Path, *, as_user: bool, kilobytes: int = 64) -> None:
        command = ["unshare", "--mount", *(["--map-root-user"] if as_user else []), "sh"]
        pipe = subprocess.PIPE
        self._shell = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0)
        self._place = place
        self.path = Path(f"/proc/{self._shell.pid}/root{place}")
        try:
            self._ask(f"mount -t tmpfs -o size={kilobytes}k tmpfs '{place}'")
        except OSError:
            self.close()
            raise

    def _ask(self, command: str) -> None:
        assert self._shell.stdin and self._shell.stdout
        self._shell.stdin.write(f"{command} >/dev/null 2>&1; echo $?\n".encode())
        if self._shell.stdout.readline() != b"0\n":
            raise OSError(f"{command}: refused")

    def fill(self) -> None:
        """Fill the disk to the last byte."""
        with (self.path / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def empty(self) -> None:
        """Free that space again."""
        (self.path / "filler").unlink()

    def remount(self, how: str) -> None:
        """Remount it ``ro`` or ``rw``; for ``ro`` no file may be open for writing."""
        self._ask(f"mount -o remount,{how} '{self._place}'")

    def close(self) -> None:
        """Remove the disk."""
        self._shell.kill()
        self._shell.communicate()


class FullDevice:
    """A substitute without mounting: a file that is a link to /dev/full for a while, which really gives ENOSPC."""

    def __init__(self, place: Path) -> None:
        self.path = place

    def fill(self) -> None:
        """Put a link to /dev/full in the place of readings.jsonl."""
        (self.path / "readings.jsonl").rename(self.path / "kept")
        (self.path / "readings.jsonl").symlink_to("/dev/full")

    def empty(self) -> None:
        """Put readings.jsonl back."""
        (self.path / "kept").rename(self.path / "readings.jsonl")

    def remount(self, how: str) -> None:
        """Skip the test: this needs a mount."""
        pytest.skip("this machine does not allow mounting")

    def close(self) -> None:
        """Do nothing."""


def disk(place: Path) -> Disk | FullDevice:
    """A real small disk if this machine allows it, else the substitute; its folder is ``path``."""
    if shutil.which("unshare"):
        for as_user in (False, True):
            with contextlib.suppress(OSError):
                return Disk(place, as_user=as_user)
    return FullDevice(place)
