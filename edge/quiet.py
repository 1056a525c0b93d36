"""Keep the known chatter of C++ libraries off stderr, and lose nothing else."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO


@contextmanager
def without(noise: str) -> Iterator[TextIO]:
    """Lines on stderr that begin as ``noise`` (a regular expression) vanish; others appear as the block ends.

    The libraries write to file descriptor 2, past ``sys.stderr``: so that is what is redirected, for all
    threads.
    Yields the real stderr. Where there is none, or no room to keep its lines, nothing is redirected.
    """
    with ExitStack() as open_files:
        try:
            stderr = open_files.enter_context(os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace"))
            kept = open_files.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield sys.stderr
            return
        _flush()
        os.dup2(kept.fileno(), 2)
        try:
            yield stderr
        finally:
            _flush()
            os.dup2(stderr.fileno(), 2)
            kept.seek(0)
            for line in kept.read().decode(errors="replace").splitlines():
                if not re.match(noise, line):
                    stderr.write(line + "\n")


def _flush() -> None:
    # Python has no sys.stderr where the program was started without one.
    if sys.stderr is not None:
        sys.stderr.flush()


@contextmanager
def opencv() -> Iterator[None]:
    """Within it, OpenCV keeps its own warnings to itself: what went wrong is said by whoever called it."""
    import cv2

    # OpenCV 5 has moved it.
    set_level = cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel
    before = set_level(0)
    try:
        yield
    finally:
        set_level(before)
