"""Symbols and letters among digits on a line, each at its usual size and place: none of them is to be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.data.marks import LOOK_ALIKES, extent, load_marks
from edge.types import Box, Pixels
from tests.scoreboard.base_pages import Rng, photograph
from tests.scoreboard.hands import LEANS, OTHERS, Hands
from tests.scoreboard.situations.paper import number

GROUPS = ("symbols", "upper case", "lower case", "look-alikes")
BETWEEN = frozenset(".,:;/-+=*<>|\\")
BEFORE = frozenset("([{$#&@~`_")
"""Symbols that stand before a number; those that are in neither set stand after it."""
INSIDE = 0.5
"""A digit that was read is this mark if their boxes share more than this part of the smaller one."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A page with one mark that is no digit."""

    group: str
    """One of GROUPS."""
    char: str
    pixels: Pixels
    truth: str
    """The digits on it."""
    mark: Box
    digits: tuple[Box, ...]


def marked_pages(folder: Path, hands: Hands, seed: int, every: int = 1) -> Iterator[Marked]:
    """A page for each symbol and letter (or one of ``every``) of the writers who are held out."""
    for name, group in zip(OTHERS, GROUPS, strict=False):
        marks = load_marks(folder / "marks", name)
        if marks is None:
            continue
        for i in np.flatnonzero(marks.held_out)[::every].tolist():
            rng, char = np.random.default_rng([seed, i]), marks.labels[i]
            text, at = _text(rng, char)
            em = float(rng.uniform(40, 80))
            pen = max(1.6, float(rng.uniform(0.05, 0.12)) * em)
            own = dict(hands.writers).get(marks.writers[i])
            line = hands.pick(rng, own).write(rng, text, em, pen, gap=(0.12, 0.35), given={at: marks.strokes(i)})
            room = round(rng.uniform(0.5, 1.2) * em)
            leans = extent(marks.strokes(i))
            alike = char in LOOK_ALIKES or (char == "/" and leans[0] < LEANS * leans[1])
            boxes = [Box(b.x + room, b.y + room, b.width, b.height) for b in line.boxes]
            # A blank has no box.
            chosen = boxes.pop(len(text[:at].replace(" ", "")))
            yield Marked(
                "look-alikes" if alike else group, char, photograph(rng, np.pad(line.ink, room)),
                "".join(one for k, one in enumerate(text) if k != at and one != " "), chosen, tuple(boxes),
            )  # fmt: skip


def _text(rng: Rng, char: str) -> tuple[str, int]:
    """A number with this character where it usually stands, and its index."""
    first, second = number(rng, 1, 3), number(rng, 1, 3)
    if char in BETWEEN:
        return first + char + second, len(first)
    if char in BEFORE or (char.isalpha() and rng.uniform() < 0.5):
        return char + first, 0
    space = " " if char.isalpha() and rng.uniform() < 0.6 else ""
    return first + space + char, len(first + space)


def is_mark(found: Box, page: Marked) -> bool:
    """Whether this box of a digit that was read is that of the mark, and not rather that of a digit."""
    return _shared(found, page.mark) > max([INSIDE, *(_shared(found, digit) for digit in page.digits)])


def _shared(a: Box, b: Box) -> float:
    """The area that both have, as a share of the smaller one."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(width, 0) * max(height, 0) / max(min(a.width * a.height, b.width * b.height), 1)
