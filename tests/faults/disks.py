"""Disks that are full or read-only: real ones, in memory."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest


class Disk:
    """A small tmpfs in a mount namespace of its own, which a shell keeps: with the shell it is gone.

    ``path`` leads there from outside, through /proc. Root may make such a namespace, and others may in a user
    namespace; OSError where neither is allowed (a plain container).
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
        """Take what room there is, to the byte."""
        with (self.path / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def empty(self) -> None:
        """Give it back."""
        (self.path / "filler").unlink()

    def remount(self, how: str) -> None:
        """``ro`` or ``rw``; it must not be in use for the first."""
        self._ask(f"mount -o remount,{how} '{self._place}'")

    def close(self) -> None:
        """Take the disk away."""
        self._shell.kill()
        self._shell.communicate()


class FullDevice:
    """What can be had without a mount: a file that is /dev/full for a while, and so really gives ENOSPC."""

    def __init__(self, place: Path) -> None:
        self.path = place

    def fill(self) -> None:
        """Put /dev/full where readings.jsonl is."""
        (self.path / "readings.jsonl").rename(self.path / "kept")
        (self.path / "readings.jsonl").symlink_to("/dev/full")

    def empty(self) -> None:
        """And take it away."""
        (self.path / "kept").rename(self.path / "readings.jsonl")

    def remount(self, how: str) -> None:
        """Not to be had."""
        pytest.skip("this machine lets nobody mount anything")

    def close(self) -> None:
        """Nothing is held."""


def disk(place: Path) -> Disk | FullDevice:
    """The truest disk that can be had here; its folder is ``path``."""
    if shutil.which("unshare"):
        for as_user in (False, True):
            with contextlib.suppress(OSError):
                return Disk(place, as_user=as_user)
    return FullDevice(place)
