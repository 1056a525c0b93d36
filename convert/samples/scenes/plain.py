"""Pages with digits and nothing else: one digit, one number, a few numbers."""

from __future__ import annotations

import cv2
import numpy as np

from convert.samples.scenes import texts
from convert.samples.scenes.cursive import write_line
from convert.samples.scenes.hand import Hand, choose_hand
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.sizes import DIGIT, LARGEST, between, crop_around
from convert.samples.scenes.writers import Writers

COARSE_SHARE = 0.15
"""Share of the pages of one digit, 0 to 1, that are coarse. Chosen: a scanned form may be."""
COARSE = (12.0, 24.0)
"""Smallest and largest height of such a digit, pixels."""
WIDER = 2.5
"""It is made at most this many times as wide: a 1 stays narrow."""


def written_on_blank(
    writers: Writers,
    rng: np.random.Generator,
    lines: list[str],
    height: float,
    step: float,
    hand: Hand | None = None,
) -> tuple[Sheet, Hand]:
    """Lines of text on a sheet that has room for them; ``step`` from line to line, in heights of a digit.

    ``height``: of a digit, pixels, less where the lines would be longer than a page. ``hand``: None: a random one.
    """
    hand = hand or choose_hand(writers, rng, 1.0)
    longest = max(len(line) for line in lines)
    # The longest line fits even in the smallest writing.
    hand = hand.closer(max(0.1, LARGEST / (DIGIT[0] * max(1, longest)) - 1))
    height = min(height, LARGEST / max(1.3, longest * (1 + hand.gap)), LARGEST / max(1.3, len(lines) * step))
    height = max(DIGIT[0], height)
    hand = hand.resized(height, rng)
    margin = 0.6 * height
    width = longest * (1.1 + 1.4 * hand.gap) * height + 2 * margin
    slope = abs(hand.tilt) * width
    sheet = Sheet.blank((len(lines) * step + 1) * height + 2 * (margin + slope), width)
    for i, line in enumerate(lines):
        write_line(sheet, hand, line, margin, margin + slope + i * step * height, rng)
    return sheet, hand


def one_digit(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """One digit, in the middle or anywhere, small or as large as the picture."""
    coarse = rng.uniform() < COARSE_SHARE
    height = between(rng, *COARSE) if coarse else between(rng, *DIGIT)
    sheet, hand = written_on_blank(writers, rng, [texts.number(rng, 1, 1)], height, 1.3)
    if coarse:
        sheet = _coarse(sheet, rng)
    return crop_around(sheet, hand.height, rng), hand


def _coarse(sheet: Sheet, rng: np.random.Generator) -> Sheet:
    """The sheet as old data sets of 16x16 pixels have it: without soft edges, and often as wide as it is tall."""
    left, top, right, bottom = sheet.box() or (0, 0, 1, 1)
    wider = min(WIDER, (bottom - top) / (right - left)) if rng.uniform() < 0.5 else 1.0
    size = (round(sheet.width * max(1.0, wider)), sheet.height)
    ink, printed = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (sheet.ink, sheet.printed))
    ids = cv2.resize(sheet.ids, size, interpolation=cv2.INTER_NEAREST)
    ink = cv2.threshold(ink, 90, 255, cv2.THRESH_BINARY)[1]
    return Sheet(ink, np.where(ink > 0, ids, 0).astype(np.int16), printed, sheet.labels)


def one_number(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """One number of two to eight digits, or a few ones."""
    kind = rng.uniform()
    if kind < 0.12:
        text = "1" * int(rng.integers(1, 6))
    elif kind < 0.2:
        text = "1" + "0" * int(rng.integers(1, 5))
    elif kind < 0.28:
        text = " ".join(texts.number(rng, 1, 3) for _ in range(rng.integers(2, 4)))
    else:
        text = texts.number(rng, 2, int(rng.choice([2, 3, 4, 6, 8])))
    sheet, hand = written_on_blank(writers, rng, [text], between(rng, DIGIT[0], 200), 1.3)
    return crop_around(sheet, hand.height, rng), hand


def few_numbers(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Two to six lines of numbers, or a column of digits."""
    count = int(rng.integers(2, 7))
    kind = rng.uniform()
    if kind < 0.1:
        lines = ["1"] * count
    elif kind < 0.35:
        lines = [texts.number(rng, 1, 1) for _ in range(count)]
    elif kind < 0.7:
        lines = [texts.number(rng, 1, int(rng.choice([3, 6, 12]))) for _ in range(count)]
    else:
        lines = [" ".join(texts.number(rng, 1, 4) for _ in range(rng.integers(1, 5))) for _ in range(count)]
    sheet, hand = written_on_blank(writers, rng, lines, between(rng, DIGIT[0], 110), rng.uniform(1.25, 2.6))
    return crop_around(sheet, hand.height, rng), hand


def touching(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """One line or two of pairs, triples and longer numbers whose digits touch."""
    lines = [" ".join(_clump(rng) for _ in range(rng.integers(1, 4))) for _ in range(1 if rng.uniform() < 0.7 else 2)]
    hand = choose_hand(writers, rng, 1.0).touching()
    sheet, hand = written_on_blank(writers, rng, lines, between(rng, 16, 150), rng.uniform(1.25, 2.2), hand)
    return crop_around(sheet, hand.height, rng), hand


def _clump(rng: np.random.Generator) -> str:
    """A few digits, often zeros behind another digit."""
    if rng.uniform() < 0.3:
        return texts.number(rng, 1, 2) + "0" * int(rng.integers(1, 4))
    return texts.number(rng, 2, int(rng.choice([2, 3, 4], p=[0.5, 0.35, 0.15])))
