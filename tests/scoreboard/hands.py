"""Lines of writing by real people: digits, letters and symbols, each at its usual size and place on the line.

The strokes are those of the writers that no model was trained on, drawn with any pen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from convert.data.marks import Marks, Stroke, draw, extent, load_marks
from edge.errors import DataError
from edge.types import Box, Pixels
from tests.scoreboard.base_pages import Rng
from tests.scoreboard.layout import merge

DIGITS = ("unipen_digits", "pendigits")
OTHERS = ("unipen_symbols", "unipen_upper", "unipen_lower")
WIDEST = 1.3
"""The largest width of a character, em."""
MIDDLE = 0.48
"""Height of the middle of the line above its baseline, em."""
LEANS = 0.25
"""Least width of a slash, in heights: nobody can tell one that is upright from a 1."""
ILLEGIBLE = {
    "unipen_digits": frozenset((
        182, 196, 203, 207, 1151, 1511, 1637, 1686, 1979, 1998, 2000, 2001, 2008, 2017, 2022, 2040, 2045, 2062,
        2614, 2624, 4629, 4631, 9192, 9324, 9364, 9408, 9559, 11255, 11502, 11529, 11533, 11538, 11540, 11603,
        11978, 11979, 12050, 12061, 12076, 12127, 12142, 12143, 12144, 12159,
    )),
    "pendigits": frozenset((
        995, 1957, 2374, 3643, 3910, 4153, 4436, 4485, 5451, 5541, 5670, 5827, 6707, 6965, 7138,
    )),
}  # fmt: skip
"""Digits, by their number in the set, that a person could not read: wrong labels, several digits at once, torsos,
sevens like twos.

They are left out of pages. The model is judged by them nevertheless.
"""
ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz")
Samples = Mapping[str, Sequence[list[Stroke]]]
"""By character: the ways in which it was written."""


class Form(NamedTuple):
    """The usual size of a character and its place, in em."""

    size: float
    bottom: float = 0.0
    """How far its lower edge is below the baseline; of a character ``centred`` this is not used."""
    centred: bool = False
    """Whether its middle is at the middle of the line."""
    across: bool = False
    """Whether ``size`` is its width, else its height."""


FORMS: dict[str, Form] = {
    **dict.fromkeys("acemnorsuvwxz", Form(0.62)),
    **dict.fromkeys("gpqy", Form(0.95, 0.33)),
    "i": Form(0.85),
    "j": Form(1.1, 0.3),
    "t": Form(0.9),
    ".": Form(0.1),
    ",": Form(0.28, 0.16),
    ";": Form(0.65, 0.16),
    ":": Form(0.5),
    **dict.fromkeys("'`", Form(0.26, -0.75)),
    '"': Form(0.28, -0.75),
    "^": Form(0.35, -0.65),
    "-": Form(0.45, centred=True, across=True),
    "~": Form(0.5, centred=True, across=True),
    "=": Form(0.5, centred=True, across=True),
    "_": Form(0.6, 0.05, across=True),
    **dict.fromkeys("+*<>", Form(0.55, centred=True)),
    **dict.fromkeys("/()[]{}|\\", Form(1.2, centred=True)),
}
"""Of every character that is not as tall as a digit, or not on the baseline."""


class Manner(NamedTuple):
    """How a hand writes on one page."""

    slant: float
    turn: float
    """Degrees clockwise."""
    stretch: float
    wobble: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of writing, cropped to its ink."""

    ink: Pixels
    boxes: tuple[Box, ...]
    """Where each character is that is not a blank."""
    baseline: float
    """Its y."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One writer; what they did not write is taken from others."""

    own: Samples
    others: Samples
    manner: Manner

    def samples(self, char: str) -> Sequence[list[Stroke]]:
        """The ways of writing this character. Raises DataError where nobody wrote it."""
        found = self.own.get(char) or self.others.get(char)
        if not found:
            raise DataError(f"marks: no writer who is held out wrote {char!r}; fetch the whole folder")
        return found

    def character(self, rng: Rng, char: str, em: float, pen: float, strokes: list[Stroke] | None = None) -> Pixels:
        """The ink of one character on a line of ``em`` pixels; ``strokes``: this one, not any."""
        if strokes is None:
            among = self.samples(char)
            strokes = among[int(rng.integers(len(among)))]
        form, (width, height) = FORMS.get(char, Form(1.0)), extent(strokes)
        wanted = form.size * em * float(np.exp(rng.normal(0, 0.05)))
        scale = wanted / max(width if form.across else height, 1e-3)
        scale = min(scale, WIDEST * em / max(width, 1e-3), WIDEST * em / max(height, 1e-3))
        m = self.manner
        return draw(
            strokes, max(scale * max(width, height), pen), pen, slant=m.slant + rng.normal(0, 0.03),
            turn=m.turn + rng.normal(0, 1.5), stretch=m.stretch, wobble=m.wobble, rng=rng,
        )  # fmt: skip

    def write(
        self,
        rng: Rng,
        text: str,
        em: float,
        pen: float,
        *,
        gap: tuple[float, float] = (0.12, 0.35),
        space: tuple[float, float] = (0.45, 0.8),
        given: Mapping[int, list[Stroke]] | None = None,
    ) -> Line:
        """A text on a line, digits ``em`` pixels tall, with ``gap`` em (from, to) of paper between characters.

        ``space`` is the width of a blank, em; ``given``: the strokes of the character at this index of the text.
        """
        placed, boxes, x = [], [], 0.0
        for index, char in enumerate(text):
            if char == " ":
                x += rng.uniform(*space) * em
                continue
            ink = self.character(rng, char, em, pen, (given or {}).get(index))
            left, top, width, height = cv2.boundingRect(cv2.threshold(ink, 90, 255, cv2.THRESH_BINARY)[1])
            form = FORMS.get(char, Form(1.0))
            bottom = height / 2 - MIDDLE * em if form.centred else form.bottom * em
            y = bottom - height + rng.normal(0, 0.025) * em
            placed.append((ink, x - left, y - top))
            boxes.append(Box(round(x), round(y), width, height))
            x += width + rng.uniform(*gap) * em
        ink, (left, top) = merge(placed)
        moved = tuple(Box(b.x - left, b.y - top, b.width, b.height) for b in boxes)
        return Line(ink, moved, -top)


@dataclass(frozen=True, slots=True, eq=False)
class Hands:
    """All writers who are held out."""

    writers: tuple[tuple[str, Samples], ...]
    """Those who wrote all digits, with all that they wrote."""
    everyone: Samples
    words: Sequence[list[Stroke]]
    """Whole words of such writers."""
    letterers: tuple[Samples, ...]
    """Those who wrote most of the lower case letters."""

    def pick(self, rng: Rng, own: Samples | None = None) -> Hand:
        """A writer at random, or the one who wrote these marks, with a manner of the moment."""
        if own is None:
            own = self.writers[int(rng.integers(len(self.writers)))][1]
        slant, turn, stretch = rng.normal(0, 0.08), rng.normal(0, 1.5), float(np.exp(rng.normal(0, 0.07)))
        return Hand(own, self.everyone, Manner(slant, turn, stretch, rng.uniform(0, 0.012)))


def load_hands(folder: Path) -> Hands | None:
    """The writers who are held out, of a data folder's ``marks/``; None where a set is missing. Raises DataError."""
    sets = {name: load_marks(folder / "marks", name) for name in (*DIGITS, *OTHERS)}
    if any(one is None for one in sets.values()):
        return None
    by_writer: dict[str, dict[str, list[list[Stroke]]]] = {}
    everyone: dict[str, list[list[Stroke]]] = {}
    for name, marks in sets.items():
        assert marks is not None
        for i in np.flatnonzero(marks.held_out).tolist():
            strokes = marks.strokes(i)
            if i in ILLEGIBLE.get(name, ()):
                continue
            if marks.labels[i] == "/" and extent(strokes)[0] < LEANS * extent(strokes)[1]:
                continue
            for held in (by_writer.setdefault(marks.writers[i], {}), everyone):
                held.setdefault(marks.labels[i], []).append(strokes)
    writers = tuple((name, own) for name, own in sorted(by_writer.items()) if set("0123456789") <= set(own))
    if not writers:
        raise DataError(f"{folder / 'marks'}: no writer who is held out wrote all digits; fetch the whole folder")
    letterers = tuple(own for _, own in sorted(by_writer.items()) if len(ALPHABET & set(own)) >= 20)
    return Hands(writers, everyone, _words(load_marks(folder / "marks", "unipen_words")), letterers)


def _words(marks: Marks | None) -> list[list[Stroke]]:
    """The words of writers who are held out, without those that contain a digit."""
    if marks is None:
        return []
    return [marks.strokes(i) for i in np.flatnonzero(marks.held_out).tolist() if marks.labels[i].isalpha()]
