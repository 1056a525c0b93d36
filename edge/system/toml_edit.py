"""Changes settings at the top of a TOML file; everything else in it stays: comments, order, other settings.

A line is never taken apart by rules of our own: ``tomllib`` says where a setting ends, and what the changed text means.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from edge.errors import SettingsError

Value = str | Sequence[str]
"""What can be set: a text, or a list of texts."""


class Part(NamedTuple):
    """One or several whole lines of a file: a setting with its value, a header of a table, a comment, an empty line."""

    text: str
    meaning: dict[str, Any]
    """What tomllib makes of it alone; empty if it sets nothing."""


def set_values(text: str, values: Mapping[str, Value]) -> str:
    """``text`` with these settings at the top, each in the place of the old one or after the last one of the top.

    Raises SettingsError if ``text`` is not valid TOML, or if a setting cannot be changed so that the result is certain.
    """
    before = _loads(text)
    parts = list(_parts(text))
    end = next((n for n, part in enumerate(parts) if part.text.lstrip().startswith("[")), len(parts))
    newline = "\r\n" if "\r\n" in text else "\n"
    for name, value in values.items():
        if before.get(name) == (value if isinstance(value, str) else list(value)):
            continue
        place = next((n for n, part in enumerate(parts[:end]) if name in part.meaning), None)
        if place is None:
            place = _after_the_last(parts, end)
            parts.insert(place, Part(f"{name} = {literal(value)}{newline}", {name: value}))
            end += 1
            if place and not parts[place - 1].text.endswith("\n"):
                parts[place - 1] = parts[place - 1]._replace(text=parts[place - 1].text + newline)
        else:
            parts[place] = Part(_changed(parts[place], name, value), {name: value})
    changed = "".join(part.text for part in parts)
    wanted = before | {name: value if isinstance(value, str) else list(value) for name, value in values.items()}
    if not _means(changed, wanted):
        raise SettingsError(f"{' and '.join(values)} cannot be changed in a file written like this; change it by hand")
    return changed


def literal(value: Value) -> str:
    """A value as TOML has it."""
    if isinstance(value, str):
        # JSON escapes the same characters in the same way, except for DEL: TOML 1.0, "String".
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(literal, value))}]"


def _loads(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"is not valid TOML ({error})") from error


def _parts(text: str) -> Iterator[Part]:
    """The parts of a valid file; what follows the first header of a table is one part.

    A value of several lines has ended as soon as tomllib takes it: no beginning of a value is one itself.
    """
    # Not splitlines: it takes other characters for the end of a line, too.
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    held = ""
    for number, line in enumerate(lines):
        held += line
        try:
            meaning = tomllib.loads(held)
        except tomllib.TOMLDecodeError:
            continue
        if held.lstrip().startswith("["):
            yield Part(held + "".join(lines[number + 1 :]), {})
            return
        yield Part(held, meaning)
        held = ""


def _after_the_last(parts: Sequence[Part], end: int) -> int:
    """Where a new setting goes: after the last one before ``end``; with none, before the comment on the first table."""
    settings = [n for n, part in enumerate(parts[:end]) if part.meaning]
    if settings or end == len(parts):
        return settings[-1] + 1 if settings else end
    while end and parts[end - 1].text.strip():
        end -= 1
    return end


def _changed(part: Part, name: str, value: Value) -> str:
    """The text of a setting with another value. The comment after it stays, and those between elements of a list."""
    old = part.meaning[name]
    if isinstance(old, list) and not isinstance(value, str):
        for text in _changed_lists(part.text, old, value):
            if _means(text, {name: list(value)}):
                return text
    head = re.match(r"[^=]*=[ \t]*", part.text)
    assert head, "a setting has an equals sign"
    return f"{head[0]}{literal(value)}{part.text[_value_end(part) :]}"


def _value_end(part: Part) -> int:
    """Where the value has ended, and blanks, a comment or the end of the line follow."""
    text = part.text
    ends = (found.start() for found in re.finditer(r"[ \t]*(#|\r?\n|\Z)", text))
    return next(end for end in ends if _means(text[:end], part.meaning))


def _changed_lists(text: str, old: Sequence[Any], new: Sequence[str]) -> Iterator[str]:
    """Ways to write a list of one element a line anew, which keep its lines; whether one is right is to be tried."""
    gone, added = [one for one in old if one not in new], [one for one in new if one not in old]
    lines = text.splitlines(keepends=True)
    if len(gone) == len(added) == 1 and text.count(literal(gone[0])) == 1:
        yield text.replace(literal(gone[0]), literal(added[0]))
    if len(lines) < 3:
        return
    # Without the lines of what is gone, with a line for each that is added.
    kept = [line for line in lines if not any(literal(one) in line for one in gone)]
    body, foot = kept[:-1], kept[-1]
    space, newline = re.match(r"[ \t]*", body[-1])[0] or "    ", "\r\n" if "\r\n" in text else "\n"  # type: ignore[index]
    rows = [f"{space}{literal(one)},{newline}" for one in added]
    yield "".join([*body, *rows, foot])
    # The last one that was there may have no comma yet.
    for last in (one for one in reversed(old) if one in new):
        with_comma = "".join(body).replace(literal(last), f"{literal(last)},", 1)
        yield "".join([with_comma, *rows, foot])


def _means(text: str, meaning: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == meaning
    except tomllib.TOMLDecodeError:
        return False
