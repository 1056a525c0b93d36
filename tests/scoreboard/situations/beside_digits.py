"""Kinds of situations in which other characters stand beside digits: only the digits are to be read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from edge.types import Pixels
from tests.scoreboard.base_pages import Rng
from tests.scoreboard.hands import Hands
from tests.scoreboard.situations.paper import Situation, number, one_line, one_of

UNITS = ("kg", "cm", "m", "km", "ml", "mm", "kWh", "kW", "A", "V", "W", "C", "F", "EUR", "pcs", "min", "h", "ft", "mA")
CODES = "ACEFHKMNPRTUVWXY"
"""Letters that nobody takes for a digit, for codes such as A7."""
WORDS = (
    "Total",
    "Name",
    "Room",
    "Age",
    "Nr",
    "Temp",
    "Date",
    "Amount",
    "Score",
    "Paid",
    "Sum",
    "Page",
    "Unit",
    "meter",
)


def comma(rng: Rng) -> str:
    """249,98"""
    return f"{number(rng, 1, 4)},{number(rng, 1, 3)}"


def point(rng: Rng) -> str:
    """12.5"""
    return f"{number(rng, 1, 3)}.{number(rng, 1, 2)}"


def slash(rng: Rng) -> str:
    """18/8/25 or 24/12"""
    return "/".join(number(rng, 1, 2) for _ in range(int(rng.integers(2, 4))))


def percent(rng: Rng) -> str:
    """60%"""
    return f"{number(rng, 1, 3)}%"


def brackets(rng: Rng) -> str:
    """(6) 694 or [12]"""
    pair = one_of(rng, ("()", "()", "[]"))
    after = f" {number(rng, 1, 3)}" if rng.uniform() < 0.6 else ""
    return f"{pair[0]}{number(rng, 1, 3)}{pair[1]}{after}"


def phone(rng: Rng) -> str:
    """(555) 284-9137"""
    return f"({number(rng, 3, 3)}) {number(rng, 3, 3)}-{number(rng, 4, 4)}"


def unit(rng: Rng) -> str:
    """12 kg"""
    return f"{number(rng, 1, 4)} {one_of(rng, UNITS)}"


def code(rng: Rng) -> str:
    """A7, 12B or KM 407"""
    letters = "".join(one_of(rng, CODES) for _ in range(int(rng.integers(1, 4))))
    return f"{letters}{one_of(rng, ' -') if len(letters) > 1 else ''}{number(rng, 1, 4)}"


def word(rng: Rng) -> str:
    """Total 45"""
    return f"{one_of(rng, WORDS)} {number(rng, 1, 4)}"


def sum_in_a_line(rng: Rng) -> str:
    """12+7=19"""
    parts = one_of(rng, "+-").join(number(rng, 1, 3) for _ in range(2))
    return f"{parts}={number(rng, 1, 3) if rng.uniform() < 0.7 else ''}"


def minus(rng: Rng) -> str:
    """-35"""
    return f"-{number(rng, 1, 4)}"


def time_of_day(rng: Rng) -> str:
    """12:45"""
    return f"{number(rng, 1, 2)}:{number(rng, 2, 2)}"


def currency(rng: Rng) -> str:
    """$25, #7, 3&4"""
    sign = one_of(rng, "$#&")
    return f"{number(rng, 1, 2)}&{number(rng, 1, 2)}" if sign == "&" else f"{sign}{number(rng, 1, 4)}"


def _page(rng: Rng, hands: Hands, strength: int, *, text: Callable[[Rng], str]) -> tuple[Pixels, str]:
    return one_line(rng, hands, text(rng), strength)


KINDS: dict[str, Situation] = {
    name: partial(_page, text=text)
    for name, text in (
        ("comma", comma), ("decimal point", point), ("slash", slash), ("percent", percent), ("brackets", brackets),
        ("phone number", phone), ("unit", unit), ("letters and digits", code), ("word by hand", word),
        ("sum in a line", sum_in_a_line), ("minus", minus), ("time of day", time_of_day), ("currency", currency),
    )
}  # fmt: skip
