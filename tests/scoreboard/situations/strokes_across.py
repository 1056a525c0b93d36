"""Kinds of situations with lines that belong to the writing: sums with a rule, underlines, numbers struck out."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels
from tests.scoreboard.base_pages import Rng, by_strength, photograph
from tests.scoreboard.hands import Hands
from tests.scoreboard.situations.paper import Situation, around, below, beside, number, rule, shaky, written


def column_sum(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """Numbers one below the other, a rule, and the sum; the rule is closer to them at each strength."""
    em = float(rng.uniform(38, 60))
    hand, pen = hands.pick(rng), max(1.6, float(rng.uniform(0.05, 0.11)) * em)
    texts = [number(rng, 1, 3) for _ in range(int(rng.integers(2, 4)))]
    texts.append(str(sum(map(int, texts))))
    lines = [hand.write(rng, text, em, pen, gap=(0.12, 0.35)).ink for text in texts]
    apart = by_strength(strength, 0.6, 0.45, 0.35) * em
    ink, tops = below(lines, apart, right=True)
    room = round(0.4 * em)
    ink = cv2.copyMakeBorder(ink, 0, 0, room, room, cv2.BORDER_CONSTANT, value=0)
    if rng.uniform() < 0.5:
        sign = hand.character(rng, "+", em, pen)
        side = round(0.4 * em)
        ink = cv2.copyMakeBorder(ink, 0, 0, sign.shape[1] + side, 0, cv2.BORDER_CONSTANT, value=0)
        top = tops[-2] + (lines[-2].shape[0] - sign.shape[0]) // 2
        np.maximum(
            ink[top : top + sign.shape[0], : sign.shape[1]], sign, out=ink[top : top + sign.shape[0], : sign.shape[1]]
        )
    y = tops[-1] - 0.5 * apart
    rule(ink, shaky(rng, (0.2 * room, y), (ink.shape[1] - 0.2 * room, y), 0.05 * em), pen)
    return photograph(rng, around(rng, ink, em, 0.4, 2)), "\n".join(texts)


def underlined(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A number underlined once or twice, closer at each strength."""
    text = number(rng, 1, 5)
    line, em, pen = written(rng, hands, text)
    room = round(0.7 * em)
    ink = cv2.copyMakeBorder(line.ink, 0, room, room // 2, room // 2, cv2.BORDER_CONSTANT, value=0)
    y = line.ink.shape[0] + by_strength(strength, 0.3, 0.2, 0.12) * em
    for i in range(int(rng.integers(1, 3))):
        at = y + i * max(0.16 * em, 2.2 * pen)
        rule(ink, shaky(rng, (0.3 * room, at), (ink.shape[1] - 0.3 * room, at), 0.03 * em), pen)
    return photograph(rng, around(rng, ink, em)), text


def struck_out(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A number struck out with one or more strokes, and the good one beside it, or below it."""
    em = float(rng.uniform(42, 80))
    hand, pen = hands.pick(rng), max(1.6, float(rng.uniform(0.06, 0.11)) * em)
    good = number(rng, 1, 4)
    bad = hand.write(rng, number(rng, 2, 4), em, pen, gap=(0.1, 0.3)).ink
    side = round(0.3 * em)
    bad = cv2.copyMakeBorder(bad, 2, 2, side, side, cv2.BORDER_CONSTANT, value=0)
    for i in range((1, 2, 1)[strength - 1]):
        y = bad.shape[0] * (rng.uniform(0.42, 0.58) + 0.15 * i)
        slope = rng.uniform(-1, 1) * by_strength(strength, 0.1, 0.15, 0.35) * bad.shape[0]
        rule(bad, shaky(rng, (2, y - slope), (bad.shape[1] - 2, y + slope), 0.05 * em), pen)
    right = hand.write(rng, good, em, pen, gap=(0.12, 0.35)).ink
    if rng.uniform() < 0.75:
        ink = beside([bad, right], [rng.uniform(0.35, 0.8) * em])
    else:
        ink = below([bad, right], 0.5 * em, right=False)[0]
    return photograph(rng, around(rng, ink, em)), good


def fraction(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A fraction with a level bar, its numbers closer to the bar at each strength."""
    em = float(rng.uniform(38, 60))
    hand, pen = hands.pick(rng), max(1.6, float(rng.uniform(0.05, 0.11)) * em)
    texts = [number(rng, 1, 3), number(rng, 1, 3)]
    lines = [hand.write(rng, text, em, pen, gap=(0.12, 0.3)).ink for text in texts]
    width = max(line.shape[1] for line in lines) + round(0.6 * em)
    middled = [
        np.pad(one, ((0, 0), ((width - one.shape[1]) // 2, width - one.shape[1] - (width - one.shape[1]) // 2)))
        for one in lines
    ]
    apart = by_strength(strength, 0.6, 0.45, 0.35) * em
    ink, tops = below(middled, apart, right=False)
    y = tops[1] - 0.5 * apart
    rule(ink, shaky(rng, (2, y), (width - 2, y), 0.04 * em), pen)
    return photograph(rng, around(rng, ink, em)), "\n".join(texts)


KINDS: dict[str, Situation] = {
    "sum with a rule": column_sum,
    "underlined": underlined,
    "struck out": struck_out,
    "fraction": fraction,
}
