"""Pages without any digit: words, letters of alphabets, scribbles, drawings, textures, empty paper."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.nondigits.letters import LETTERS
from convert.samples.nondigits.scribbles import scribble
from convert.samples.scenes import texts
from convert.samples.scenes.hand import Hand, choose_hand, enlarged, write_source
from convert.samples.scenes.lines import MOST_MARKS, blank_page, fill, word_at
from convert.samples.scenes.sheet import Sheet, write
from convert.samples.scenes.sizes import between, crop_around
from convert.samples.scenes.writers import Writers, pick
from edge.handwriting import rendering, styles

MIN_DOODLE = 12
"""A smaller drawing, pixels, would be a blot."""


def words(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Lines of words: whole ones as they were written, or put together from one person's letters."""
    sheet, hand = blank_page(writers, rng)
    if rng.uniform() < 0.5:
        hand = hand.closer(rng.uniform(0.05, 0.2))
        fill(sheet, hand, rng, texts.word, full=rng.uniform() < 0.5)
        return sheet, hand
    y, step = 0.3 * hand.height, hand.height * rng.uniform(1.3, 2.4)
    while y < sheet.height - 1.2 * hand.height and len(sheet.labels) < MOST_MARKS:
        x = hand.height * rng.uniform(0.2, 1)
        while x < sheet.width - 2 * hand.height:
            x = word_at(sheet, hand, rng, x, y) + hand.height * rng.uniform(0.3, 1)
        y += step
        if rng.uniform() < 0.12:
            break
    return sheet, hand


def alphabets(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """One letter or several of any alphabet, far apart, or one that fills the picture."""
    if rng.uniform() < 0.4:
        hand = choose_hand(writers, rng, between(rng, 20, 300))
        sheet = Sheet.blank(3 * hand.height, 3 * hand.height)
        _letter(sheet, hand, rng, hand.height, hand.height)
        return crop_around(sheet, hand.height, rng), hand
    sheet, hand = blank_page(writers, rng)
    y = hand.height * rng.uniform(0.1, 0.8)
    while y < sheet.height - 1.1 * hand.height and len(sheet.labels) < MOST_MARKS:
        x = hand.height * rng.uniform(0.1, 0.8)
        while x < sheet.width - 1.1 * hand.height:
            x = _letter(sheet, hand, rng, x, y) + hand.height * rng.uniform(0.3, 1)
        y += hand.height * rng.uniform(1.3, 2)
    return sheet, hand


def _letter(sheet: Sheet, hand: Hand, rng: np.random.Generator, x: float, y: float) -> float:
    kind = rng.uniform()
    if kind < 0.45 and hand.writers.alphabets:
        ink = write_source(hand, pick(rng, hand.writers.alphabets), rng)
        sheet.paste(ink, x, y, "letter")
        return x + ink.shape[1]
    if kind < 0.55 and hand.writers.symbols:
        ink = enlarged(pick(rng, hand.writers.symbols), hand.height)
        sheet.paste(ink, x, y, "symbol")
        return x + ink.shape[1]
    if kind < 0.65:
        return _drawn(sheet, hand, rng, x, y)
    return write(sheet, hand, pick(rng, texts.CLEAR_LETTERS), x, y, rng)


def _drawn(sheet: Sheet, hand: Hand, rng: np.random.Generator, x: float, y: float) -> float:
    """A letter of another script, a sign or a small drawing."""
    strokes = rendering.draw_form(pick(rng, LETTERS), rng, styles.varied_style(rng), rng)
    corner = np.concatenate(strokes).min(axis=0)
    placed = [(stroke - corner) * np.float32(hand.height) + np.array([x, y], np.float32) for stroke in strokes]
    sheet.trace(placed, hand.pen, "drawing")
    return float(np.concatenate(placed)[:, 0].max()) + hand.pen


def drawings(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Scribbles and small drawings."""
    sheet, hand = blank_page(writers, rng)
    for _ in range(rng.integers(1, 7)):
        x, y = rng.uniform(0, 0.8) * sheet.width, rng.uniform(0, 0.8) * sheet.height
        kind = rng.uniform()
        if kind < 0.5:
            doodle(sheet, hand, rng, x, y, between(rng, 0.15, 0.9) * min(sheet.height, sheet.width))
            continue
        if kind < 0.75:
            _drawn(sheet, hand.resized(between(rng, 15, 0.6 * min(sheet.height, sheet.width)), rng), rng, x, y)
            continue
        ink = scribble(rng)
        scale = between(rng, 0.2, 0.9) * min(sheet.height, sheet.width) / max(ink.shape)
        sheet.paste(cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), x, y, "scribble")
    return sheet, hand


def doodle(sheet: Sheet, hand: Hand, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A drawing of a thing, such as a house, a car or a pair of spectacles: shapes that touch or hold each other."""
    if size < MIN_DOODLE:
        return
    ink = np.zeros((int(size), int(size)), np.uint8)
    pen = max(1, round(min(hand.pen, 0.15 * size)))
    middle, reach = np.array([0.5, 0.5]), rng.uniform(0.2, 0.38, 2)
    for i in range(int(rng.integers(2, 8))):
        points = _outline(rng) * reach + middle
        path = np.round(16 * size * points).astype(np.int32)
        closed = len(points) > 4 or rng.uniform() < 0.6
        if closed and rng.uniform() < (0.3 if i else 0.5):
            cv2.fillPoly(ink, [path], 255 if i == 0 or rng.uniform() < 0.5 else 0, cv2.LINE_AA, 4)
        cv2.polylines(ink, [path], closed, 255, pen, cv2.LINE_AA, 4)
        # The next shape stands on the outline of this one, or within it.
        middle = points[int(rng.integers(len(points)))] if rng.uniform() < 0.6 else middle + rng.normal(0, 0.1, 2)
        reach = rng.uniform(0.05, 0.25, 2)
        if rng.uniform() < 0.3:
            # A pair, as of wheels or eyes.
            twin = np.round(16 * size * (points * [-1, 1] + [1, 0])).astype(np.int32)
            cv2.polylines(ink, [twin], closed, 255, pen, cv2.LINE_AA, 4)
    sheet.paste(ink, x, y, "drawing")


def _outline(rng: np.random.Generator) -> NDArray[np.float64]:
    """Points (n, 2) of a shape, -1 to 1: a ring, a box, a triangle, a line with a few corners."""
    kind = rng.uniform()
    if kind < 0.35:
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        return np.stack([np.cos(turns), np.sin(turns)], axis=1) * [1, rng.uniform(0.6, 1.4)]
    if kind < 0.65:
        box = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        return box + rng.normal(0, 0.08, (4, 2))
    if kind < 0.8:
        return np.array([[-1.0, 1.0], [0.0, -1.0], [1.0, 1.0]]) + rng.normal(0, 0.15, (3, 2))
    return rng.uniform(-1, 1, (int(rng.integers(2, 5)), 2))


def empty(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Nothing."""
    return blank_page(writers, rng)
