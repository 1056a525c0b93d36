"""URIs of sources and publishers, ``scheme:what?option=value&option=value``, and addresses, ``host:port``.

The options of a scheme are the keyword-only arguments of its class. Their annotations say which values an option
accepts: ``fps: Annotated[float, number(0, 240)]``.
"""

from __future__ import annotations

import importlib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple, get_type_hints

from edge.errors import SettingsError

NEAR = 0.65
"""How similar, 0 to 1, a known word is that is suggested, by difflib's ratio. Chosen: two letters that changed places
in a word of three give 0.67; words that only begin alike, such as "flicker" and "flip", 0.55.
"""


class Uri(NamedTuple):
    """A URI in its parts."""

    text: str
    """The URI without secrets, as ``public`` makes it: for logs and errors."""
    scheme: str
    """What is before the first colon; empty if there is none."""
    what: str
    """What is between the scheme and the options, such as a path or device; %-escapes are not decoded."""
    options: dict[str, str]
    """Name -> value, as text."""


class OptionType(NamedTuple):
    """Which values an option accepts, and how a value is parsed."""

    description: str
    """For an error: "a number from 0 to 240"."""
    parse: Callable[[str], Any]
    """Text -> value. Raises ValueError or KeyError if the text is not accepted."""

    def accepts(self, text: str) -> bool:
        """Whether the text is a value of this option."""
        try:
            self.parse(text)
        except (ValueError, KeyError):
            return False
        return True


def number(low: float, high: float) -> OptionType:
    """The type of an option that is a number from ``low`` to ``high``."""

    def parse(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(text)
        return value

    return OptionType(f"a number from {low:g} to {high:g}", parse)


File = Annotated[str, OptionType("a file", str)]
"""An option that names a file."""


def whole_number(low: int, high: int) -> OptionType:
    """The type of an option that is a whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return OptionType(f"a whole number from {low} to {high}", parse)


def _size(text: str) -> tuple[int, int]:
    width, height = (int(side) for side in text.lower().split("x"))
    if not (16 <= width <= 8192 and 16 <= height <= 8192):
        raise ValueError(text)
    return width, height


def _yes_or_no(text: str) -> bool:
    return {"0": False, "1": True, "no": False, "yes": True, "false": False, "true": True}[text.lower()]


YesNo = Annotated[bool, OptionType("0 or 1", _yes_or_no)]
"""An option that is on or off: 0 or 1, no or yes, false or true."""
Size = Annotated[tuple[int, int], OptionType("WIDTHxHEIGHT in pixels, each 16 to 8192", _size)]
"""An option that is a size in pixels: (width, height), each 16 to 8192."""
Fps = Annotated[float, number(0, 240)]
"""An option that is a number of frames per second; 0 = as fast as possible."""


def without_login(text: str) -> str:
    """A URI without user name and password. A password may contain any character, even @ and /."""
    return re.sub(r"//.*@", "//", text)


def public(text: str) -> str:
    """A URI that is safe to log: a URL without user name, password and query; any other URI as it is."""
    scheme, slashes, _ = text.partition("://")
    head, _, query = text.partition("?")
    if not slashes:
        return text
    # If an @ follows the ?, the ? may belong to a password or the @ to the query, so the host cannot be located safely.
    return f"{scheme}://" if "@" in query else without_login(head)


def split(text: str) -> Uri:
    """Split a URI into its parts. Raises SettingsError if an option has no value or is given twice.

    The options begin at the first ``?name=``. Any other ``?`` belongs to the path, as in a glob.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        scheme, rest = "", text
    query = re.search(r"\?(?=[A-Za-z_]+=)", rest)
    text = public(text)
    if not query:
        return Uri(text, scheme, rest, {})
    return Uri(text, scheme, rest[: query.start()], split_options(rest[query.end() :], text))


def split_options(options: str, text: str) -> dict[str, str]:
    """``name=value&name=value`` -> name -> value. Raises SettingsError, which calls the URI ``text``."""
    values: dict[str, str] = {}
    for option in options.split("&") if options else ():
        name, equals, value = option.partition("=")
        if not equals or name in values:
            why = "is given twice" if equals else "has no value: an option is written name=value"
            raise SettingsError(f"{text}: option {name!r} {why}")
        values[name] = value
    return values


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'size'?`` if a known word is similar, otherwise an empty string."""
    # Imported here because only errors need it.
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1, cutoff=NEAR)
    return f"; did you mean {close[0]!r}?" if close else ""


def read_options(uri: Uri, *targets: Callable[..., Any]) -> dict[str, Any]:
    """The URI's options as keyword arguments of the ``targets``. Raises SettingsError, which names the wrong option.

    An option that several of them declare has the type that the last one gives it.
    """
    known = {name: kind for target in targets for name, kind in declared_options(target).items()}
    values: dict[str, Any] = {}
    for name, text in uri.options.items():
        if name not in known:
            options = f"it has {', '.join(known)}" if known else "it has none"
            raise SettingsError(f"{uri.text}: no option {name!r}, {options}{did_you_mean(name, known)}")
        try:
            values[name] = known[name].parse(text)
        except (ValueError, KeyError) as error:
            raise SettingsError(f"{uri.text}: {name} is {known[name].description}, not {text!r}") from error
    return values


def declared_options(target: Callable[..., Any]) -> dict[str, OptionType]:
    """Name -> type of the options that a class or function declares: its keyword-only arguments."""
    function = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return {p.name: hints[p.name].__metadata__[0] for p in parameters if p.kind is p.KEYWORD_ONLY}


def find_class(
    uri: Uri, table: Mapping[str, str], noun: str, *common: Callable[..., Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The class for the URI's scheme, and the options as its keyword arguments; nothing is opened yet.

    ``table`` is scheme -> "module:Class"; the module is imported now. ``noun`` is what a class of the table is called.
    ``common`` are functions that declare options of every scheme.
    Raises SettingsError, which names the existing schemes or the wrong option.
    """
    if uri.scheme not in table:
        word = uri.scheme or uri.what
        problem = f"no {noun} is called {word!r}"
        # The path of a webhook may be secret too.
        where = f"{uri.scheme}://" if "://" in uri.text else uri.text
        written = [f"{scheme}:" for scheme in table]
        schemes = ", ".join(written)
        raise SettingsError(f"{where}: {problem}, there are {schemes}{did_you_mean(f'{word}:', written)}")
    module, _, name = table[uri.scheme].partition(":")
    target = getattr(importlib.import_module(module), name)
    return target, read_options(uri, target, *common)


def is_host(name: str) -> bool:
    """Whether a text can be the name or address of a host: other texts are errors of their own in Python's socket."""
    try:
        name.encode("idna")
    except UnicodeError:
        # A part of it is empty or longer than 63 letters, or it has characters that no name may have.
        return False
    return bool(name) and "\0" not in name


def split_address(address: str, setting: str) -> tuple[str, int]:
    """``host:port`` or ``[host]:port`` -> (host, port). ``setting`` is the setting that has the address.

    Raises SettingsError, which names the setting.
    """
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+(?:%[A-Za-z0-9._-]+)?\]|[^:\[\]\s/]+):([0-9]{1,5})", address)
    if not found or int(found[2]) > 65535 or not is_host(found[1]):
        example = {"metrics": "127.0.0.1:9101", "web": "127.0.0.1:8080"}[setting]
        raise SettingsError(f"{setting}: {address!r} is not an address; write host:port, such as {example}")
    return found[1].strip("[]"), int(found[2])
