"""Keep the known chatter of C++ libraries off stderr, and lose nothing else."""

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
_aside: Aside | None = None
_silent, _level = 0, 0
"""How many want OpenCV silent, and how much it said before."""


@contextmanager
def without(noise: str) -> Iterator[TextIO]:
    """Lines on stderr that begin as ``noise`` (a regular expression) vanish; others appear as the block ends.

    The libraries write to file descriptor 2, past ``sys.stderr``: so that is what is redirected, for all
    threads; blocks that overlap share one redirection, which ends with the last of them.
    Yields the real stderr. Where there is none, or no room to keep its lines, nothing is redirected.
    """
    global _aside
    mine: Aside | None = None
    with _lock, suppress(OSError):
        _aside = mine = _aside or Aside()
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
                _back(mine)


class Aside:
    """What is written to stderr, kept for a while."""

    def __init__(self) -> None:
        """Raises OSError."""
        with ExitStack() as files:
            self.stderr = files.enter_context(os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace"))
            """The real one."""
            self._kept = files.enter_context(tempfile.TemporaryFile())
            self._files = files.pop_all()
        self.noise: set[str] = set()
        self.blocks = 0
        """So many are open."""
        _flush()
        os.dup2(self._kept.fileno(), 2)

    def end(self) -> None:
        """Put stderr back, and say what is no noise."""
        _flush()
        os.dup2(self.stderr.fileno(), 2)
        with self._files:
            self._kept.seek(0)
            for line in self._kept.read().decode(errors="replace").splitlines():
                if not any(re.match(noise, line) for noise in self.noise):
                    self.stderr.write(line + "\n")


@atexit.register
def _last_words() -> None:
    # A thread that still works as the program ends would take them with it.
    with _lock:
        if _aside:
            _back(_aside)


def _back(aside: Aside) -> None:
    global _aside
    if _aside is aside:
        _aside = None
        aside.end()


def _flush() -> None:
    # Python has no sys.stderr where the program was started without one.
    if sys.stderr is not None:
        sys.stderr.flush()


@contextmanager
def opencv() -> Iterator[None]:
    """Within it, OpenCV keeps its own warnings to itself: what went wrong is said by whoever called it."""
    global _silent, _level
    import cv2

    # OpenCV 5 has moved it.
    set_level = cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel
    with _lock:
        if not _silent:
            _level = set_level(0)
        _silent += 1
    try:
        yield
    finally:
        with _lock:
            _silent -= 1
            if not _silent:
                set_level(_level)
