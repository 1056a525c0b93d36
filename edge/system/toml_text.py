"""Change one value in the text of a TOML file; its comments, order and all other values stay as they are."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
"""A string of TOML on one line: basic or literal."""


def with_value(text: str, name: str, value: str) -> str:
    """The text of a TOML file in which the key ``name``, outside of all tables, has the string ``value``.

    A key that is not there yet comes first. Each way to change the text is checked with a parser: it has to change this
    value and nothing else. Raises ValueError if the text is not TOML, or if no way does that.
    """
    wanted = {**tomllib.loads(text), name: value}
    for changed in _ways(text, name, _quoted(value)):
        if _parsed(changed) == wanted:
            return changed
    raise ValueError(f"{name} is not on a line of its own")


def _quoted(value: str) -> str:
    """A basic string of TOML. JSON's strings are such, but for one character, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _ways(text: str, name: str, quoted: str) -> Iterator[str]:
    """The text with ``quoted`` in each place where the key seems to have a string, and then with a line more."""
    for one in re.finditer(rf"(?m)^([ \t]*{re.escape(name)}[ \t]*=[ \t]*){STRING}", text):
        yield f"{text[: one.start()]}{one[1]}{quoted}{text[one.end() :]}"
    yield f"{name} = {quoted}\n{text}"


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
