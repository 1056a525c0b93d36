"""Kinds of situations with print: labels beside handwriting, printed numbers, displays, drums of a meter."""

from __future__ import annotations

import cv2
import numpy as np

from edge.handwriting import virtual_camera
from edge.types import Pixels
from tests.scoreboard.base_pages import Rng, by_strength, photograph
from tests.scoreboard.hands import Hands
from tests.scoreboard.situations.beside_digits import WORDS
from tests.scoreboard.situations.paper import (
    TYPEFACES,
    Situation,
    around,
    beside,
    number,
    on_page,
    one_of,
    printed,
    written,
)  # fmt: skip

QUESTIONS = ("How many apples?", "What is the sum?", "Write the number.", "How old are you?", "Count the stars.")
SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc",
    "5": "afgcd", "6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip
"""The bars of a display that are on for each digit, named as in data sheets: a at the top, clockwise, g the middle."""


def label(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A printed word before a handwritten number, its letters larger and closer at each strength."""
    text = number(rng, 1, 5)
    line, em, _ = written(rng, hands, text)
    word = printed(one_of(rng, WORDS), em * by_strength(strength, 0.45, 0.65, 0.85), one_of(rng, TYPEFACES))
    ink = beside([word, line.ink], [by_strength(strength, 0.8, 0.5, 0.35) * em])
    return photograph(rng, around(rng, ink, em)), text


def printed_unit(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A printed number and its unit, such as 4821 kWh, closer at each strength."""
    text, em = number(rng, 1, 5), float(rng.uniform(22, 70))
    unit = one_of(rng, ("kWh", "km", "m", "kg", "MHz", "rpm", "hPa", "kW", "ft"))
    ink = printed(text + "  "[strength - 1 :] + unit, em, one_of(rng, TYPEFACES))
    return photograph(rng, around(rng, ink, em)), text


def worksheet(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A printed question, and an answer by hand below it, closer at each strength."""
    text, em = number(rng, 1, 4), float(rng.uniform(34, 50))
    small = rng.uniform(0.35, 0.5) * em
    face = one_of(rng, ("DejaVuSans-Bold", "DejaVuSans", "DejaVuSerif-Bold"))
    question = printed(one_of(rng, QUESTIONS), small, face)
    line, _, _ = written(rng, hands, text, em)
    answer = beside([printed("Answer:", small, face), line.ink], [by_strength(strength, 1.0, 0.7, 0.4) * em])
    space = by_strength(strength, 1.2, 0.7, 0.35) * em
    width = max(question.shape[1], answer.shape[1])
    rows = [np.pad(one, ((0, round(space)), (0, width - one.shape[1]))) for one in (question, answer)]
    page = on_page(rng, np.vstack(rows), (420, 700), rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.4))
    return photograph(rng, page), text


def display(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A display of seven segments: dark bars on grey-green, with wider slits between them at each strength."""
    text, em = number(rng, 2, 6), float(rng.uniform(60, 120))
    wide, bar = 0.52 * em, rng.uniform(0.1, 0.14) * em
    slit = by_strength(strength, 0.15, 0.35, 0.6) * bar
    ends = {"a": ((0, 0), (1, 0)), "b": ((1, 0), (1, 0.5)), "c": ((1, 0.5), (1, 1)), "d": ((0, 1), (1, 1)),
            "e": ((0, 0.5), (0, 1)), "f": ((0, 0), (0, 0.5)), "g": ((0, 0.5), (1, 0.5))}  # fmt: skip
    step = wide + bar + rng.uniform(0.2, 0.3) * em
    ink = np.zeros((round(em + 2 * bar), round(step * len(text) + bar)), np.uint8)
    lean = rng.uniform(0, 0.12)
    for i, digit in enumerate(text):
        for segment in SEGMENTS[digit]:
            a, b = (np.array(end) * [wide, em] for end in ends[segment])
            along = (b - a) / np.linalg.norm(b - a)
            across = np.array([-along[1], along[0]]) * bar / 2
            a, b = a + along * (slit / 2), b - along * (slit / 2)
            tip = along * bar / 2
            shape = np.array([a, a + across + tip, b + across - tip, b, b - across - tip, a - across + tip])
            shape[:, 0] += lean * (em - shape[:, 1])
            fixed = np.round((shape + [bar + i * step, bar]) * 16).astype(np.int32)
            cv2.fillPoly(ink, [fixed], 255, cv2.LINE_AA, 4)
    page = around(rng, ink, em, 0.3, 0.8)
    return photograph(rng, page, paper=rng.uniform(140, 190), strength=rng.uniform(0.65, 0.85)), text


def drums(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """The drums of a meter: light digits on dark fields, with narrow light gaps between them."""
    text, em = number(rng, 3, 7), float(rng.uniform(32, 60))
    wide, tall = round(1.15 * em), round(1.8 * em)
    gap = round(by_strength(strength, 0.35, 0.22, 0.12) * em)
    grey = rng.uniform(170, 225)
    page = np.full((round(3.4 * em), (wide + gap) * len(text) + 2 * wide), grey, np.float32)
    top = round(0.8 * em)
    face = one_of(rng, ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono-Bold"))
    for i, digit in enumerate(text):
        left, glyph = wide + i * (wide + gap), printed(digit, em, face)
        page[top : top + tall, left : left + wide] = rng.uniform(15, 45)
        y, x = top + (tall - glyph.shape[0]) // 2, left + (wide - glyph.shape[1]) // 2
        part = page[y : y + glyph.shape[0], x : x + glyph.shape[1]]
        part += (225 - part) * (glyph.astype(np.float32) / 255)
    made = virtual_camera.blur(virtual_camera.light(page.astype(np.uint8), rng, 0.1), rng.uniform(0.4, 0.9))
    return virtual_camera.noise(made, rng, rng.uniform(1, 3)), text


KINDS: dict[str, Situation] = {
    "printed label": label,
    "printed unit": printed_unit,
    "worksheet": worksheet,
    "seven segments": display,
    "drums of a meter": drums,
}
