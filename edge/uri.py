"""``scheme:what?option=value&option=value``: how a person names a source or a publisher.

The options of a scheme are the keyword arguments of its class, so they are declared once: there. What values
an option takes is written in its type: ``fps: Annotated[float, number(0, 240)]``.
"""

from __future__ import annotations

import importlib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple, get_type_hints

from edge.errors import SettingsError


class Uri(NamedTuple):
    """A URI in its parts."""

    text: str
    """As anybody may see it: ``public``."""
    scheme: str
    """What stands before the first colon; empty where there is none."""
    what: str
    """What stands between the scheme and the options: a path, a device; taken as it is, without %-escapes."""
    options: dict[str, str]
    """name -> value, unread."""


class Takes(NamedTuple):
    """What values an option takes, and how one is read from text."""

    says: str
    """For people: "a number from 0 to 240"."""
    read: Callable[[str], Any]
    """Text -> value; a ValueError where it is none of them."""


def number(low: float, high: float) -> Takes:
    """An option that is a number from ``low`` to ``high``."""

    def read(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(text)
        return value

    return Takes(f"a number from {low:g} to {high:g}", read)


File = Annotated[str, Takes("a file", str)]
"""An option that names a file."""


def whole(low: int, high: int) -> Takes:
    """An option that is a whole number from ``low`` to ``high``."""

    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return Takes(f"a whole number from {low} to {high}", read)


def _size(text: str) -> tuple[int, int]:
    width, height = (int(side) for side in text.lower().split("x"))
    if not (16 <= width <= 8192 and 16 <= height <= 8192):
        raise ValueError(text)
    return width, height


def _yes(text: str) -> bool:
    return {"0": False, "1": True, "no": False, "yes": True, "false": False, "true": True}[text.lower()]


YesNo = Annotated[bool, Takes("0 or 1", _yes)]
Size = Annotated[tuple[int, int], Takes("WIDTHxHEIGHT in pixels, each 16 to 8192", _size)]
Fps = Annotated[float, number(0, 240)]
"""Frames a second; 0 = as fast as it goes."""


def shown(text: str) -> str:
    """A URI as lines may show it: without a name and password. A password may hold anything, an @ or a / too."""
    return re.sub(r"//.*@", "//", text)


def public(text: str) -> str:
    """A URI as anybody may see it: a URL without name, password and query, any other as it is."""
    scheme, slashes, _ = text.partition("://")
    head, _, query = text.partition("?")
    if not slashes:
        return text
    # An @ there may end a password with a ? in it, or be in one that stands in the query: who knows where the host is.
    return f"{scheme}://" if "@" in query else shown(head)


def split(text: str) -> Uri:
    """Take a URI apart.

    The options begin at the first ``?name=``: any other ``?`` belongs to the path, as in a glob.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        scheme, rest = "", text
    query = re.search(r"\?(?=[A-Za-z_]+=)", rest)
    text = public(text)
    if not query:
        return Uri(text, scheme, rest, {})
    options: dict[str, str] = {}
    for option in rest[query.end() :].split("&"):
        name, equals, value = option.partition("=")
        if not equals or name in options:
            why = "is given twice" if equals else "has no value: an option is written name=value"
            raise SettingsError(f"{text}: option {name!r} {why}")
        options[name] = value
    return Uri(text, scheme, rest[: query.start()], options)


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'size'?``, or nothing where no known word is near."""
    # Only errors need it.
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def read_options(uri: Uri, target: Callable[..., Any]) -> dict[str, Any]:
    """The URI's options as keyword arguments of ``target``; SettingsError names one that is wrong."""
    known = _declared(target)
    values: dict[str, Any] = {}
    for name, text in uri.options.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise SettingsError(f"{uri.text}: no option {name!r}, {has}{nearest(name, known)}")
        try:
            values[name] = known[name].read(text)
        except (ValueError, KeyError) as error:
            raise SettingsError(f"{uri.text}: {name} is {known[name].says}, not {text!r}") from error
    return values


def _declared(target: Callable[..., Any]) -> dict[str, Takes]:
    function = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return {p.name: hints[p.name].__metadata__[0] for p in parameters if p.kind is p.KEYWORD_ONLY}


def find(uri: Uri, table: Mapping[str, str], noun: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The class that the URI names and the options as its keyword arguments; nothing is made or opened yet.

    ``table`` has scheme -> "module:Class", and the module is imported only now. A SettingsError names the schemes
    there are, or the option that is wrong.
    """
    if uri.scheme not in table:
        word = uri.scheme or uri.what
        problem = f"no {noun} is called {word!r}"
        # The path may be a secret, too, where it is a webhook's.
        where = f"{uri.scheme}://" if "://" in uri.text else uri.text
        raise SettingsError(f"{where}: {problem}, there are {', '.join(f'{s}:' for s in table)}{nearest(word, table)}")
    module, _, name = table[uri.scheme].partition(":")
    target = getattr(importlib.import_module(module), name)
    return target, read_options(uri, target)


def open_uri(uri: Uri, table: Mapping[str, str], noun: str) -> Any:
    """Make what the URI names; the errors are those of ``find``, and what the class itself raises."""
    target, options = find(uri, table, noun)
    return target(uri.what, **options)


def split_address(address: str, setting: str) -> tuple[str, int]:
    """``host:port`` or ``[host]:port`` -> both; SettingsError, which names the ``setting``, where it is neither."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.%]+\]|[^:\[\]\s/]+):([0-9]{1,5})", address)
    if not found or int(found[2]) > 65535:
        example = {"metrics": "127.0.0.1:9101", "web": "127.0.0.1:8080"}[setting]
        raise SettingsError(f"{setting}: {address!r} is no address; it is written host:port, such as {example}")
    return found[1].strip("[]"), int(found[2])
