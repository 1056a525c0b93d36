"""Pages of several entries: sums, lines of numbers, columns, fractions, words beside numbers, scattered digits."""

from __future__ import annotations

import numpy as np

from convert.samples.scenes import texts
from convert.samples.scenes.cursive import join, write_line
from convert.samples.scenes.hand import Hand, choose_hand, write_source
from convert.samples.scenes.plain import written_on_blank
from convert.samples.scenes.sheet import Sheet, write
from convert.samples.scenes.sizes import DIGIT, LARGEST, between, crop_around, line_height, page_size
from convert.samples.scenes.texts import Text
from convert.samples.scenes.writers import Writers, pick

MOST_MARKS = 150
"""A page is full with this many marks: small writing would fill a large page with thousands, which take long."""


def blank_page(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """An empty sheet of any size and a hand that fits it."""
    height, width = page_size(rng)
    return Sheet.blank(height, width), choose_hand(writers, rng, line_height(rng, height, width))


def fill(sheet: Sheet, hand: Hand, rng: np.random.Generator, entry: Text, *, full: bool = False) -> None:
    """Write entries line by line; ``full``: as many as there is room for, otherwise often fewer."""
    height = hand.height
    step = height * rng.uniform(1.3, 2.4)
    margin = height * rng.uniform(0.1, 1.2)
    y = margin + (rng.uniform(0, 0.6) * max(0.0, sheet.height - 3 * height) if rng.uniform() < 0.35 else 0)
    while y < sheet.height - 1.1 * height and len(sheet.labels) < MOST_MARKS:
        x = margin + (rng.uniform(0, 0.35 * sheet.width) if rng.uniform() < 0.3 else 0)
        start = x
        while x < sheet.width - 1.5 * height:
            text = entry(rng)
            if x > start and x + len(text) * (0.55 + hand.gap) * height > sheet.width and rng.uniform() < 0.85:
                break
            x = write_line(sheet, hand, text, x, y + hand.tilt * (x - start), rng) + height * rng.uniform(0.8, 3)
            if not full and rng.uniform() < 0.45:
                break
        y += step
        if not full and rng.uniform() < 0.15:
            break


def one_sum(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """One sum, cropped to it as people crop a strip out of a photograph."""
    height = between(rng, 14, 60) if rng.uniform() < 0.75 else between(rng, 40, 130)
    sheet, hand = written_on_blank(writers, rng, [texts.calculation(rng)], height, 1.3)
    return crop_around(sheet, hand.height, rng), hand


def sums(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """A page of sums."""
    sheet, hand = blank_page(writers, rng)
    fill(sheet, hand, rng, texts.calculation)
    return sheet, hand


def column_sum(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Numbers below each other, a line below them and often the result; or a fraction."""
    hand = choose_hand(writers, rng, between(rng, 14, 90)).closer(0.9)
    height = hand.height
    fraction = rng.uniform() < 0.3
    rows = [texts.number(rng, 1, 2 if fraction else 5) for _ in range(1 if fraction else rng.integers(2, 5))]
    wide = (max(map(len, rows)) + 2) * (1.0 + 1.3 * hand.gap) * height
    sheet = Sheet.blank((len(rows) + 3) * 2 * height, wide + 4 * height)
    y, right = 1.5 * height, wide + 2 * height
    for i, row in enumerate(rows):
        # Numbers of a column end below each other.
        x = right - len(row) * (0.62 + hand.gap) * height
        write(sheet, hand, row, x, y, rng)
        if i == len(rows) - 1 and not fraction and rng.uniform() < 0.7:
            write(sheet, hand, pick(rng, "+-×"), x - 1.2 * height, y, rng)
        y += height * rng.uniform(1.15, 1.5)
    box = sheet.box()
    if box is None:
        return sheet, hand
    line = box[3] + height * rng.uniform(0.05, 0.4)
    ends = np.array([[box[0] - height * rng.uniform(0, 0.5), line], [box[2] + height * rng.uniform(0, 0.5), line]])
    sheet.trace([(ends + rng.normal(0, 0.04 * height, (2, 2))).astype(np.float32)], hand.pen, "line")
    if fraction or rng.uniform() < 0.6:
        result = texts.number(rng, 1, len(rows[0]) + 1)
        write(sheet, hand, result, right - len(result) * (0.62 + hand.gap) * height, line + 0.3 * height, rng)
    return crop_around(sheet, height, rng), hand


def entries(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Lines of numbers, sums, dates, prices and what else has digits."""
    sheet, hand = blank_page(writers, rng)
    fill(sheet, hand, rng, texts.entry, full=rng.uniform() < 0.3)
    return sheet, hand


def one_entry(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """One date, price, number with a unit or the like, or a few below each other, cropped to them."""
    count = 1 if rng.uniform() < 0.8 else int(rng.integers(2, 5))
    text = texts.among_others if rng.uniform() < 0.85 else texts.entry
    lines = [text(rng) for _ in range(count)]
    sheet, hand = written_on_blank(writers, rng, lines, between(rng, DIGIT[0], 110), rng.uniform(1.3, 2))
    return crop_around(sheet, hand.height, rng), hand


def labelled(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """A number behind or below a word, which is printed, as on a form, or by the same hand; or a few of them."""
    hand = choose_hand(writers, rng, between(rng, 14, min(90, LARGEST / 16))).closer(0.6)
    by_hand = rng.uniform() < 0.45
    small = hand.closer(rng.uniform(0.05, 0.3)) if by_hand else hand.printing(rng, rng.uniform(0.45, 1.1))
    count, step = int(rng.choice([1, 1, 1, 2, 3])), hand.height * rng.uniform(1.4, 2.2)
    below = rng.uniform() < 0.2
    sheet = Sheet.blank((count + 1.5) * step * (1 + below), min(LARGEST, 16 * hand.height))
    for i in range(count):
        y = (0.5 + i * (1 + below)) * step
        x = write(sheet, small, texts.label(rng), hand.height, y + hand.height - small.height, rng)
        start = hand.height * rng.uniform(0.8, 1.5) if below else x + hand.height * rng.uniform(0.2, 1)
        text = texts.number(rng, 1, 5) if rng.uniform() < 0.8 else texts.among_others(rng)
        write(sheet, hand, text, start, y + below * step + 0.08 * hand.height * rng.normal(), rng)
    return crop_around(sheet, hand.height, rng), hand


def mixed(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Words and numbers beside each other."""
    sheet, hand = blank_page(writers, rng)

    def entry(rng: np.random.Generator) -> str:
        kind = rng.uniform()
        if kind < 0.4:
            return texts.word(rng)
        return texts.measured(rng) if kind < 0.6 else texts.among_others(rng)

    fill(sheet, hand, rng, entry)
    return sheet, hand


def scattered(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Digits anywhere on the page, and now and then a letter."""
    sheet, hand = blank_page(writers, rng)
    taken: list[tuple[float, float]] = []
    for _ in range(rng.integers(1, 20)):
        x, y = (rng.uniform(0, max(1, side - hand.height)) for side in (sheet.width, sheet.height))
        if all(abs(x - a) > 1.2 * hand.height or abs(y - b) > 1.3 * hand.height for a, b in taken):
            taken.append((x, y))
            text = texts.number(rng, 1, 1) if rng.uniform() < 0.9 else pick(rng, texts.CLEAR_LETTERS)
            write(sheet, hand, text, x, y, rng, float(np.exp(rng.normal(0, 0.12))))
    return sheet, hand


def word_at(sheet: Sheet, hand: Hand, rng: np.random.Generator, x: float, y: float) -> float:
    """Write a whole word, of somebody or of letters that are joined, its top at ``y``; returns where it ends."""
    if rng.uniform() < 0.5:
        return join(sheet, hand, texts.word(rng).lower(), x, y, rng)
    if not hand.writers.words:
        return write(sheet, hand, texts.word(rng), x, y, rng)
    ink = write_source(hand, pick(rng, hand.writers.words), rng, rng.uniform(0.9, 1.5))
    sheet.paste(ink, x, y, "word")
    return x + ink.shape[1]
