"""The seeded suite: MNIST digits on synthetic pages, under each condition that a desk has, at three strengths.

Strength 1 is an ordinary day, 2 is hard, 3 is as far as a careful person still reads surely. All three begin with the
same random numbers, so most conditions show the same digits at each.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from tests.scoreboard import clumps, finding, inks
from tests.scoreboard.layout import Digits
from tests.scoreboard.pages import Rng

Condition = Callable[[Rng, Digits, int], tuple[Pixels, str]]
"""(random numbers, where digits come from, strength 1 to 3) -> page (height, width) uint8, and what is written."""
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


def suite(
    glyphs: Pixels,
    labels: NDArray[np.uint8],
    seed: int,
    per_condition: int,
    conditions: Sequence[str] | None = None,
    strengths: Sequence[int] = STRENGTHS,
) -> Iterator[Case]:
    """So many pages of each condition (all of CONDITIONS, where none are named) at each strength.

    ``glyphs`` (n, 28, 28) uint8, light ink on black, and ``labels`` (n,): MNIST's test images. The same for the same
    seed, whichever conditions are asked for.
    """
    digits = Digits(glyphs, labels)
    for name in conditions or CONDITIONS:
        for strength in strengths:
            for i in range(per_condition):
                rng = np.random.default_rng([seed, zlib.crc32(name.encode()), i])
                pixels, truth = CONDITIONS[name](rng, digits, strength)
                yield Case(name, strength, pixels, truth)


CONDITIONS: dict[str, Condition] = {
    "plain": inks.plain,
    "uneven light": partial(inks.lit, spoil=inks.uneven),
    "hard shadow": partial(inks.lit, spoil=inks.shadow),
    "glare": partial(inks.lit, spoil=inks.glare),
    "dim": partial(inks.lit, spoil=inks.dim),
    "near-black": partial(inks.lit, spoil=inks.near_black),
    "pencil": inks.pencil,
    "ball pen": inks.ball_pen,
    "marker": inks.marker,
    "chalk on a board": inks.chalk,
    "coloured paper": inks.coloured_paper,
    "ruled paper": inks.ruled_paper,
    "squared paper": partial(inks.ruled_paper, squared=True),
    "bleed-through": inks.bleed_through,
    "light on dark": inks.light_on_dark,
    "JPEG": partial(inks.lit, spoil=inks.jpeg),
    "noise": partial(inks.lit, spoil=inks.noise),
    "salt and pepper": partial(inks.lit, spoil=inks.salt),
    "out of focus": partial(inks.lit, spoil=inks.defocus),
    "motion blur": partial(inks.lit, spoil=inks.shake),
    "fills the frame": finding.fills_the_frame,
    "small in a corner": finding.small_in_a_corner,
    "lines": finding.lines,
    "columns": finding.columns,
    "tilted rows": finding.tilted_rows,
    "curved rows": finding.curved_rows,
    "sideways": finding.sideways,
    "specks": finding.specks,
    "page edge": finding.page_edge,
    "table frame": finding.table_frame,
    "hand": finding.hands,
    "broken strokes": finding.broken_strokes,
    "dotted ink": finding.dotted_ink,
    "touching pairs": partial(clumps.groups, count=2),
    "touching triples": partial(clumps.groups, count=3),
    "joined by a stroke": clumps.joined,
}
"""Every condition of the suite by its name."""
