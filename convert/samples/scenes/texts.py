"""What people write: numbers, sums, dates, prices, units and words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convert.data.marks import LOOK_ALIKES
from convert.samples.scenes.writers import pick

UNITS = (
    "kg", "g", "cm", "m", "km", "kWh", "ml", "l", "C", "V", "A", "W", "pcs", "EUR", "min", "h", "%", "%", "%", "$", "x",
)  # fmt: skip
"""Units and what else stands behind a number; what is frequent is listed more often."""
NOUNS = ("Room", "No", "Page", "Flat", "Meter", "Total", "Tel", "Box", "Nr", "Line", "Level", "km", "Start", "End")
"""Words that stand before a number."""
THINGS = ("apples", "eggs", "cups", "days", "boxes", "pens", "men", "cats", "hours", "times", "bags", "left")
"""Words that stand behind a number."""
WORDS = (
    "all", "apply", "bill", "boil", "bus", "busy", "buy", "call", "city", "egg", "fig", "filling", "glass", "good",
    "gulls", "hello", "hill", "ill", "jelly", "kiss", "lily", "little", "look", "loss", "milk", "miss", "oil", "only",
    "pay", "possible", "quality", "said", "school", "silly", "so", "soil", "sugar", "supply", "sky", "tell", "the",
    "this", "to", "usual", "yes", "you", "your", "zigzag", "Bill", "Bob", "Dog", "Gas", "Go", "Hello", "Iris", "Lisa",
    "Oslo", "Soup", "Sold", "Zoo", "BILL", "BOSS", "GOOD", "OIL", "SOLD", "STOP", "TOOLS", "ZOO",
)  # fmt: skip
"""Words with many letters that alone may be digits. Chosen."""
LONE_LETTERS = tuple("aaacccdeefghhijkkkmmnnppprrttuuuvwxxxyyyACEFGHJKLMNPRTUVWXY")
"""Letters that stand alone beside digits; those that differ from a digit neither in shape nor in size are left out."""
SIGNS = tuple("!!!!!!??##&@*<>$%%→→✓✓/~^")
"""Signs that stand directly beside a number; what is frequent is listed more often."""
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
    return str(rng.choice(list("+-×x÷/:*"), p=[0.26, 0.23, 0.13, 0.08, 0.19, 0.06, 0.03, 0.02]))


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
    """A date, with or without its year, with slashes, points or minus signs; or a fraction, such as ``12/5``."""
    between = pick(rng, "////.-")
    if rng.uniform() < 0.35:
        return f"{number(rng, 1, 2)}{between}{number(rng, 1, 2)}"
    return between.join((number(rng, 1, 2), number(rng, 1, 2), number(rng, 2, 2) * int(rng.integers(1, 3))))


def price(rng: np.random.Generator) -> str:
    """A price in dollars or euros."""
    amount = f"{number(rng, 1, 3)}{pick(rng, '.,')}{number(rng, 2, 2)}"
    return pick(rng, (f"${amount}", f"{amount} EUR", amount, f"{number(rng, 1, 3)},-"))


def phone(rng: np.random.Generator) -> str:
    """A telephone number in groups, the first of them in brackets in some."""
    between = pick(rng, " --/.")
    groups = [number(rng, 2, 4) for _ in range(rng.integers(2, 5))]
    if rng.uniform() < 0.3:
        return f"({groups[0]}){pick(rng, ' -')}{between.join(groups[1:])}"
    return pick(rng, ("", "", "", "+", "+", "Tel ", "Tel: ")) + between.join(groups)


def enclosed(rng: np.random.Generator) -> str:
    """A number in brackets, or numbered as a list is."""
    inner = number(rng, 1, 3)
    return pick(rng, (f"({inner})", f"({inner})", f"[{inner}]", f"{{{inner}}}", f"{inner})", f"{inner}.", f"{inner}]"))


def signed(rng: np.random.Generator) -> str:
    """A number with a sign before it, or a dash before, behind or below it; many people write a minus at the line."""
    if rng.uniform() < 0.8:
        return pick(rng, "---__+~") + number(rng, 1, 4)
    return number(rng, 1, 4) + pick(rng, ("-", "_", ".", ",-", " -", "..."))


def beside(rng: np.random.Generator) -> str:
    """A number with letters or signs directly beside it, such as ``5kg``, ``x3``, ``40%``, ``12!`` or ``3b``."""
    kind, amount = rng.uniform(), number(rng, 1, 4)
    if kind < 0.26:
        return amount + pick(rng, UNITS)
    if kind < 0.44:
        return amount + pick(rng, LONE_LETTERS)
    if kind < 0.52:
        return pick(rng, LONE_LETTERS) + amount
    if kind < 0.6:
        return pick(rng, LONE_LETTERS) + number(rng, 1, 2) + pick(rng, LONE_LETTERS)
    if kind < 0.68:
        return amount + pick(rng, LONE_LETTERS) + number(rng, 1, 3)
    if kind < 0.91:
        return amount + pick(rng, SIGNS)
    return pick(rng, SIGNS) + amount


def code(rng: np.random.Generator) -> str:
    """Groups of letters and of digits, such as ``K47``, ``7-RT-204`` or ``3H 9b``: a number plate, a part's number."""
    between = pick(rng, ("", "", "-", " ", "/"))
    of_case = str.islower if rng.uniform() < 0.3 else str.isupper
    clear = [letter for letter in CLEAR_LETTERS if of_case(letter)]
    groups = []
    for i in range(int(rng.integers(0, 2)), int(rng.integers(2, 5))):
        groups.append(number(rng, 1, 4) if i % 2 else "".join(rng.choice(clear, int(rng.integers(1, 4)))))
    return between.join(groups)


def equation(rng: np.random.Generator) -> str:
    """An equation with letters, such as ``y = 3x + 12`` or ``4a - 7 = 21``."""
    wide, letter = " " * int(rng.integers(0, 3)), pick(rng, "xxyabcntk")
    side = f"{number(rng, 1, 2)}{letter}{wide}{pick(rng, '+-')}{wide}{number(rng, 1, 2)}"
    kind = rng.uniform()
    if kind < 0.35:
        return f"{letter}{wide}={wide}{number(rng, 1, 3)}"
    if kind < 0.7:
        return f"{side}{wide}={wide}{number(rng, 1, 3)}"
    return f"{pick(rng, 'yfhzp')}{wide}={wide}{side}"


def listed(rng: np.random.Generator) -> str:
    """A number with the mark of a list before it, or a numbered word."""
    kind = rng.uniform()
    if kind < 0.4:
        return f"{pick(rng, ('-', '*', '→', '✓', '•', 'a)', 'b)', 'c)', 'd.', 'x'))} {number(rng, 1, 4)}"
    return f"{number(rng, 1, 2)}{pick(rng, ('.', ')', ':', ' -'))} {word(rng)}"


def measured(rng: np.random.Generator) -> str:
    """A number with a unit or a word beside it."""
    kind = rng.uniform()
    if kind < 0.5:
        return f"{number(rng, 1, 5)}{pick(rng, ('', ' '))}{pick(rng, UNITS)}"
    if kind < 0.8:
        return f"{label(rng)} {number(rng, 1, 5)}"
    return f"{number(rng, 1, 3)} {pick(rng, THINGS)}"


def label(rng: np.random.Generator) -> str:
    """What stands before a number: a noun, or any word, most of them with a capital letter."""
    name = pick(rng, NOUNS) if rng.uniform() < 0.4 else word(rng)
    return (name.capitalize() if rng.uniform() < 0.6 else name) + pick(rng, ("", "", ":", "."))


def word(rng: np.random.Generator) -> str:
    """A word, or letters in the length of a word."""
    kind = rng.uniform()
    if kind < 0.4:
        return pick(rng, WORDS if rng.uniform() < 0.7 else THINGS + NOUNS)
    if kind < 0.85:
        return "".join(rng.choice(COMMON_LETTERS, int(rng.integers(2, 9))))
    return "".join(rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), int(rng.integers(2, 7))))


_KINDS: tuple[tuple[Text, float], ...] = (
    (number, 0.3), (calculation, 0.09), (decimal, 0.08), (date, 0.1), (price, 0.05), (phone, 0.06), (enclosed, 0.06),
    (signed, 0.06), (beside, 0.07), (code, 0.03), (equation, 0.02), (listed, 0.03), (measured, 0.05),
)  # fmt: skip
_AMONG_OTHERS: tuple[tuple[Text, float], ...] = (
    (calculation, 0.03), (decimal, 0.07), (date, 0.21), (price, 0.06), (phone, 0.08), (enclosed, 0.1), (signed, 0.09),
    (beside, 0.16), (code, 0.08), (equation, 0.03), (listed, 0.02), (measured, 0.07),
)  # fmt: skip


def entry(rng: np.random.Generator) -> str:
    """Anything that has digits in it."""
    return _any(_KINDS, rng)


def among_others(rng: np.random.Generator) -> str:
    """Anything that has digits in it beside letters or signs."""
    return _any(_AMONG_OTHERS, rng)


def _any(kinds: tuple[tuple[Text, float], ...], rng: np.random.Generator) -> str:
    kind = int(rng.choice(len(kinds), p=[share for _, share in kinds]))
    return kinds[kind][0](rng)
