"""Words whose letters one person joins, and lines of text in which words may be joined."""

from __future__ import annotations

import numpy as np

from convert.data.marks import Stroke, extent
from convert.samples.scenes.hand import Hand
from convert.samples.scenes.sheet import Sheet, write
from convert.samples.scenes.writers import Characters, pick
from edge.handwriting.rendering import curve

TALL = frozenset("bdfhklt")
"""Small letters that are as tall as a digit."""
LOW = frozenset("gjpqy")
"""Small letters with a tail below the line."""
LEAST_LETTERS = 12
"""A writer must have written at least this many of the small letters. Chosen: half of them; others lend the rest."""

CLOSE = 0.3
"""Largest gap between the letters of a word, in heights of a digit. Chosen."""


def write_line(sheet: Sheet, hand: Hand, text: str, x: float, y: float, rng: np.random.Generator) -> float:
    """Write a line of text as ``sheet.write`` does, its words with their letters close together or even joined."""
    start = x
    for i, part in enumerate(text.split(" ")):
        if i:
            x += hand.height * rng.uniform(0.4, 0.9)
        top = y + hand.tilt * (x - start)
        if len(part) == 1 or not part.isalpha():
            x = write(sheet, hand, part, x, top, rng)
        elif hand.joins and part.islower():
            x = join(sheet, hand, part, x, top, rng)
        else:
            x = write(sheet, hand.closer(rng.uniform(0.05, CLOSE)), part, x, top, rng)
    return x


def join(sheet: Sheet, hand: Hand, word: str, x: float, y: float, rng: np.random.Generator) -> float:
    """Write a word of small letters whose letters are joined; returns where it ends. ``y``: the top of tall letters."""
    own = _letters(hand, rng)
    small = rng.uniform(0.4, 0.7)
    narrow, lean = float(np.exp(rng.normal(0, 0.15))), hand.slant + rng.normal(0.1, 0.12)
    apart = rng.uniform(-0.05, 0.15)
    joined: list[Stroke] = []
    line: list[Stroke] = []
    at = 0.0
    for letter in word:
        sources = own.get(letter) or hand.writers.all_characters.get(letter)
        if not sources:
            continue
        placed = _placed(pick(rng, sources).strokes, letter, small, narrow, at)
        main = max(range(len(placed)), key=lambda i: sum(extent([placed[i]])))
        if line:
            end, start = line[-1][-1], placed[main][0]
            sag = np.array([0.5 * (end[0] + start[0]), max(end[1], start[1]) + rng.uniform(-0.02, 0.08)], np.float32)
            line.append(curve(np.stack([end, sag, start])).astype(np.float32))
        line.append(placed[main])
        joined += [stroke for i, stroke in enumerate(placed) if i != main]
        at = max(float(stroke[:, 0].max()) for stroke in placed) + apart
        if rng.uniform() < 0.15:
            # The pen is lifted.
            joined.append(np.concatenate(line))
            line = []
    if line:
        joined.append(np.concatenate(line))
    if not joined:
        return x
    scale = np.float32(hand.height)
    shear = np.array([[1, 0], [-lean, 1]], np.float32)
    strokes = [stroke @ shear * scale + np.array([x, y + hand.height], np.float32) for stroke in joined]
    sheet.trace(strokes, hand.pen, "word")
    return x + at * hand.height


def _letters(hand: Hand, rng: np.random.Generator) -> Characters:
    """The letters of the hand's own writer, or of another who wrote many."""
    writers = hand.writers.characters
    for name in (hand.writer, *(pick(rng, tuple(writers)) for _ in range(4) if writers)):
        letters = writers.get(name, {})
        if sum(letter.islower() for letter in letters) >= LEAST_LETTERS:
            return letters
    return {}


def _placed(strokes: list[Stroke], letter: str, small: float, narrow: float, at: float) -> list[Stroke]:
    """A letter's strokes in heights of a digit: its left at ``at``, the line at 0, a small one ``small`` tall."""
    width, height = extent(strokes)
    tall = 1.0 if letter in TALL else small + 0.4 * (letter in LOW) + 0.15 * (letter == "i")
    scale = min(tall / max(height, 1e-3), 1.6 * tall / max(width, 1e-3))
    corner = np.concatenate(strokes).min(axis=0)
    top = -tall if letter not in LOW else -small
    factors = np.array([scale * narrow, scale], np.float32)
    return [(stroke - corner) * factors + np.array([at, top], np.float32) for stroke in strokes]
