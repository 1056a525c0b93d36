"""Watches a folder for files that arrive: each is given once, when it is whole, in the order of arrival.

A file has arrived when the program that wrote it has closed it, or when it is renamed into the folder: inotify tells
both. In network folders inotify sees nothing of what other machines do, and it may lose events when thousands of files
come at once. So the folder is also looked through, and a file that has stayed the same for a while has arrived, too.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from edge.errors import ImageError
from edge.images import MAX_FILE_BYTES
from edge.sources import inotify
from edge.sources.image_paths import natural_key
from edge.sources.inotify import Happening, Inotify
from edge.system.closing import Closing
from edge.system.files import open_regular, read_all
from edge.system.text import readable

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often the folder is looked through, if it has changed or cannot be watched, in seconds. Chosen."""
LOOK_ANYWAY_SECONDS = 60.0
"""How often it is looked through although nothing seems to have changed, in seconds: a file that another machine
replaces within a network folder changes no time of the folder. Chosen."""
SETTLED_SECONDS = 2.0
"""A file that was found by looking has arrived when it has stayed the same for this many seconds. Chosen."""
ABANDONED_SECONDS = 60.0
"""The same for a file that a program of this machine seems to be writing. Chosen: longer than a slow upload pauses."""
REMEMBERED = 100_000
"""Of this many files it is remembered that they were given, even if they are not there now. Chosen: some 30 MB."""


class Signature(NamedTuple):
    """What changes when the file of a name is another one, is written to, or may be read at last."""

    inode: int
    size: int
    modified_ns: int
    mode: int


class Given(NamedTuple):
    """A file that was given, or was there before the watch began."""

    signature: Signature
    digest: bytes
    """Of its content; empty if it was not read."""


class Arrival(NamedTuple):
    """A file that has arrived."""

    path: Path
    content: bytes
    at: datetime
    """When it arrived, UTC."""


class FolderWatch(Closing):
    """The files that arrive in a folder, which need not be there all the time."""

    def __init__(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        """Files that are there now are not given. ``wanted`` tells by its name whether a file counts."""
        self.folder = folder
        self.problem = ""
        """Why the folder cannot be watched at the moment; empty if it can."""
        self._wanted = wanted
        self._inotify: Inotify | None = None
        self._identity: tuple[int, int] | None = None
        self._given: dict[str, Given] = {}
        self._arrived: dict[str, tuple[datetime, bool]] = {}
        """Name -> when it arrived, and whether the same content as before is no new file."""
        self._settling: dict[str, tuple[Signature, float]] = {}
        self._writing: set[str] = set()
        self._moved: tuple[int, Given | None] = 0, None
        self._look_at = self._look_anyway_at = 0.0
        self._folder_modified_ns = 0
        if self._open():
            self._given = {name: Given(signature, b"") for name, signature in self._files()}

    @property
    def already_there(self) -> int:
        """How many files have been there when the watch began, or were given since."""
        return len(self._given)

    def close(self) -> None:
        """End the watch."""
        if self._inotify:
            self._inotify.close()
            self._inotify = None

    def wait(self, seconds: float) -> None:
        """Wait up to ``seconds`` for something to happen in the folder, and take note of it."""
        if self._inotify:
            for happening in self._inotify.wait(seconds):
                self._note(happening)
        else:
            time.sleep(seconds)
        now = time.monotonic()
        if now >= self._look_at:
            self._look(now)
            self._look_at = now + LOOK_SECONDS

    def take(self) -> Arrival | None:
        """The next file that has arrived; None if there is none at the moment.

        Raises ImageError if it cannot be read; then the next call goes on with the one after it.
        """
        while self._arrived:
            name, (at, unless_same) = next(iter(self._arrived.items()))
            del self._arrived[name]
            if name in self._writing:
                # It is written again: it arrives when that is done.
                continue
            path = self.folder / name
            try:
                content, signature = _read(path)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                self._given[name] = Given(_signature(path) or Signature(0, 0, 0, 0), b"")
                why = error.strerror if isinstance(error, OSError) else error
                raise ImageError(f"{readable(str(path))}: cannot be read ({why})") from error
            if _signature(path) != signature:
                # It was replaced or written to meanwhile. What was read may be half of each.
                self._look_at = 0.0
                continue
            before, digest = self._given.get(name), hashlib.blake2b(content, digest_size=16).digest()
            self._given[name] = Given(signature, digest)
            if not content or (unless_same and before and before.digest == digest):
                # Empty, or only its time has changed: some servers set it after the upload.
                continue
            return Arrival(path, content, at)
        return None

    def _open(self) -> bool:
        """Begin to watch the folder; False, with the problem, if it is not there."""
        self.close()
        try:
            status = self.folder.stat()
            if not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(20, "it is not a folder")
            os.scandir(self.folder).close()
        except OSError as error:
            self.problem = self._why_not(error)
            return False
        self.problem = ""
        self._identity = status.st_dev, status.st_ino
        self._writing.clear()
        self._look_anyway_at = 0.0
        try:
            self._inotify = Inotify(self.folder)
        except OSError as error:
            log.info("%s: looked through every %g s (%s)", self.folder, LOOK_SECONDS, error.strerror)
        return True

    def _why_not(self, error: OSError) -> str:
        step = "make the folder, or name another" if isinstance(error, FileNotFoundError) else "name another folder"
        return f"{readable(str(self.folder))}: cannot be watched ({error.strerror}); {step}"

    def _note(self, happening: Happening) -> None:
        """Take note of what inotify tells."""
        mask, name, cookie = happening
        if mask & (inotify.OVERFLOW | inotify.GONE):
            self._look_at = self._look_anyway_at = 0.0
            self._identity = None if mask & inotify.GONE else self._identity
        elif mask & inotify.ISDIR or not self._wanted(name):
            return
        elif mask & inotify.MODIFY:
            self._writing.add(name)
        else:
            # Some servers open a file once more to set its time, and write nothing.
            unwritten = not mask & inotify.MOVED_TO and name not in self._writing
            self._writing.discard(name)
            self._settling.pop(name, None)
            if mask & inotify.MOVED_FROM:
                self._moved = cookie, self._given.get(name)
            if mask & inotify.MOVED_TO and self._was_given(name, cookie):
                return
            if mask & inotify.MOVED_TO or (mask & inotify.CLOSE_WRITE and self._is_new(name)):
                at, before = self._arrived.get(name, (datetime.now(UTC), True))
                self._arrived[name] = at, before and unwritten
            elif mask & (inotify.MOVED_FROM | inotify.DELETE):
                self._arrived.pop(name, None)

    def _was_given(self, name: str, cookie: int) -> bool:
        """Whether a file that was renamed within the folder was given under its other name."""
        renamed, given = self._moved
        if renamed != cookie or not (given and given.digest) or given.signature != _signature(self.folder / name):
            return False
        self._given[name] = given
        return True

    def _is_new(self, name: str) -> bool:
        given = self._given.get(name)
        return given is None or given.signature != _signature(self.folder / name)

    def _look(self, now: float) -> None:
        """Look whether the folder is still there; look through it if it may have changed."""
        try:
            status = self.folder.stat()
        except OSError:
            self._identity = None
        else:
            if self._identity and (status.st_dev, status.st_ino) != self._identity:
                self._identity = None
        if self._identity is None and not self._open():
            return
        modified = self._folder_modified_ns
        with_changes = self._inotify is None or self._settling or self._writing or now >= self._look_anyway_at
        try:
            self._folder_modified_ns = self.folder.stat().st_mtime_ns
            if with_changes or self._folder_modified_ns != modified:
                self._look_anyway_at = now + LOOK_ANYWAY_SECONDS
                self._look_through(dict(self._files()), now)
        except OSError as error:
            self._identity = None
            self.problem = self._why_not(error)

    def _look_through(self, files: dict[str, Signature], now: float) -> None:
        """Find files that are new or have changed, and have settled."""
        found = []
        settling, self._settling = self._settling, {}
        self._writing &= files.keys()
        for name, signature in files.items():
            given = self._given.get(name)
            if name in self._arrived or not signature.size or (given and given.signature == signature):
                continue
            before, since = settling.get(name, (None, now))
            since = since if before == signature else now
            if now - since >= (ABANDONED_SECONDS if name in self._writing else SETTLED_SECONDS):
                self._writing.discard(name)
                found.append((signature.modified_ns, name))
            else:
                self._settling[name] = signature, since
        at = datetime.now(UTC)
        for _, name in sorted(found, key=lambda one: (one[0], natural_key(Path(one[1])))):
            self._arrived[name] = at, True
        if len(self._given) > REMEMBERED:
            self._given = {name: given for name, given in self._given.items() if name in files}

    def _files(self) -> Iterator[tuple[str, Signature]]:
        """The files of the folder that count. Raises OSError."""
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if self._wanted(entry.name) and (signature := _signature(Path(entry.path))):
                    yield entry.name, signature


def _signature(path: Path) -> Signature | None:
    """None if there is no such file, or it is a folder, a pipe or the like."""
    try:
        status = path.stat()
    except OSError:
        return None
    return _signature_of(status) if stat.S_ISREG(status.st_mode) else None


def _signature_of(status: os.stat_result) -> Signature:
    return Signature(status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)


def _read(path: Path) -> tuple[bytes, Signature]:
    """The content of a file, and its signature before it was read. Raises OSError; ValueError if it is not one."""
    with open_regular(path) as (file, status):
        return read_all(file, MAX_FILE_BYTES), _signature_of(status)
