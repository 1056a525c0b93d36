"""Text made safe: for one line of a log, for a terminal, for a spreadsheet."""

from __future__ import annotations

from typing import Any


def one_line(error: BaseException, most: int | None = None) -> str:
    """The text of any error, those of libraries too, on one line; at most so many characters."""
    return " ".join(str(error).split())[:most]


def printable(text: str) -> str:
    """A text on one line, with nothing that a terminal takes for a command."""
    return "".join(letter if letter.isprintable() else "?" for letter in text.replace("\n", " / "))


def spreadsheet_cell(value: Any) -> Any:
    """What a spreadsheet would take for a formula begins with an apostrophe."""
    # https://owasp.org/www-community/attacks/CSV_Injection
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value
