"""Text made safe: for one line of a log, for a terminal, for a spreadsheet."""

from __future__ import annotations

import codecs
import json
from typing import Any

MAX_TEXT = 200
"""The longest name or label of a model, in characters. Chosen: they are shown on one line."""


def one_line(error: BaseException, max_length: int | None = None) -> str:
    """The text of any error, also of a library's, on one line; cut to ``max_length`` characters if that is given."""
    return " ".join(str(error).split())[:max_length]


def printable(text: str) -> str:
    """A text on one line, without characters that a terminal would take for a command."""
    return "".join(letter if letter.isprintable() else "?" for letter in text.replace("\n", " / "))


def readable(name: str) -> str:
    """A file's name that can be written as UTF-8: bytes that are none become U+FFFD, the replacement character.

    Python has them as lone surrogates (PEP 383), which neither JSON nor MQTT can hold.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def escape(error: UnicodeError) -> tuple[str, int]:
    """What stands for the characters that an output cannot have, such as \\u00e9 in ASCII: JSON stays JSON.

    A handler for ``codecs.register_error``.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("json-escape", escape)


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError if it is not JSON, or is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def is_text(value: Any) -> bool:
    """Whether a value is a name or label that can be shown: a terminal would take control characters for commands."""
    return isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()


def spreadsheet_cell(value: Any) -> Any:
    """A value for a CSV cell: text that a spreadsheet would take for a formula gets an apostrophe in front."""
    # https://owasp.org/www-community/attacks/CSV_Injection
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value
