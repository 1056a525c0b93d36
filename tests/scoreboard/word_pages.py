"""Pages of handwritten words without any digit: whatever is read on them is a false reading."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import numpy as np

from convert.data.marks import draw, extent
from edge.types import Pixels
from tests.scoreboard.base_pages import Rng, photograph
from tests.scoreboard.hands import Hands
from tests.scoreboard.situations.paper import around, below, beside

WORDS = (
    "the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "paper", "water", "house", "when", "they",
    "were", "young", "every", "morning", "kitchen", "bread", "milk", "sugar", "please", "call", "back", "garden",
    "Thank", "you", "Monday", "Friday", "meeting", "with", "Anna", "Peter", "school", "letter", "winter", "summer",
)  # fmt: skip


def joined_words(rng: Rng, hands: Hands) -> Pixels:
    """Words as UNIPEN's writers wrote them, on one to four lines."""
    em = float(rng.uniform(28, 70))
    pen = max(1.5, float(rng.uniform(0.05, 0.12)) * em)

    def word() -> Pixels:
        strokes = hands.words[int(rng.integers(len(hands.words)))]
        width, height = extent(strokes)
        size = max(width, height) * 1.15 * em / max(height, 0.12 * width)
        return draw(strokes, size, pen, slant=rng.normal(0, 0.08), turn=rng.normal(0, 1), rng=rng)

    return _page(rng, em, word)


def composed_words(rng: Rng, hands: Hands) -> Pixels:
    """Words of single letters by one writer, close to each other, on one to four lines."""
    em = float(rng.uniform(28, 70))
    pen = max(1.5, float(rng.uniform(0.05, 0.12)) * em)
    hand = hands.pick(rng, hands.letterers[int(rng.integers(len(hands.letterers)))])

    def word() -> Pixels:
        text = WORDS[int(rng.integers(len(WORDS)))]
        return hand.write(rng, text, em, pen, gap=(0.03, 0.2)).ink

    return _page(rng, em, word)


def _page(rng: Rng, em: float, word: Callable[[], Pixels]) -> Pixels:
    lines = []
    for _ in range(int(rng.integers(1, 5))):
        words = [word() for _ in range(int(rng.integers(1, 4)))]
        lines.append(beside(words, [rng.uniform(0.6, 1) * em for _ in words[1:]]))
    return photograph(rng, around(rng, below(lines, 0.5 * em, right=False)[0], em))


KINDS: dict[str, Callable[[Rng, Hands], Pixels]] = {
    "words by hand, joined": joined_words,
    "words by hand, of single letters": composed_words,
}


def word_pages(hands: Hands, seed: int, per_kind: int, kind: str) -> Iterator[Pixels]:
    """``per_kind`` pages of this kind, the same for the same seed; none where no writer wrote such words."""
    if not (hands.words if kind == "words by hand, joined" else hands.letterers):
        return
    for i in range(per_kind):
        yield KINDS[kind](np.random.default_rng([seed, zlib.crc32(kind.encode()), i]), hands)
