"""Things with print on them: rulers, displays, keys; and dice. Nobody says whether their digits should be read."""

from __future__ import annotations

import cv2
import numpy as np

from convert.samples.scenes.fields import Field, Shape
from convert.samples.scenes.laid import Laid
from convert.samples.scenes.sizes import between
from convert.samples.segments import segment_digit
from convert.samples.typefaces import printed
from edge.types import Pixels

KEYS = tuple("7894561230+-=./CEX%ABDFGHKMNPRSTUVW")
"""What is printed on keys."""


def _greys(rng: np.random.Generator, *, light: bool) -> tuple[float, float]:
    """Grey of the thing and of its print, 0 to 255."""
    body = rng.uniform(120, 240) if light else rng.uniform(10, 90)
    return body, body + (rng.uniform(-0.9, -0.4) * body if light else rng.uniform(70, 160))


def _placed(face: Field, unclear: Pixels, shape: Shape, rng: np.random.Generator) -> Laid:
    """A face with print on it, laid anywhere on the page, mostly upright; it may reach beyond the page's sides."""
    tall, wide = face.shape
    straight = rng.uniform() < 0.5
    angle = np.radians(rng.choice([0, 0, 90, 180, 270]) + rng.normal(0, 0.5 if straight else 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    at = rng.choice([rng.uniform(-0.02, 0.25), rng.uniform(0.75, 1.02), rng.uniform(0, 1)], 2) * shape[::-1]
    if straight and rng.uniform() < 0.7:
        # The whole of it is seen, where there is room for it.
        half = np.abs(turn) @ [wide / 2, tall / 2] + 2
        at = np.clip(at, np.minimum(half, np.array(shape[::-1]) / 2), np.maximum(shape[::-1] - half, half))
    matrix = np.column_stack([turn, at - turn @ [wide / 2, tall / 2]])
    there, unclear = (
        cv2.warpAffine(part, matrix, shape[::-1]) for part in (np.full(face.shape, 255, np.uint8), unclear)
    )
    shade = cv2.warpAffine(face, matrix, shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return Laid(there, shade, unclear)


def _stamp(face: Field, unclear: Pixels, ink: Pixels, x: float, y: float, grey: float) -> None:
    """Print in this grey with the left top at (x, y), where all of it is on the face."""
    left, top, (tall, wide) = round(x), round(y), ink.shape
    if left < 0 or top < 0 or left + wide > face.shape[1] or top + tall > face.shape[0]:
        return
    there = np.s_[top : top + tall, left : left + wide]
    face[there] += ink * np.float32(1 / 255) * (np.float32(grey) - face[there])
    np.maximum(unclear[there], ink, out=unclear[there])


def _print(text: str, height: float, typeface: int) -> Pixels:
    ink = printed(text, np.random.default_rng(typeface))
    scale = max(4.0, height) / ink.shape[0]
    return cv2.resize(ink, (max(2, round(ink.shape[1] * scale)), max(4, round(height))), interpolation=cv2.INTER_AREA)


def ruler(shape: Shape, rng: np.random.Generator) -> Laid:
    """A ruler with short and long ticks, and numbers on most."""
    wide = rng.uniform(0.3, 1.3) * max(shape)
    tall = between(rng, 0.05, 0.16) * max(shape) + 6
    body, grey = _greys(rng, light=rng.uniform() < 0.8)
    face, unclear = np.full((int(tall), int(wide)), body, np.float32), np.zeros((int(tall), int(wide)), np.uint8)
    step = between(rng, 3, 12)
    long, width = rng.uniform(0.25, 0.5) * tall, max(1, round(step * rng.uniform(0.1, 0.45)))
    numbered, typeface = rng.uniform() < 0.7, int(rng.integers(1 << 30))
    for i, x in enumerate(np.arange(step, wide - 1, step)):
        length = long * (1 if i % 10 == 0 else 0.75 if i % 5 == 0 else 0.5)
        cv2.line(face, (round(16 * x), 0), (round(16 * x), round(16 * length)), grey, width, cv2.LINE_AA, 4)
        if numbered and i % 10 == 0:
            _stamp(face, unclear, _print(str(i // 10), 0.6 * tall, typeface), x - 0.25 * tall, 0.8 * long, grey)
    if rng.uniform() < 0.5:
        cv2.rectangle(face, (0, 0), (face.shape[1] - 1, face.shape[0] - 1), grey, 1)
    return _placed(face, unclear, shape, rng)


def display(shape: Shape, rng: np.random.Generator) -> Laid:
    """A display of seven segments, as of a clock, a calculator or a scale, in its case."""
    height = between(rng, 0.04, 0.2) * max(shape) + 8
    count, width, gap = int(rng.integers(1, 8)), 0.55 * height, 0.3 * height
    size = int(1.8 * height), int(count * (width + gap) + 1.2 * height)
    body, grey = _greys(rng, light=rng.uniform() < 0.6)
    face, unclear = np.full(size, body, np.float32), np.zeros(size, np.uint8)
    style = int(rng.integers(1 << 30))
    for i, digit in enumerate(rng.integers(0, 10, count).tolist()):
        ink = segment_digit(digit, np.random.default_rng(style))
        ink = cv2.resize(ink, (max(2, round(ink.shape[1] * height / ink.shape[0])), round(height)))
        x = 0.6 * height + i * (width + gap) + width - ink.shape[1]
        _stamp(face, unclear, ink, x, 0.4 * height, grey)
    if rng.uniform() < 0.7:
        edge = round(0.2 * height)
        face = np.pad(face, edge, constant_values=rng.uniform(10, 120))
        unclear = np.pad(unclear, edge)
    return _placed(face, unclear, shape, rng)


def keys(shape: Shape, rng: np.random.Generator) -> Laid:
    """Some keys of a keyboard or a calculator, or tiles of a game, with or without print."""
    side = between(rng, 0.03, 0.12) * max(shape) + 6
    across, down = int(rng.integers(1, 9)), int(rng.integers(1, 6))
    gap, pad = rng.uniform(0.08, 0.4) * side, 0.3 * side
    size = int(down * (side + gap) + 2 * pad), int(across * (side + gap) + 2 * pad)
    body, grey = _greys(rng, light=rng.uniform() < 0.5)
    face, unclear = np.full(size, rng.uniform(10, 230), np.float32), np.zeros(size, np.uint8)
    blank, typeface = rng.uniform() < 0.25, int(rng.integers(1 << 30))
    for row in range(down):
        for column in range(across):
            x, y = pad + column * (side + gap), pad + row * (side + gap)
            cv2.rectangle(face, (round(x), round(y)), (round(x + side), round(y + side)), body, -1)
            if not blank:
                ink = _print(KEYS[int(rng.integers(len(KEYS)))], 0.85 * side, typeface)
                _stamp(face, unclear, ink, x + 0.5 * side - 0.5 * ink.shape[1], y + 0.08 * side, grey)
    return _placed(face, unclear, shape, rng)


def die(shape: Shape, rng: np.random.Generator) -> Laid:
    """A die or a domino with pips."""
    side = int(between(rng, 0.05, 0.18) * max(shape) + 8)
    halves = int(rng.integers(1, 3))
    body, grey = _greys(rng, light=rng.uniform() < 0.7)
    face = np.full((side, side * halves), body, np.float32)
    for half in range(halves):
        for place in rng.choice(9, int(rng.integers(1, 7)), replace=False):
            x, y = side * (half + 0.22 + 0.28 * (place % 3)), side * (0.22 + 0.28 * (place // 3))
            cv2.circle(face, (round(x), round(y)), max(1, round(0.1 * side)), grey, -1, cv2.LINE_AA)
    return _placed(face, np.zeros(face.shape, np.uint8), shape, rng)
