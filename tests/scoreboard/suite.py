"""The suite of generated pages: MNIST digits under each condition of a desk, at three strengths.

Strength 1 is an ordinary day, 2 is hard, 3 is the most at which a careful person still reads everything. All three
start with the same random numbers, so most conditions show the same digits at each.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from tests.scoreboard import ink_conditions, layout_conditions, touching_conditions
from tests.scoreboard.base_pages import Rng
from tests.scoreboard.layout import Digits

Condition = Callable[[Rng, Digits, int], tuple[Pixels, str]]
"""(random generator, stock of digits, strength 1 to 3) -> page (height, width) uint8, and what is written on it."""
STRENGTHS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Case:
    """One page of the suite."""

    condition: str
    strength: int
    """1 to 3."""
    pixels: Pixels
    """(height, width) uint8, 0 = black, 255 = white."""
    truth: str
    """What is written, lines joined by ``\\n``."""


def suite_pages(
    glyphs: Pixels,
    labels: NDArray[np.uint8],
    seed: int,
    per_condition: int,
    conditions: Sequence[str] | None = None,
    strengths: Sequence[int] = STRENGTHS,
) -> Iterator[Case]:
    """``per_condition`` pages of each condition (default: all of CONDITIONS) at each strength.

    ``glyphs`` (n, 28, 28) uint8, light ink on black, and ``labels`` (n,): MNIST's test images. The same seed gives the
    same pages, whichever conditions are chosen.
    """
    digits = Digits(glyphs, labels)
    for name in conditions or CONDITIONS:
        for strength in strengths:
            for i in range(per_condition):
                rng = np.random.default_rng([seed, zlib.crc32(name.encode()), i])
                pixels, truth = CONDITIONS[name](rng, digits, strength)
                yield Case(name, strength, pixels, truth)


CONDITIONS: dict[str, Condition] = {
    "plain": ink_conditions.plain,
    "uneven light": partial(ink_conditions.lit, spoil=ink_conditions.uneven),
    "hard shadow": partial(ink_conditions.lit, spoil=ink_conditions.shadow),
    "glare": partial(ink_conditions.lit, spoil=ink_conditions.glare),
    "dim": partial(ink_conditions.lit, spoil=ink_conditions.dim),
    "near-black": partial(ink_conditions.lit, spoil=ink_conditions.near_black),
    "pencil": ink_conditions.pencil,
    "ball pen": ink_conditions.ball_pen,
    "marker": ink_conditions.marker,
    "chalk on a board": ink_conditions.chalk,
    "coloured paper": ink_conditions.coloured_paper,
    "ruled paper": ink_conditions.ruled_paper,
    "squared paper": partial(ink_conditions.ruled_paper, squared=True),
    "bleed-through": ink_conditions.bleed_through,
    "light on dark": ink_conditions.light_on_dark,
    "JPEG": partial(ink_conditions.lit, spoil=ink_conditions.jpeg),
    "noise": partial(ink_conditions.lit, spoil=ink_conditions.noise),
    "salt and pepper": partial(ink_conditions.lit, spoil=ink_conditions.salt),
    "out of focus": partial(ink_conditions.lit, spoil=ink_conditions.defocus),
    "motion blur": partial(ink_conditions.lit, spoil=ink_conditions.shake),
    "fills the frame": layout_conditions.fills_the_frame,
    "small in a corner": layout_conditions.small_in_a_corner,
    "lines": layout_conditions.lines,
    "columns": layout_conditions.columns,
    "tilted rows": layout_conditions.tilted_rows,
    "curved rows": layout_conditions.curved_rows,
    "sideways": layout_conditions.sideways,
    "specks": layout_conditions.specks,
    "page edge": layout_conditions.page_edge,
    "table frame": layout_conditions.table_frame,
    "hand": layout_conditions.hands,
    "broken strokes": layout_conditions.broken_strokes,
    "dotted ink": layout_conditions.dotted_ink,
    "touching pairs": partial(touching_conditions.groups, count=2),
    "touching triples": partial(touching_conditions.groups, count=3),
    "joined by a stroke": touching_conditions.joined,
}
"""Every condition of the suite, by its name on the page of scores."""
