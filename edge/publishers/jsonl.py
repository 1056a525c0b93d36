"""``jsonl:PATH`` or ``jsonl:-``: one JSON object a line, in a file or on stdout."""

from __future__ import annotations

import errno
import json
import os
import select
import sys
from pathlib import Path
from typing import Annotated

from edge.errors import NoReaderError, PublishError, SettingsError
from edge.publishers.base import Publisher
from edge.types import Event, Message, Reading
from edge.uri import Takes

PASSING = {
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "make room in its owner's quota",
    errno.EFBIG: "make room on its disk",
    errno.EROFS: "its disk is read-only, or the service may not write there: mend that, or choose another file",
    errno.EIO: "its disk or card fails: see dmesg",
}
"""What is wrong with a disk and may pass, unlike a path that was named wrongly -> what to do."""
CHUNK_BYTES = select.PIPE_BUF
"""A pipe with any room takes so much at once."""
What = Annotated[str, Takes("readings or events", {"readings": "readings", "events": "events"}.__getitem__)]
"""Each frame's reading, or only what has become of the writing; notices come with both."""
SLICE_MS = 100
"""A wait for whoever reads a pipe is made of these, so that ``stop()`` ends it."""


class Jsonl(Publisher):
    """Appends each reading and notice as a line; every line is written at once, so that a reader sees it whole.

    A file that was moved away or deleted (logrotate) is made anew. Who reads a pipe too slowly is waited for.
    """

    def __init__(self, path: str, *, what: What = "readings") -> None:
        if not path:
            raise SettingsError("jsonl: names no file; use jsonl:PATH, or jsonl:- for stdout")
        self._unwanted = Event if what == "readings" else Reading
        self._out = _Stdout() if path == "-" else _File(Path(path).expanduser())
        self.name = self._out.name

    def publish(self, message: Message) -> None:
        """Write one line; PublishError where the disk is full, NoReaderError where nobody reads stdout any more."""
        if isinstance(message, self._unwanted):
            return
        text = json.dumps(message.as_dict(), ensure_ascii=False) + "\n"
        # A file name that is no UTF-8 has lone surrogates, and Python's escape of one is JSON's too.
        self._out.write(text.encode("utf-8", "backslashreplace"))

    def stop(self) -> None:
        """End the wait for whoever reads a pipe; what it did not take is a PublishError."""
        self._out.stopped = True

    def close(self) -> None:
        """Close the file."""
        self._out.close()


class _Out:
    """Lines into an open file descriptor, half ones set apart."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopped = False
        self._whole = True
        self._asked: tuple[int, select.poll] | None = None

    def _send(self, descriptor: int, line: bytes) -> None:
        # Half a line, left by a full disk or a power cut, stays alone: the next one begins afresh.
        left = memoryview(line if self._whole else b"\n" + line)
        ready = self._ready(descriptor)
        while left:
            # A write that blocks would go on after a signal (PEP 475).
            while not ready.poll(SLICE_MS):
                if self.stopped:
                    raise PublishError(f"{self.name}: nobody reads it, and the end is not waited for")
            left = left[os.write(descriptor, left[:CHUNK_BYTES]) :]
            self._whole = not left

    def _ready(self, descriptor: int) -> select.poll:
        """What tells whether there is room; made once for each file."""
        if self._asked is None or self._asked[0] != descriptor:
            self._asked = descriptor, select.poll()
            self._asked[1].register(descriptor, select.POLLOUT)
        return self._asked[1]

    def write(self, line: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Stdout is not ours to close."""


class _Stdout(_Out):
    def __init__(self) -> None:
        super().__init__("stdout")
        if sys.stdout is None:
            raise PublishError("stdout: it was closed before the program began; name a file")

    def write(self, line: bytes) -> None:
        try:
            sys.stdout.flush()
            self._send(sys.stdout.fileno(), line)
        except BrokenPipeError as error:
            # Python flushes stdout again at its exit and would complain: "Note on SIGPIPE" in the signal
            # module's docs.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise NoReaderError("stdout: nobody reads it any more") from error
        except PublishError:
            raise
        except OSError as error:
            raise PublishError(f"stdout: cannot be written ({error.strerror})") from error


class _File(_Out):
    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._descriptor: int | None = None
        self._opened: tuple[int, int] | None = None
        try:
            self._open()
        except OSError as error:
            # A disk's own trouble may be over when there is something to write.
            if error.errno not in PASSING:
                raise PublishError(self._problem(error)) from error

    def write(self, line: bytes) -> None:
        try:
            if self._descriptor is None or self._moved():
                self._open()
            assert self._descriptor is not None
            self._send(self._descriptor, line)
        except PublishError:
            raise
        except OSError as error:
            # Opened again for the next line: what is mounted there may have been mounted anew.
            self.close()
            raise PublishError(self._problem(error)) from error

    def _open(self) -> None:
        again = self._opened is not None
        self.close()
        # A pipe that nobody reads is waited for at the start, but not while there is other work.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (os.O_NONBLOCK if again else 0)
        self._descriptor = os.open(self._path, flags, 0o666)
        status = os.fstat(self._descriptor)
        self._opened = status.st_dev, status.st_ino
        self._whole = _ends_whole(self._path)

    def _moved(self) -> bool:
        """Whether another file, or none, has the name now."""
        try:
            status = os.stat(self.name)  # noqa: PTH116 - for each line, and Path takes twice as long
        except FileNotFoundError:
            return True
        return (status.st_dev, status.st_ino) != self._opened

    def _problem(self, error: OSError) -> str:
        if isinstance(error, FileNotFoundError):
            return f"{self.name}: there is no folder {self._path.parent}; make it with: mkdir -p {self._path.parent}"
        if error.errno in (errno.EPIPE, errno.ENXIO):
            return f"{self.name}: nobody reads this pipe; start who does"
        what_to_do = PASSING.get(error.errno or 0, "choose another file, or change its owner")
        return f"{self.name}: cannot be written ({error.strerror}); {what_to_do}"

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _ends_whole(path: Path) -> bool:
    """Whether the file is empty or ends with a whole line; what is no plain file (a pipe, a device) does."""
    if not path.is_file() or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
