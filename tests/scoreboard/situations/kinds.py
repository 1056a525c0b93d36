"""All kinds of situations, and the pages of each."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from tests.scoreboard.hands import Hands
from tests.scoreboard.situations import beside_digits, frames, printing, sizes, strokes_across, things
from tests.scoreboard.situations.paper import Situation
from tests.scoreboard.suite import STRENGTHS, Case

SITUATIONS: dict[str, Situation] = {
    **beside_digits.KINDS, **printing.KINDS, **strokes_across.KINDS, **frames.KINDS, **things.KINDS, **sizes.KINDS,
}  # fmt: skip
"""Every kind, by its name on the page of scores."""
COSTLY = {"huge page": 4}
"""Kinds of which only one page of so many is made."""


def situation_pages(
    hands: Hands, seed: int, per_kind: int, kinds: Sequence[str] | None = None, strengths: Sequence[int] = STRENGTHS
) -> Iterator[Case]:
    """``per_kind`` pages of each kind (default: all of SITUATIONS) at each strength; the same for the same seed."""
    for name in kinds or SITUATIONS:
        for strength in strengths:
            for i in range(max(1, per_kind // COSTLY.get(name, 1))):
                rng = np.random.default_rng([seed, zlib.crc32(name.encode()), i])
                pixels, truth = SITUATIONS[name](rng, hands, strength)
                yield Case(name, strength, pixels, truth)
