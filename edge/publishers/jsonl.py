"""JSON lines, ``jsonl:PATH`` or ``jsonl:-``: one JSON object a line, in a file or on stdout."""

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
from edge.system.files import expanded
from edge.types import Event, Message, Reading
from edge.uri import OptionType

TEMPORARY_ERRORS = {
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "make room in its owner's quota",
    errno.EFBIG: "make room on its disk",
    errno.EROFS: "its disk is read-only, or the service may not write there; change that, or choose another file",
    errno.EIO: "its disk or card fails; see dmesg",
    errno.EMFILE: "raise the program's limit of open files (ulimit -n, LimitNOFILE)",
    errno.ENFILE: "too many files are open on this machine: end other programs",
}
"""errno of a failure that may be temporary, unlike a wrong path -> what to do about it."""
WRITE_BYTES = select.PIPE_BUF
"""Most bytes in one write. POSIX: a pipe that poll() reports as writable accepts PIPE_BUF bytes without blocking."""
What = Annotated[str, OptionType("readings or events", {"readings": "readings", "events": "events"}.__getitem__)]
"""The option ``what``: a reading for each frame, or only the events; notices come with both."""
POLL_MS = 100
"""Longest single wait for a pipe's reader, in milliseconds; between two, ``stop()`` is noticed. Chosen."""


class Jsonl(Publisher):
    """Appends each message as a line, without buffering, so that a reader sees complete lines at once.

    If the file was moved or deleted (logrotate), a new one is made. If a pipe's reader is too slow, it is waited for.
    """

    def __init__(self, path: str, *, what: What = "readings") -> None:
        if not path:
            raise SettingsError("jsonl: names no file; use jsonl:PATH, or jsonl:- for stdout")
        self._unwanted = Event if what == "readings" else Reading
        self._out = _Stdout() if path == "-" else _File(expanded(path))
        self.name = self._out.name

    def publish(self, message: Message) -> None:
        """Write one line; PublishError if that fails (disk full), NoReaderError if the reader of stdout is gone."""
        if isinstance(message, self._unwanted):
            return
        text = json.dumps(message.as_dict(), ensure_ascii=False) + "\n"
        # A file name that is not UTF-8 has lone surrogates; Python escapes them just as JSON does.
        self._out.write(text.encode("utf-8", "backslashreplace"))

    def stop(self) -> None:
        """End the wait for a pipe's reader; an unfinished line then raises PublishError."""
        self._out.stopped = True

    def close(self) -> None:
        """Close the file."""
        self._out.close()


class _Out:
    """Writes lines to a file descriptor; a line that was cut off is ended before the next one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopped = False
        self._line_complete = True
        self._poll: tuple[int, select.poll] | None = None

    def _send(self, descriptor: int, line: bytes) -> None:
        # Half a line, left by a full disk or a power cut, must not join the next line.
        left = memoryview(line if self._line_complete else b"\n" + line)
        ready = self._poll_for(descriptor)
        while left:
            # Poll first: a blocking write would continue after a signal (PEP 475).
            while not ready.poll(POLL_MS):
                if self.stopped:
                    raise PublishError(
                        f"{self.name}: nobody reads it, and the program ends without waiting for a reader"
                    )
            left = left[os.write(descriptor, left[:WRITE_BYTES]) :]
            self._line_complete = not left

    def _poll_for(self, descriptor: int) -> select.poll:
        """A poll object for writing to a descriptor; made once for each file."""
        if self._poll is None or self._poll[0] != descriptor:
            self._poll = descriptor, select.poll()
            self._poll[1].register(descriptor, select.POLLOUT)
        return self._poll[1]

    def write(self, line: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Do nothing: stdout is closed by Python."""


class _Stdout(_Out):
    def __init__(self) -> None:
        super().__init__("stdout")
        if sys.stdout is None:
            raise PublishError("stdout: it is closed; name a file")

    def write(self, line: bytes) -> None:
        try:
            sys.stdout.flush()
            self._send(sys.stdout.fileno(), line)
        except BrokenPipeError as error:
            # Python flushes stdout again at exit, which would fail: see "Note on SIGPIPE" in the docs of its
            # module signal.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise NoReaderError("stdout: its reader is gone") from error
        except PublishError:
            raise
        except OSError as error:
            raise PublishError(f"stdout: cannot be written ({error.strerror})") from error


class _File(_Out):
    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._descriptor: int | None = None
        self._inode: tuple[int, int] | None = None
        try:
            self._open()
        except OSError as error:
            # A disk error may be over by the time there is something to write.
            if error.errno not in TEMPORARY_ERRORS:
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
            # Reopen it for the next line: the file system may have been mounted again by then.
            self.close()
            raise PublishError(self._problem(error)) from error

    def _open(self) -> None:
        reopening = self._inode is not None
        self.close()
        # At the start, wait for the reader of a pipe; later, do not hold up the loop for that.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (os.O_NONBLOCK if reopening else 0)
        self._descriptor = os.open(self._path, flags, 0o666)
        status = os.fstat(self._descriptor)
        self._inode = status.st_dev, status.st_ino
        self._line_complete = _ends_with_newline(self._path)

    def _moved(self) -> bool:
        """Whether the path now names another file, or none."""
        try:
            status = os.stat(self.name)  # noqa: PTH116 - for each line, and Path takes twice as long
        except FileNotFoundError:
            return True
        return (status.st_dev, status.st_ino) != self._inode

    def _problem(self, error: OSError) -> str:
        if isinstance(error, FileNotFoundError):
            return f"{self.name}: there is no folder {self._path.parent}; make it with: mkdir -p {self._path.parent}"
        if error.errno in (errno.EPIPE, errno.ENXIO):
            return f"{self.name}: nobody reads this pipe; start its reader"
        what_to_do = TEMPORARY_ERRORS.get(error.errno or 0, "choose another file, or change its owner")
        return f"{self.name}: cannot be written ({error.strerror}); {what_to_do}"

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _ends_with_newline(path: Path) -> bool:
    """Whether the file is empty or ends with a newline; true for anything but a regular file (a pipe, a device)."""
    if not path.is_file() or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
