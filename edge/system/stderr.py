"""Keeps known, harmless messages of C++ libraries off stderr, and nothing else."""

from __future__ import annotations

import atexit
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TextIO

_lock = threading.Lock()
_redirection: Redirection | None = None
_silenced, _level_before = 0, 0
"""How many blocks of ``silence_opencv`` are open, and OpenCV's log level before the first of them."""


@contextmanager
def without(noise: str) -> Iterator[TextIO]:
    """Remove lines on stderr that begin like ``noise`` (a regular expression); others appear when the block ends.

    The libraries write to file descriptor 2, not to ``sys.stderr``, so file descriptor 2 is redirected, for all
    threads. Overlapping blocks share one redirection, which ends with the last of them.
    Yields the real stderr. If there is none, or no disk space to keep its lines, nothing is redirected.
    """
    global _redirection
    mine: Redirection | None = None
    with _lock, suppress(OSError):
        _redirection = mine = _redirection or Redirection()
        mine.blocks += 1
        mine.noise.add(noise)
    if mine is None:
        yield sys.stderr
        return
    try:
        yield mine.stderr
    finally:
        with _lock:
            mine.blocks -= 1
            if not mine.blocks:
                _restore(mine)


class Redirection:
    """Captures what is written to file descriptor 2 until ``end``."""

    def __init__(self) -> None:
        """Raises OSError."""
        with ExitStack() as files:
            self.stderr = files.enter_context(os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace"))
            """The real stderr."""
            self._captured = files.enter_context(tempfile.TemporaryFile())
            self._files = files.pop_all()
        self.noise: set[str] = set()
        self.blocks = 0
        """Number of open blocks that share it."""
        _flush()
        os.dup2(self._captured.fileno(), 2)

    def end(self) -> None:
        """Restore stderr, and write the captured lines that are not noise."""
        _flush()
        os.dup2(self.stderr.fileno(), 2)
        # What cannot be read back, or not be written, is lost: it was not meant for anybody in particular.
        with self._files, suppress(OSError):
            self._captured.seek(0)
            for line in self._captured.read().decode(errors="replace").splitlines():
                if not any(re.match(noise, line) for noise in self.noise):
                    self.stderr.write(line + "\n")


@atexit.register
def _restore_at_exit() -> None:
    # Otherwise the lines would be lost if a thread is inside a block when the program ends.
    with _lock:
        if _redirection:
            _restore(_redirection)


def _restore(redirection: Redirection) -> None:
    global _redirection
    if _redirection is redirection:
        _redirection = None
        redirection.end()


def _flush() -> None:
    # Python has no sys.stderr if the program was started without one.
    if sys.stderr is not None:
        sys.stderr.flush()


@contextmanager
def silence_opencv() -> Iterator[None]:
    """Suppress OpenCV's own warnings within the block; the caller reports what went wrong."""
    global _silenced, _level_before
    import cv2

    # OpenCV 5 has it at another place.
    set_level = cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel
    with _lock:
        if not _silenced:
            _level_before = set_level(0)
        _silenced += 1
    try:
        yield
    finally:
        with _lock:
            _silenced -= 1
            if not _silenced:
                set_level(_level_before)
