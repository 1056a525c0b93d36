"""Conditions of the suite with touching digits: pairs and triples that overlap, and pairs joined by a stroke.

Each is a function of a random generator, a stock of digits and a strength of 1 to 3, and returns a page (height, width)
uint8 and what is written on it.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.normalise import crop_to_ink
from tests.scoreboard import pens
from tests.scoreboard.base_pages import Rng, by_strength, either_polarity
from tests.scoreboard.layout import Digits, place, push_together

NESTED = 0.3
"""Largest share of the narrower of two touching digits' width that may stand above or below the other one."""
TRIES = 30
"""Digits are drawn again at most this many times; then the last ones are used, as when there are few to draw from."""


def groups(rng: Rng, digits: Digits, strength: int, count: int) -> tuple[Pixels, str]:
    """Pairs or triples whose ink overlaps by 0.5, 2.5 and 5 % of the smaller digit, with room between the groups."""
    em = float(rng.uniform(50, 120)) * (1 if count == 2 else 0.8)
    number = max(1, min(int(rng.integers(1, 4)), int(550 / (count * em))))
    made = [_group(rng, digits, em, count, by_strength(strength, 0.005, 0.025, 0.05)) for _ in range(number)]
    apart = [-rng.uniform(0.45, 0.7) * em for _ in made[1:]]
    ink = push_together([group for group, _ in made], apart)[0]
    return either_polarity(rng, place(rng, ink, (480, 640), 0.25 * em)[0]), "".join(text for _, text in made)


def _group(rng: Rng, digits: Digits, em: float, count: int, share: float) -> tuple[Pixels, str]:
    """Touching digits. Those that overlap the box of a neighbour by more than NESTED are drawn again.

    So are two ones in a row, which would look like a letter.
    """
    pen = rng.uniform(0.07, 0.1) * em
    for _ in range(TRIES):
        glyphs, text = digits.pick(rng, count)
        inks = [crop_to_ink(pens.redraw(glyph, em, pen), 128) for glyph in glyphs]
        ink, spans = push_together(inks, [share] * (count - 1))
        least = [min(a[1] - a[0], b[1] - b[0]) for a, b in pairwise(spans)]
        if "11" not in text and all(
            a[1] - b[0] <= max(NESTED * n, 2 * pen) for (a, b), n in zip(pairwise(spans), least, strict=True)
        ):
            break
    return ink, text


def joined(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Pairs that do not touch but are joined by a stroke of the pen: short and thin, then longer and thicker."""
    em = float(rng.uniform(50, 110))
    glyphs, text = digits.pick(rng, 2)
    inks = [crop_to_ink(pens.enlarge(glyph, em), 128) for glyph in glyphs]
    space = rng.uniform(*((0.05, 0.12), (0.1, 0.2), (0.15, 0.3))[strength - 1]) * em
    ink, (first, second) = push_together(inks, [-space])
    height = ink.shape[0]
    # Low on both digits: higher up the stroke would turn many a digit into a 4.
    a = _side(ink[:, slice(*first)], rng.uniform(0.6, 0.95) * height, right=True)
    b = _side(ink[:, slice(*second)], rng.uniform(0.6, 0.95) * height, right=False)
    width = max(1, round(by_strength(strength, 0.035, 0.05, 0.065) * em))
    cv2.line(ink, (a[0] + first[0], a[1]), (b[0] + second[0], b[1]), 255, width, cv2.LINE_AA)
    return either_polarity(rng, place(rng, ink, (480, 640), 0.25 * em)[0]), text


def _side(ink: Pixels, y: float, *, right: bool) -> tuple[int, int]:
    """The outermost point of ink at about this height, x and y."""
    rows = np.flatnonzero((ink > 127).any(axis=1))
    row = int(rows[np.abs(rows - y).argmin()])
    across = np.flatnonzero(ink[row] > 127)
    return int(across[-1] if right else across[0]), row
