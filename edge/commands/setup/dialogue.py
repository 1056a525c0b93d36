"""Asks questions in a terminal, or takes the answers from a file or a pipe, a line each."""

from __future__ import annotations

import contextlib
import getpass
import io
import sys
from collections.abc import Callable
from typing import TypeVar

from edge.errors import SettingsError
from edge.system.text import printable

T = TypeVar("T")


class Unfinished(SettingsError):
    """The answers ended before the last question."""


class Dialogue:
    """Questions on stdout, answers from stdin. Each question has a default, which an empty answer means."""

    def __init__(self, *, defaults: bool = False) -> None:
        """``defaults``: ask nothing; every answer is the default."""
        self.defaults = defaults
        if isinstance(sys.stdin, io.TextIOWrapper):
            # What is not UTF-8 is a wrong answer, not the end.
            sys.stdin.reconfigure(errors="replace")

    def say(self, text: str = "") -> None:
        """Print a line, or several."""
        print(text, flush=True)

    def part(self, name: str, said: str) -> None:
        """Print what was found out about a part, as ``edge run --check`` does."""
        print(f"{name:9}{printable(said)}", flush=True)

    def ask(self, question: str, parse: Callable[[str], T], *, default: str = "", shown: str = "") -> T:
        """What ``parse`` makes of the answer; where it raises SettingsError, that is said and the question repeated.

        ``default`` is parsed too; ``shown`` is how it is shown, if it is not shown as it is. Raises Unfinished if the
        answers end, and the SettingsError if no questions are asked.
        """
        prompt = f"{question} [{shown or default}] " if shown or default else f"{question} "
        while True:
            answer = "" if self.defaults else self._line(prompt).strip()
            try:
                return parse(answer or default)
            except SettingsError as error:
                if self.defaults:
                    raise
                self.say(f"         {printable(str(error))}")

    def yes(self, question: str, *, default: bool) -> bool:
        """Whether the answer is yes."""

        def parse(answer: str) -> bool:
            known = {"y": True, "yes": True, "n": False, "no": False}
            if answer.lower() not in known:
                raise SettingsError("answer y or n")
            return known[answer.lower()]

        return self.ask(question, parse, default="y" if default else "n", shown="Y/n" if default else "y/N")

    def secret(self, question: str) -> str:
        """An answer that is not shown while it is typed."""
        if self.defaults or not (sys.stdin and sys.stdin.isatty()):
            return "" if self.defaults else self._line(f"{question} ").rstrip("\r\n")
        try:
            return getpass.getpass(f"{question} ")
        except EOFError as error:
            raise _unfinished() from error

    def _line(self, prompt: str) -> str:
        print(prompt, end="", flush=True)
        line = sys.stdin.readline() if sys.stdin else ""
        if not (sys.stdin and sys.stdin.isatty()):
            # Nobody has typed the end of this line.
            print(flush=True)
        if not line:
            raise _unfinished()
        return line


def _unfinished() -> Unfinished:
    with contextlib.suppress(OSError):
        print(flush=True)
    return Unfinished("the answers ended before the last question; nothing was changed")
