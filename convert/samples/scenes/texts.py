"""What people write: numbers, sums, dates, prices, units and words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convert.data.marks import LOOK_ALIKES
from convert.samples.scenes.writers import pick

UNITS = ("kg", "g", "cm", "m", "km", "kWh", "ml", "l", "C", "V", "A", "W", "pcs", "EUR", "min", "h", "%", "$", "x")
"""Units and what else stands behind a number."""
NOUNS = ("Room", "No", "Page", "Flat", "Meter", "Total", "Tel", "Box", "Nr", "Line", "Level", "km", "Start", "End")
"""Words that stand before a number."""
THINGS = ("apples", "eggs", "cups", "days", "boxes", "pens", "men", "cats", "hours", "times", "bags", "left")
"""Words that stand behind a number."""
CLEAR_LETTERS = tuple(sorted(set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") - LOOK_ALIKES))
"""Letters that can be told from a digit by their shape alone."""
COMMON_LETTERS = tuple("aaabcdeeefghiiijklmnnoopqrrssttuuvwxyz")
"""Small letters, about as often as they are in words."""

Text = Callable[[np.random.Generator], str]


def number(rng: np.random.Generator, least: int = 1, most: int = 7) -> str:
    """A number of ``least`` to ``most`` digits. One in eight has many ones and zeros, another ends in zeros."""
    kind, length = rng.uniform(), int(rng.integers(least, most + 1))
    digits = list("0011122345678901") if kind < 0.125 else list("0123456789")
    text = "".join(rng.choice(digits, length))
    if 0.125 <= kind < 0.25:
        zeros = int(rng.integers(0, length))
        text = text[: length - zeros] + "0" * zeros
    return text


def _operand(rng: np.random.Generator) -> str:
    if rng.uniform() < 0.12:
        return f"{number(rng, 1, 2)}.{number(rng, 1, 2)}"
    return number(rng, 1, 3)


def _operator(rng: np.random.Generator) -> str:
    return str(rng.choice(list("+-×x÷/"), p=[0.28, 0.26, 0.15, 0.1, 0.16, 0.05]))


def calculation(rng: np.random.Generator) -> str:
    """A sum such as ``25 + 13 =``, ``3 × (7 - 2) =`` or ``15 × 4 = 60``; its result need not be true."""
    wide = " " * int(rng.choice([0, 1, 2, 4]))
    kind = rng.uniform()
    if kind < 0.72:
        text = f"{_operand(rng)}{wide}{_operator(rng)}{wide}{_operand(rng)}"
    elif kind < 0.86:
        operands = [f"{wide}{_operator(rng)}{wide}{number(rng, 1, 2)}" for _ in range(2)]
        text = number(rng, 1, 2) + "".join(operands)
    else:
        inner = f"({number(rng, 1, 2)}{wide}{_operator(rng)}{wide}{number(rng, 1, 2)})"
        outer = f"{number(rng, 1, 2)}{wide}{_operator(rng)}{wide}"
        text = outer + inner if rng.uniform() < 0.5 else f"{inner}{wide}{_operator(rng)}{wide}{number(rng, 1, 2)}"
    if rng.uniform() < 0.75:
        text += f"{wide} ="
        if rng.uniform() < 0.35:
            text += f" {number(rng, 1, 3)}"
    return text


def decimal(rng: np.random.Generator) -> str:
    """A number with a point, comma or colon, such as ``12.5`` or ``3:45``."""
    return number(rng, 1, 3) + str(rng.choice(list(".,:"), p=[0.45, 0.3, 0.25])) + number(rng, 1, 3)


def date(rng: np.random.Generator) -> str:
    """A date, with slashes, points or minus signs."""
    between = pick(rng, "//.-")
    return between.join((number(rng, 1, 2), number(rng, 1, 2), number(rng, 2, 2) * int(rng.integers(1, 3))))


def price(rng: np.random.Generator) -> str:
    """A price in dollars or euros."""
    amount = f"{number(rng, 1, 3)}{pick(rng, '.,')}{number(rng, 2, 2)}"
    return pick(rng, (f"${amount}", f"{amount} EUR", amount, f"{number(rng, 1, 3)},-"))


def phone(rng: np.random.Generator) -> str:
    """A telephone number in groups."""
    between = pick(rng, " -/")
    return ("+" if rng.uniform() < 0.2 else "") + between.join(number(rng, 2, 4) for _ in range(rng.integers(2, 5)))


def enclosed(rng: np.random.Generator) -> str:
    """A number in brackets, or numbered as a list is."""
    inner = number(rng, 1, 3)
    return pick(rng, (f"({inner})", f"[{inner}]", f"{inner})", f"{inner}."))


def signed(rng: np.random.Generator) -> str:
    """A number with a sign before it."""
    return pick(rng, "--+") + number(rng, 1, 4)


def code(rng: np.random.Generator) -> str:
    """Letters that cannot be taken for digits, then digits."""
    return "".join(rng.choice(CLEAR_LETTERS, int(rng.integers(1, 4)))) + number(rng, 1, 4)


def measured(rng: np.random.Generator) -> str:
    """A number with a unit or a word beside it."""
    kind = rng.uniform()
    if kind < 0.5:
        return f"{number(rng, 1, 5)} {pick(rng, UNITS)}"
    if kind < 0.7:
        return f"{pick(rng, NOUNS)} {number(rng, 1, 4)}"
    if kind < 0.8:
        return f"{number(rng, 1, 2)}{pick(rng, '.)')} {word(rng)}"
    return f"{number(rng, 1, 3)} {pick(rng, THINGS)}"


def word(rng: np.random.Generator) -> str:
    """Letters in the length of a word."""
    if rng.uniform() < 0.75:
        return "".join(rng.choice(COMMON_LETTERS, int(rng.integers(2, 9))))
    return "".join(rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), int(rng.integers(2, 7))))


_KINDS: tuple[tuple[Text, float], ...] = (
    (number, 0.44), (calculation, 0.12), (decimal, 0.1), (date, 0.06), (price, 0.05), (phone, 0.05),
    (enclosed, 0.04), (signed, 0.05), (code, 0.03), (measured, 0.06),
)  # fmt: skip


def entry(rng: np.random.Generator) -> str:
    """Anything that has digits in it."""
    kind = int(rng.choice(len(_KINDS), p=[share for _, share in _KINDS]))
    return _KINDS[kind][0](rng)
