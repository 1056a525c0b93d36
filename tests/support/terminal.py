"""A person at a terminal: starts a program in it, waits for its questions, and types answers."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.patience import patience

SECONDS = patience(60.0)
"""After so long without what is waited for, a test fails."""


class Terminal:
    """A pseudoterminal with one program in it, which is killed at the end."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self.screen = ""
        """All that was shown, with what the terminal echoed."""
        self.answers = 0
        """Lines that were typed."""
        self._looked_at = 0
        self._main, program = pty.openpty()

        def own_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self._process = subprocess.Popen(
            command,
            stdin=program,
            stdout=program,
            stderr=program,
            cwd=cwd,
            env=environment,
            start_new_session=True,
            preexec_fn=own_terminal,
        )
        os.close(program)

    def wait_for(self, text: str) -> str:
        """Wait until the text is shown after what was looked at before; gives all up to it."""
        until = time.monotonic() + SECONDS
        while (place := self.screen.find(text, self._looked_at)) < 0:
            assert self._read(until), f"{text!r} was not shown:\n{self.screen}"
        before, self._looked_at = self.screen[self._looked_at : place], place + len(text)
        return before

    def answer(self, question: str, line: str) -> None:
        """Wait for the question, and type a line."""
        self.wait_for(question)
        self.answers += 1
        self.press(f"{line}\n")

    def press(self, keys: str) -> None:
        """Press keys: ``\\x03`` is Ctrl-C, ``\\x04`` is Ctrl-D."""
        os.write(self._main, keys.encode())

    def end(self) -> int:
        """Wait for the program's end; gives its exit status."""
        until = time.monotonic() + SECONDS
        while self._read(until):
            pass
        return self._process.wait(SECONDS)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        os.close(self._main)
        self._main = -1

    def _read(self, until: float) -> bool:
        """Read what comes next; False at the end, and when the time is up."""
        if not select.select([self._main], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        try:
            piece = os.read(self._main, 65536)
        except OSError:
            # The program has closed its side: Linux says so with EIO.
            return False
        self.screen += piece.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(piece)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *rest: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._main >= 0:
            os.close(self._main)
