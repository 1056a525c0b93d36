"""Kinds of situations in which digits stand in boxes, combs and circles, and touch them."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from edge.types import Pixels
from tests.scoreboard.base_pages import Rng, by_strength, photograph
from tests.scoreboard.hands import Hands
from tests.scoreboard.layout import merge
from tests.scoreboard.situations.paper import Situation, around, number, rule, shaky, written

FILLS = (0.62, 0.78, 0.9)
"""Height of the digits at each strength, in heights of their box: they touch it at the last two."""


def _cells(rng: Rng, hands: Hands, strength: int, text: str, side: float, wide: float) -> tuple[Pixels, float]:
    """Each digit in the middle of its cell, or near it, (cells x ``wide`` x ``side``), and the pen."""
    em = FILLS[strength - 1] * side
    hand, pen = hands.pick(rng), max(1.6, float(rng.uniform(0.06, 0.11)) * em)
    placed = [(np.zeros((round(side), round(wide * len(text))), np.uint8), 0.0, 0.0)]
    for i, char in enumerate(text):
        ink = hand.character(rng, char, em, pen)
        # Wide digits stay within 1.05 cells.
        if ink.shape[1] > 1.05 * wide:
            ink = cv2.resize(ink, (round(1.05 * wide), ink.shape[0]), interpolation=cv2.INTER_AREA)
        dx, dy = rng.normal(0, by_strength(strength, 0.03, 0.06, 0.07), 2) * side
        placed.append((ink, (i + 0.5) * wide - ink.shape[1] / 2 + dx, (side - ink.shape[0]) / 2 + dy))
    return merge(placed)[0], pen


def boxes(rng: Rng, hands: Hands, strength: int, *, apart: bool) -> tuple[Pixels, str]:
    """A row of form boxes, printed or drawn; the digits touch them at strength 2 and 3."""
    text, side = number(rng, 2, 7), float(rng.uniform(60, 110))
    wide = side * rng.uniform(0.75, 1.05)
    space = side * rng.uniform(0.06, 0.3) if apart else 0.0
    room = round(0.25 * side)
    ink, pen = _cells(rng, hands, strength, text, side, wide + space)
    ink = cv2.copyMakeBorder(ink, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    grey = int(rng.integers(*((90, 150), (130, 220), (180, 256))[strength - 1]))
    x0, y0 = room + space / 2, (ink.shape[0] - side) / 2
    by_hand = rng.uniform() < 0.3
    frame, line = np.zeros_like(ink), float(pen if by_hand else rng.uniform(1, 3))
    for i in range(len(text)):
        left, right = x0 + i * (wide + space), x0 + i * (wide + space) + wide
        corners = [(left, y0), (right, y0), (right, y0 + side), (left, y0 + side)]
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            rule(frame, shaky(rng, a, b, 0.03 * side) if by_hand else [a, b], line, grey)
    return photograph(rng, around(rng, cv2.max(ink, frame), side, 0.2, 0.7)), text


def comb(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A comb field: a printed line below the digits with short teeth between them."""
    text, side = number(rng, 3, 8), float(rng.uniform(55, 95))
    wide = side * rng.uniform(0.75, 0.95)
    ink, _ = _cells(rng, hands, strength, text, side, wide)
    room = round(0.3 * side)
    ink = cv2.copyMakeBorder(ink, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    # The digits stand on the line at strength 3, and close to it at 2.
    y = room + side * (1 + by_strength(strength, 0.02, -0.05, -0.08)) + rng.normal(0, 0.02) * side
    tooth, grey = by_strength(strength, 0.2, 0.28, 0.36) * side, int(rng.integers(140, 256))
    line, frame = float(rng.uniform(1, 3)), np.zeros_like(ink)
    rule(frame, [(room, y), (room + wide * len(text), y)], line, grey)
    for i in range(len(text) + 1):
        rule(frame, [(room + wide * i, y - tooth), (room + wide * i, y)], line, grey)
    return photograph(rng, around(rng, cv2.max(ink, frame), side, 0.1, 0.6)), text


def circled(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A number with a circle drawn around it, closer at each strength, alone or beside another number."""
    text = number(rng, 1, 3)
    line, em, pen = written(rng, hands, text, float(rng.uniform(35, 70)))
    clear = by_strength(strength, 0.5, 0.35, 0.25) * em
    height, width = line.ink.shape
    # An ellipse through the corners of the text's box is sqrt(2) times as large as the box.
    half = np.array([0.62 * width + clear, 0.62 * height + clear])
    room = int(np.ceil(max(half) + 0.3 * em))
    ink = cv2.copyMakeBorder(line.ink, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    middle = np.array([ink.shape[1] / 2, ink.shape[0] / 2])
    turns = np.linspace(0, 2 * np.pi * rng.uniform(0.97, 1.08), 60) + rng.uniform(0, 2 * np.pi)
    drift = 1 + rng.uniform(-0.06, 0.06) * (turns - turns[0])[:, None] / (2 * np.pi)
    points = middle + half * drift * np.stack([np.cos(turns), np.sin(turns)], 1) * (1 + rng.normal(0, 0.01, (60, 1)))
    rule(ink, [(float(x), float(y)) for x, y in points], pen)
    x, y, wide, tall = cv2.boundingRect(ink)
    ink = ink[y : y + tall, x : x + wide]
    if rng.uniform() < 0.4:
        more = number(rng, 1, 3)
        second, _, _ = written(rng, hands, more, em, pen=pen)
        above = (ink.shape[0] - second.ink.shape[0]) // 2
        space = round(rng.uniform(0.6, 1.2) * em)
        pieces = [(ink, 0.0, 0.0), (second.ink, float(ink.shape[1] + space), float(max(above, 0)))]
        ink, text = merge(pieces)[0], text + more
    return photograph(rng, around(rng, ink, em, 0.4, 2.5)), text


KINDS: dict[str, Situation] = {
    "boxes apart": partial(boxes, apart=True),
    "boxes joined": partial(boxes, apart=False),
    "comb": comb,
    "circled": circled,
}
