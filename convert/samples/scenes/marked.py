"""What people draw among digits: rings, strike-outs, ticks, crosses, arrows, underlines, brackets, bullets, faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convert.data.marks import Stroke
from convert.samples.scenes import texts
from convert.samples.scenes.cursive import write_line
from convert.samples.scenes.hand import Hand, choose_hand
from convert.samples.scenes.lines import MOST_MARKS, blank_page
from convert.samples.scenes.plain import written_on_blank
from convert.samples.scenes.sheet import Sheet, write
from convert.samples.scenes.sizes import LARGEST, between, crop_around
from convert.samples.scenes.writers import Writers, pick
from edge.handwriting.rendering import curve

Edges = tuple[int, int, int, int]
"""Left, top, right and bottom, pixels."""
Drawing = Callable[[Sheet, Hand, np.random.Generator, Edges], None]
"""Draws something around or beside a number."""


def _path(points: list[tuple[float, float]], rng: np.random.Generator, shake: float, *, smooth: bool = True) -> Stroke:
    """A stroke through the points, each moved at random by about ``shake`` pixels."""
    moved = np.array(points, float) + rng.normal(0, shake, (len(points), 2))
    return (curve(moved) if smooth else moved).astype(np.float32)


def ring(rng: np.random.Generator, left: float, top: float, right: float, bottom: float) -> Stroke:
    """A ring drawn by hand around a box; its ends may overlap or leave a gap."""
    turns = np.linspace(0, np.radians(rng.uniform(335, 400)), 40) + rng.uniform(0, 2 * np.pi)
    bend = 1 + 0.05 * np.sin(2 * turns + rng.uniform(0, 7)) + np.linspace(0, rng.normal(0, 0.06), 40)
    x = (left + right) / 2 + 0.5 * (right - left) * bend * np.cos(turns)
    y = (top + bottom) / 2 + 0.5 * (bottom - top) * bend * np.sin(turns)
    return np.stack([x, y], axis=1).astype(np.float32)


def _around(box: Edges, hand: Hand, rng: np.random.Generator) -> Stroke:
    left, top, right, bottom = box
    across, down = rng.uniform(0.25, 0.7, 2) * hand.height + 0.15 * (right - left) + hand.pen
    return ring(rng, left - across, top - down, right + across, bottom + down)


def encircle(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw a ring around a number."""
    sheet.trace([_around(box, hand, rng)], hand.pen, "ring")


def underline(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw one line or two below a number; it may touch its digits."""
    left, _, right, bottom = box
    y = bottom + hand.height * rng.uniform(-0.02, 0.25)
    for _ in range(1 if rng.uniform() < 0.8 else 2):
        ends = [(left - 0.1 * hand.height, y), ((left + right) / 2, y), (right + 0.1 * hand.height, y)]
        sheet.trace([_path(ends, rng, 0.03 * hand.height)], hand.pen, "underline")
        y += hand.height * rng.uniform(0.12, 0.2) + hand.pen


def bracket(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw a large bracket beside a number or around it."""
    left, top, right, bottom = box
    deep, room = hand.height * rng.uniform(0.15, 0.3), hand.height * rng.uniform(0.2, 0.5) + hand.pen
    for side, way in ((left - room, 1), (right + room, -1)):
        points = [(side + way * deep, top - 0.2 * room), (side, top), (side, bottom), (side + way * deep, bottom + 2)]
        if rng.uniform() < 0.8:
            smooth = rng.uniform() < 0.5
            sheet.trace([_path(points, rng, 0.02 * hand.height, smooth=smooth)], hand.pen, "bracket")


def arrow_to(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw an arrow that points at a number from its right."""
    _, top, right, bottom = box
    unit = hand.height
    tip = np.array([right + unit * rng.uniform(0.3, 0.6), (top + bottom) / 2])
    tail = tip + np.array([unit * rng.uniform(0.8, 2), unit * rng.normal(0, 0.3)])
    head = [tip + unit * np.array([0.3, -0.2]), tip, tip + unit * np.array([0.3, 0.2])]
    strokes = [_path([tuple(tail), tuple(tip)], rng, 0.0), _path([tuple(end) for end in head], rng, 1, smooth=False)]
    sheet.trace(strokes, hand.pen, "arrow")


def _beside(box: Edges, hand: Hand, rng: np.random.Generator) -> tuple[float, float, float]:
    """Left and top of a place to the left or right of a number, and the size of what fits there."""
    left, top, right, _ = box
    size = hand.height * rng.uniform(0.5, 1.1)
    x = right + 0.5 * hand.height if rng.uniform() < 0.5 else left - 0.5 * hand.height - size
    return x, top + hand.height * rng.normal(0.1, 0.1), size


def tick(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw a check mark beside a number."""
    x, y, size = _beside(box, hand, rng)
    points = [(x, y + 0.55 * size), (x + 0.3 * size, y + size), (x + size, y)]
    sheet.trace([_path(points, rng, 0.05 * size, smooth=False)], hand.pen, "tick")


def cross(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw a cross beside a number."""
    x, y, size = _beside(box, hand, rng)
    lines = ([(x, y), (x + size, y + size)], [(x + size, y), (x, y + size)])
    sheet.trace([_path(ends, rng, 0.06 * size) for ends in lines], hand.pen, "cross")


def bullet(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw a dot or a dash before a number."""
    left, top, _, bottom = box
    x, y = left - 0.6 * hand.height, (top + bottom) / 2
    if rng.uniform() < 0.5:
        dot = np.array([[x, y]], np.float32)
        sheet.trace([dot], hand.height * rng.uniform(0.15, 0.3), "bullet")
    else:
        sheet.trace([_path([(x - 0.35 * hand.height, y), (x, y)], rng, 1)], hand.pen, "bullet")


def face(sheet: Sheet, hand: Hand, rng: np.random.Generator, box: Edges) -> None:
    """Draw a smiling or sad face beside a number."""
    x, y, size = _beside(box, hand, rng)
    smile = 0.12 * rng.choice([-1, 1])
    strokes = [ring(rng, x, y, x + size, y + size)]
    for points in (
        [(0.35, 0.32), (0.35, 0.42)],
        [(0.65, 0.32), (0.65, 0.42)],
        [(0.28, 0.68), (0.5, 0.68 + smile), (0.72, 0.68)],
    ):
        strokes.append(_path([(x + size * across, y + size * down) for across, down in points], rng, 0.02 * size))
    sheet.trace(strokes, min(hand.pen, 0.12 * size), "face")


DRAWN: tuple[Drawing, ...] = (
    encircle, encircle, encircle, encircle, encircle, underline, underline, bracket, arrow_to, tick, cross, bullet,
    face,
)  # fmt: skip
"""What is drawn around or beside a number; what is drawn more often is listed more often."""


def strike(sheet: Sheet, hand: Hand, rng: np.random.Generator, first: int) -> None:
    """Strike out the marks from this number on: by lines, a wave, a cross or a scribble."""
    box = sheet.box(first)
    if box is None:
        return
    last = len(sheet.labels)
    left, top, right, bottom = box
    tall, alone = bottom - top, last - first == 1
    # One digit with one short stroke through it would be a crossed 7 or a slashed 0.
    over = hand.height * (rng.uniform(0.25, 0.5) if alone else rng.uniform(0, 0.3))
    left, right = round(left - over), round(right + over)
    across = [(left, top + 0.5 * tall), ((left + right) / 2, top + 0.5 * tall), (right, top + 0.5 * tall)]
    kind = rng.uniform()
    if kind < 0.45:
        several = alone or rng.uniform() < 0.35
        heights = (0.3, 0.5, 0.7)[: int(rng.integers(2, 4))] if several else (rng.uniform(0.3, 0.7),)
        lines = [[(x, top + (at + rng.normal(0, 0.06)) * tall) for x, _ in across] for at in heights]
    elif kind < 0.55 and not alone:
        lines = [[(left, bottom), (right, top)]]
    elif kind < 0.75:
        lines = [[(left, bottom), (right, top)], [(left, top), (right, bottom)]]
    elif kind < 0.85:
        along = np.linspace(left, right, max(5, int((right - left) / hand.height * 3)))
        lines = [[(float(x), top + tall * (0.5 + 0.14 * (-1) ** i)) for i, x in enumerate(along)]]
    else:
        dense = int((right - left) / hand.height * rng.uniform(4, 9))
        along = np.linspace(left, right, max(6, dense)) + rng.normal(0, 0.06 * hand.height, max(6, dense))
        lines = [[(float(x), top + tall * (0.12 if i % 2 else 0.88)) for i, x in enumerate(along)]]
    strokes = [_path(line, rng, 0.05 * hand.height) for line in lines]
    sheet.trace(strokes, hand.pen * rng.uniform(0.9, 1.6), "strike")
    for number in range(first, last):
        sheet.doubt(number)


def struck_out(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Lines of numbers and what else has digits, or only a few of them; some are struck out, wholly or in part."""
    few = rng.uniform() < 0.4
    if few:
        hand = choose_hand(writers, rng, between(rng, 14, 110))
        down, across = rng.uniform(2, 7) * hand.height, rng.uniform(5, 12) * hand.height
        sheet = Sheet.blank(min(LARGEST, down), min(LARGEST, across))
    else:
        sheet, hand = blank_page(writers, rng)
    share = rng.uniform(0.2, 0.7)
    y = hand.height * rng.uniform(0.2, 1)
    while y < sheet.height - 1.1 * hand.height and len(sheet.labels) < MOST_MARKS:
        x = hand.height * rng.uniform(0.2, 1)
        while x < sheet.width - 1.5 * hand.height:
            first = len(sheet.labels)
            text = texts.number(rng, 1, 5) if rng.uniform() < 0.75 else texts.entry(rng)
            x = write_line(sheet, hand, text, x, y, rng)
            if len(sheet.labels) > first and rng.uniform() < share:
                # Now and then only the last marks.
                some = rng.uniform() < 0.2
                strike(sheet, hand, rng, int(rng.integers(first, len(sheet.labels))) if some else first)
            x += hand.height * rng.uniform(0.8, 2)
        y += hand.height * rng.uniform(1.5, 2.5)
    return (crop_around(sheet, hand.height, rng) if few else sheet), hand


def marked(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """One number, or a few below each other, with something drawn around or beside them."""
    count = 1 if rng.uniform() < 0.5 else int(rng.integers(2, 5))
    sheet, hand = written_on_blank(writers, rng, [""] * count, between(rng, 14, 110), rng.uniform(2.2, 3.2))
    sheet = sheet.framed(round(-2 * hand.height), 0, sheet.width + round(6 * hand.height), sheet.height)
    step = sheet.height / count
    drawn = pick(rng, DRAWN)
    for i in range(count):
        first = len(sheet.labels)
        text = texts.number(rng, 1, int(rng.integers(1, 4)))
        write(sheet, hand, text, 3 * hand.height, (i + 0.5) * step - 0.5 * hand.height, rng)
        box = sheet.box(first)
        if box and rng.uniform() < 0.8:
            (drawn if rng.uniform() < 0.7 else pick(rng, DRAWN))(sheet, hand, rng, box)
    return crop_around(sheet, hand.height, rng), hand
