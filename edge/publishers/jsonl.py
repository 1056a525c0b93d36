"""``jsonl:PATH`` or ``jsonl:-``: one JSON object a line, in a file or on stdout."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import BinaryIO, Protocol

from edge.errors import PublishError, SettingsError
from edge.publishers import Publisher
from edge.types import Message


class Jsonl(Publisher):
    """Appends each reading and notice as a line; every line is written at once, so that a reader sees it whole."""

    def __init__(self, path: str) -> None:
        if not path:
            raise SettingsError("jsonl: names no file; use jsonl:PATH, or jsonl:- for stdout")
        self._out: _Out = _Stdout() if path == "-" else _File(Path(path).expanduser())

    def publish(self, message: Message) -> None:
        """Write one line; PublishError where the disk is full or nobody reads stdout any more."""
        text = json.dumps(message.as_dict(), ensure_ascii=False) + "\n"
        # A file name that is no UTF-8 has lone surrogates, and Python's escape of one is JSON's too.
        self._out.write(text.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Close the file."""
        self._out.close()


class _Out(Protocol):
    def write(self, line: bytes) -> None: ...
    def close(self) -> None: ...


class _Stdout:
    def write(self, line: bytes) -> None:
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            # Python flushes stdout again at its exit and would complain: "Note on SIGPIPE" in the signal
            # module's docs.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise PublishError("stdout: nobody reads it any more") from error
        except OSError as error:
            raise PublishError(f"stdout: cannot be written ({error.strerror})") from error

    def close(self) -> None:
        """Stdout is not ours to close."""


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # Unbuffered: a line is one write, and what could not be written is not tried again at closing.
            self._file: BinaryIO = path.open("ab", buffering=0)
            self._whole = _ends_whole(path)
        except FileNotFoundError as error:
            raise PublishError(
                f"{path}: there is no folder {path.parent}; make it with: mkdir -p {path.parent}"
            ) from error
        except OSError as error:
            raise PublishError(
                f"{path}: cannot be written ({error.strerror}); choose another file, or change its owner"
            ) from error

    def write(self, line: bytes) -> None:
        # Half a line, left by a full disk or a power cut, stays alone: the next one begins afresh.
        line = line if self._whole else b"\n" + line
        left = memoryview(line)
        try:
            while left:
                left = left[self._file.write(left) :]
                self._whole = not left
        except OSError as error:
            raise PublishError(f"{self._path}: cannot be written ({error.strerror}); make room on its disk") from error

    def close(self) -> None:
        self._file.close()


def _ends_whole(path: Path) -> bool:
    """Whether the file is empty or ends with a whole line; what is no plain file (a pipe, a device) does."""
    if not path.is_file() or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
