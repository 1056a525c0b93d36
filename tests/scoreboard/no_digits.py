"""Pictures without any whole digit, by kind: whatever is read in them is a false reading.

They are made in another way than the negatives of the training: letters of OpenCV's own fonts, and shapes drawn here.
What a person may take for a digit is left out: a plain ring, an upright stroke, O, I, Z, S, B, G, q and their like.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.handwriting import virtual_camera
from edge.types import Pixels
from tests.scoreboard import disturbances, pens
from tests.scoreboard.base_pages import Rng, either_polarity, photograph
from tests.scoreboard.drawings import FONTS, THINGS, draw, draw_text, points_around, smooth_corners
from tests.scoreboard.layout import SHAPES, Digits, place, rotate

LETTERS = "ACEFHKMNPRTUVWXcehkmnuvwx"
"""Letters that nobody takes for a digit in the fonts of ``drawings``."""
WORDS = ("the", "when", "human", "cream", "NAME", "MARCH", "then", "area", "WATER", "have", "PAPER", "teach", "Anna")
PIECES = {0: "left right top bottom", 4: "left", 5: "top"}
"""For some digits, the halves that are not a digit. Many others are: an 8's right half is a 3, a 6's lower half a 0."""


def pictures_without_digits(
    glyphs: Pixels, labels: NDArray[np.uint8], seed: int, per_kind: int, kinds: Sequence[str] | None = None
) -> Iterator[tuple[str, Pixels]]:
    """``per_kind`` pictures of each kind (default: all of KINDS), each (height, width) uint8, 0 = black.

    ``glyphs`` (n, 28, 28) and ``labels`` (n,) are MNIST's test images, which are cut in halves and crossed out. The
    same seed gives the same pictures.
    """
    digits = Digits(glyphs, labels)
    for kind in kinds or KINDS:
        for i in range(per_kind):
            yield kind, KINDS[kind](np.random.default_rng([seed, zlib.crc32(kind.encode()), i]), digits)


def _shape(rng: Rng) -> tuple[int, int]:
    return SHAPES[int(rng.integers(len(SHAPES)))]


def _scatter(
    rng: Rng, make: Callable[[float], Pixels], largest: int = 4, low: float = 0.1, high: float = 0.4
) -> Pixels:
    """1 to ``largest`` things that ``make`` draws, each ``low`` to ``high`` of the page's height, in separate cells."""
    shape = _shape(rng)
    count = int(rng.integers(1, largest + 1))
    ink, each = np.zeros(shape, np.uint8), shape[1] // count
    for i in range(count):
        size = rng.uniform(low, high) * shape[0]
        cell, _, _ = place(rng, make(min(size, 0.8 * each)), (shape[0], each), 0.08 * each)
        ink[:, i * each : (i + 1) * each] = cell
    return ink


def empty(rng: Rng, digits: Digits) -> Pixels:
    """Paper, a board or a table under any light, with nothing on it."""
    page = np.full(_shape(rng), int(rng.integers(30, 250)), np.uint8)
    page = virtual_camera.light(page, rng, rng.uniform(0, 0.8))
    fate = rng.integers(5)
    if fate == 0:
        page = disturbances.shadow(page, rng, rng.uniform(0.2, 0.7), rng.uniform(1, 40))
    elif fate == 1:
        page = disturbances.glare(page, rng, rng.uniform(40, 160), rng.uniform(0.2, 0.7) * page.shape[0])
    elif fate == 2:
        page = disturbances.underexpose(page, rng, rng.uniform(0.03, 0.3), rng.uniform(0.5, 2.5))
    elif fate == 3:
        page = disturbances.hand(page, np.zeros_like(page), rng, rng.uniform(0.2, 0.6) * page.shape[0], 1)
    page = virtual_camera.noise(page, rng, rng.uniform(0.3, 8))
    return virtual_camera.jpeg(page, int(rng.integers(20, 90))) if rng.uniform() < 0.4 else page


def printed(rng: Rng, digits: Digits) -> Pixels:
    """Ruled or squared paper without writing."""
    shape = _shape(rng)
    lines = disturbances.ruled_lines(
        shape, rng.uniform(0.03, 0.2) * shape[0], int(rng.integers(1, 3)), rng.uniform(-8, 8),
        start=rng.uniform(0, 50), squared=bool(rng.uniform() < 0.5),
    )  # fmt: skip
    return photograph(rng, lines, strength=rng.uniform(0.1, 0.8))


def texture(rng: Rng, digits: Digits) -> Pixels:
    """Wood, cloth, gravel, plaster, foliage, bricks."""
    shape = _shape(rng)
    kind = int(rng.integers(5))
    if kind == 0:
        return virtual_camera.noise(
            disturbances.wooden_table(shape, rng, rng.uniform(60, 200), rng.uniform(0.3, 1)), rng, 3
        )
    if kind == 1:
        x, y = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
        step = rng.uniform(4, 16)
        weave = np.sin(2 * np.pi * x / step) * np.sin(2 * np.pi * y / (step * rng.uniform(0.8, 1.25)))
        page = np.clip(rng.uniform(80, 200) + rng.uniform(15, 60) * weave, 0, 255).astype(np.uint8)
        return virtual_camera.noise(virtual_camera.light(page, rng, 0.3), rng, rng.uniform(2, 8))
    if kind in (2, 3):
        grain = rng.uniform(1.5, 14)
        rough: Any = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), grain)
        rough = rough / float(rough.std())
        rough = np.abs(rough) if kind == 3 else rough
        return np.clip(rng.uniform(90, 170) + rng.uniform(10, 45) * rough, 0, 255).astype(np.uint8)
    brick, mortar = rng.uniform(0.08, 0.16) * shape[0], max(2, round(rng.uniform(0.008, 0.02) * shape[0]))
    ink = disturbances.ruled_lines(shape, brick, mortar, 0, start=brick / 2)
    for row in range(int(shape[0] / brick) + 2):
        for column in range(int(shape[1] / brick) + 1):
            across = round((2 * column + row % 2) * brick)
            cv2.line(ink, (across, round((row - 0.5) * brick)), (across, round((row + 0.5) * brick)), 255, mortar)
    return photograph(rng, ink, paper=rng.uniform(60, 160), strength=rng.uniform(0.3, 0.6), chalk=True)


def letters(rng: Rng, digits: Digits) -> Pixels:
    """One to four letters apart from each other."""
    return either_polarity(
        rng, _scatter(rng, lambda size: draw_text(LETTERS[int(rng.integers(len(LETTERS)))], rng, size))
    )


def words(rng: Rng, digits: Digits) -> Pixels:
    """A word, or a page of print."""
    if rng.uniform() < 0.6:
        return either_polarity(
            rng, _scatter(rng, lambda size: draw_text(WORDS[int(rng.integers(len(WORDS)))], rng, size), 1)
        )
    shape = _shape(rng)
    ink, y, size = np.zeros(shape, np.uint8), 0.08 * shape[0], rng.uniform(0.018, 0.05) * shape[0]
    while y < 0.95 * shape[0]:
        line = " ".join(WORDS[int(rng.integers(len(WORDS)))] for _ in range(30))
        scale = cv2.getFontScaleFromHeight(FONTS[2], max(5, round(size)), 1)
        cv2.putText(ink, line, (round(0.05 * shape[1]), round(y)), FONTS[2], scale, 255, 1, cv2.LINE_AA)
        y += 1.8 * size
    ink[:, round(0.94 * shape[1]) :] = 0
    return photograph(rng, ink)


def scribbles(rng: Rng, digits: Digits) -> Pixels:
    """Many strokes of a pen to and fro."""

    def scribble(size: float) -> Pixels:
        ink = np.zeros((round(1.6 * size) + 8, round(1.9 * size) + 8), np.uint8)
        turns = int(rng.integers(14, 28))
        points = rng.uniform(0.15, 0.85, (turns, 2))
        if rng.uniform() < 0.5:
            # To and fro along one direction.
            along = np.linspace(0.15, 0.85, turns) + rng.normal(0, 0.03, turns)
            points = np.stack([along, 0.5 + rng.uniform(0.2, 0.4) * (-1.0) ** np.arange(turns)], 1)
        draw(ink, smooth_corners(points) * [ink.shape[1], ink.shape[0]], rng.uniform(0.03, 0.09) * size)
        return rotate(ink, float(rng.uniform(-40, 40)))

    return either_polarity(rng, _scatter(rng, scribble, 3))


def strokes(rng: Rng, digits: Digits) -> Pixels:
    """Long lines and dashes at any angle that is not upright, crosses, zigzags, arrows."""
    shape = _shape(rng)
    ink, pen = np.zeros(shape, np.uint8), rng.uniform(0.006, 0.03) * shape[0]
    middle = np.array([shape[1], shape[0]]) / 2
    reach = rng.uniform(0.12, 0.42) * shape[0]
    kind = int(rng.integers(4))
    if kind == 0:
        for _ in range(int(rng.integers(1, 5))):
            angle, at = np.radians(rng.uniform(-35, 35)), middle + rng.uniform(-0.3, 0.3, 2) * [shape[1], shape[0]]
            draw(ink, np.array([at, at + 1.5 * reach * np.array([np.cos(angle), np.sin(angle)])]), pen)
    elif kind == 1:
        turn = rng.uniform(0, np.pi)
        for angle in (turn, turn + np.pi / 2):
            along = reach * np.array([np.cos(angle), np.sin(angle)])
            draw(ink, np.array([middle - along, middle + along]), pen)
    elif kind == 2:
        steps = int(rng.integers(6, 12))
        zigzag = np.stack([np.linspace(-1.4, 1.4, steps), 0.35 * (-1.0) ** np.arange(steps)], 1)
        draw(ink, middle + reach * zigzag, pen)
    else:
        arrow = np.array([[-1.3, 0], [1.3, 0], [0.7, -0.5], [1.3, 0], [0.7, 0.5]])
        if rng.uniform() < 0.5:
            arrow[:, 0] *= -1
        draw(ink, middle + reach * arrow, pen)
    return either_polarity(rng, ink)


def shapes(rng: Rng, digits: Digits) -> Pixels:
    """Triangles, boxes, stars, hearts, spirals and stains."""

    def shape(size: float) -> Pixels:
        ink = np.zeros((round(1.3 * size) + 8, round(1.3 * size) + 8), np.uint8)
        middle, kind, filled = np.array(ink.shape[::-1]) / 2, int(rng.integers(6)), bool(rng.uniform() < 0.3)
        points: NDArray[np.floating[Any]] = points_around(rng, 3, 0.1)
        closed = True
        if kind == 1:
            points = np.array([[-1, -0.7], [1, -0.7], [1, 0.7], [-1, 0.7]]) * rng.uniform(0.75, 1, 2)
        elif kind == 2:
            points = points_around(rng, 10, 0) * np.tile([1, 0.42], 5)[:, None]
        elif kind == 3:
            t = np.linspace(0, 2 * np.pi, 60)
            points = np.stack([16 * np.sin(t) ** 3, -13 * np.cos(t) + 5 * np.cos(2 * t) + 2 * np.cos(3 * t)], 1) / 17
        elif kind == 4:
            t = np.linspace(0, rng.uniform(7, 11) * np.pi, 200)
            points, closed, filled = np.stack([np.cos(t), np.sin(t)], 1) * (t / t[-1])[:, None], False, False
        elif kind == 5:
            points, filled = smooth_corners(points_around(rng, 9, 0.45), closed=True), True
        draw(ink, middle + 0.5 * size * points, rng.uniform(0.04, 0.09) * size, closed=closed, filled=filled)
        return ink

    return either_polarity(rng, _scatter(rng, shape, 4))


def objects(rng: Rng, digits: Digits) -> Pixels:
    """Things, drawn or lying on the page: a face, a house, a mug, a tree, a fish, a cube."""

    def thing(size: float) -> Pixels:
        ink = np.zeros((round(1.25 * size) + 8, round(1.25 * size) + 8), np.uint8)
        middle, pen, half = np.array(ink.shape[::-1]) / 2, rng.uniform(0.025, 0.06) * size, 0.5 * size
        for points, closed, filled in THINGS[int(rng.integers(len(THINGS)))]:
            moved = np.array(points, float) + rng.normal(0, 0.015, (len(points), 2))
            draw(ink, middle + half * moved, pen, closed=closed, filled=filled)
        return rotate(ink, float(rng.uniform(-8, 8)))

    ink = _scatter(rng, thing, 2, 0.3, 0.75)
    if rng.uniform() < 0.5:
        return either_polarity(rng, ink)
    # Not drawn but lying on the page: dark, with a soft shadow.
    page = photograph(rng, cv2.max(ink, cv2.convertScaleAbs(cv2.GaussianBlur(ink, (0, 0), 9), alpha=0.6)))
    return virtual_camera.light(page, rng, 0.4)


def halves(rng: Rng, digits: Digits) -> Pixels:
    """Half a digit at the picture's border: the other half is outside."""
    shape = _shape(rng)
    there = [digit for digit in PIECES if (digits.labels == digit).any()]
    digit = there[int(rng.integers(len(there)))]
    sides = PIECES[digit].split()
    side = sides[int(rng.integers(len(sides)))]
    of_kind = np.flatnonzero(digits.labels == digit)
    for _ in range(20):
        ink = pens.enlarge(digits.glyphs[of_kind[int(rng.integers(len(of_kind)))]], rng.uniform(0.2, 0.6) * shape[0])
        x, y, width, height = cv2.boundingRect(ink)
        ink = ink[y : y + height, x : x + width]
        # Half of a slim zero is a one.
        if width > 0.6 * height:
            break
    keep = rng.uniform(0.32, 0.45)
    page = np.zeros(shape, np.uint8)
    # The left half of a digit lies at the right border of the picture, and so on.
    if side in ("left", "right"):
        part = ink[:, : round(keep * width)] if side == "left" else ink[:, width - round(keep * width) :]
        top = int(rng.integers(0, max(1, shape[0] - part.shape[0])))
        columns = slice(shape[1] - part.shape[1], None) if side == "left" else slice(0, part.shape[1])
        page[top : top + part.shape[0], columns] = part
    else:
        part = ink[: round(keep * height)] if side == "top" else ink[height - round(keep * height) :]
        left = int(rng.integers(0, max(1, shape[1] - part.shape[1])))
        rows = slice(shape[0] - part.shape[0], None) if side == "top" else slice(0, part.shape[0])
        page[rows, left : left + part.shape[1]] = part
    return either_polarity(rng, page)


def written_over(rng: Rng, digits: Digits) -> Pixels:
    """Digits written on top of each other and crossed out with many strokes."""

    def pile(size: float) -> Pixels:
        side = round(1.5 * size) + 8
        ink = np.zeros((side, side), np.uint8)
        glyphs, _ = digits.pick(rng, int(rng.integers(3, 6)))
        for glyph in glyphs:
            part = rotate(pens.redraw(glyph, 0.8 * size, 0.07 * size), float(rng.uniform(-25, 25)))
            page, _, _ = place(rng, part, (side, side), 0.15 * side)
            ink = cv2.max(ink, page)
        turns = int(rng.integers(8, 14))
        across = np.stack([np.linspace(0.1, 0.9, turns), 0.5 + 0.4 * (-1.0) ** np.arange(turns)], 1)
        draw(ink, (across + rng.normal(0, 0.03, across.shape)) * side, 0.06 * size)
        return ink

    return either_polarity(rng, _scatter(rng, pile, 2))


KINDS: dict[str, Callable[[Rng, Digits], Pixels]] = {
    "empty pages": empty,
    "empty ruled paper": printed,
    "textures": texture,
    "letters": letters,
    "words": words,
    "scribbles": scribbles,
    "lines and arrows": strokes,
    "shapes": shapes,
    "objects": objects,
    "halves of digits": halves,
    "digits crossed out": written_over,
}
"""Every kind of picture without a digit."""
