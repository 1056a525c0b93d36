"""Pen marks that are not writing: scribbles, hatching, spirals, frames, dashes, crossings, blots.

Left out is everything that may be a digit: a single line near the vertical (1), a plain ring (0), and short simple
strokes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.augment import rotated
from edge.handwriting import rendering
from edge.handwriting.rendering import Stroke
from edge.types import Pixels

SIDE = 64
"""Width of a scribble's picture, and its greatest height, pixels."""

Points = NDArray[np.float64]
"""Points (n, 2), x and y, in any unit."""


def scribble(rng: np.random.Generator) -> Pixels:
    """One mark of a random kind: ink uint8, 0 = none, 255 = full."""
    if rng.uniform() < 0.15:
        return blot(rng)
    kind = KINDS[int(rng.choice(len(KINDS), p=_SHARES))]
    drawn = rotated(kind(rng), float(rng.uniform(0, np.pi)) if kind in _ANY_ANGLE else float(rng.normal(0, 0.12)))
    height = SIDE if rng.uniform() < 0.6 else int(rng.integers(SIDE // 3, SIDE))
    return rendering.render(drawn, height, SIDE, float(rng.uniform(2, 6)))


def tangle(rng: np.random.Generator) -> list[Stroke]:
    """One long stroke through many random points, or several shorter ones that cross."""
    if rng.uniform() < 0.5:
        return [_through(rng.uniform(0, 1, (int(rng.integers(9, 20)), 2)), rng)]
    points = [rng.uniform(0, 1, (int(rng.integers(2, 6)), 2)) for _ in range(int(rng.integers(4, 9)))]
    return [_through(some, rng) for some in points]


def zigzag(rng: np.random.Generator) -> list[Stroke]:
    """A zigzag of at least six lines, regular or not."""
    turns = int(rng.integers(7, 16))
    x = np.linspace(0, rng.uniform(0.5, 3), turns) + rng.normal(0, 0.03, turns)
    y = np.arange(turns) % 2 + rng.normal(0, rng.uniform(0, 0.2), turns)
    return [_through(np.stack([x, y], axis=1), rng)]


def spiral(rng: np.random.Generator) -> list[Stroke]:
    """A spiral of at least two turns, or a row of at least four loops."""
    turns = rng.uniform(2.2, 5)
    angle = np.linspace(0, 2 * np.pi * turns, 90) * rng.choice([-1, 1]) + rng.uniform(0, 7)
    if rng.uniform() < 0.5:
        radius = np.linspace(rng.uniform(0, 0.2), 1, 90) ** rng.uniform(0.7, 1.5)
        return _strokes([np.cos(angle) * radius * rng.uniform(0.7, 1.4), np.sin(angle) * radius])
    angle *= 5 / turns
    along = np.linspace(0, rng.uniform(2, 9), 90)
    return _strokes([np.cos(angle) + along, np.sin(angle) * rng.uniform(0.5, 1.5)])


def hatching(rng: np.random.Generator) -> list[Stroke]:
    """Four to nine parallel lines, some crossed by others."""

    def lines() -> list[Stroke]:
        at = np.sort(rng.uniform(0, 1, count)) if rng.uniform() < 0.3 else np.linspace(0, 1, count)
        ends = rng.normal(0, rng.uniform(0, 0.12), (count, 2)) + [0, 1]
        return [
            np.array([[x, a], [x + rng.normal(0, 0.04), b]], np.float32) for x, (a, b) in zip(at, ends, strict=True)
        ]

    count = int(rng.integers(4, 10))
    first = lines()
    return first + rotated(lines(), np.pi / 2 + rng.normal(0, 0.2)) if rng.uniform() < 0.4 else first


def frame(rng: np.random.Generator) -> list[Stroke]:
    """A box, a triangle or another polygon, with a cross in it or over it, or a smaller one inside."""
    corners = int(rng.choice([3, 4, 4, 4, 5, 6]))
    angle = np.arange(corners + 1) * 2 * np.pi / corners + np.pi / (4 if corners == 4 else 2)
    outline = np.stack([np.cos(angle) * rng.uniform(0.8, 1.8), np.sin(angle)], axis=1)
    outline[:-1] += rng.normal(0, 0.08, (corners, 2))
    outline[-1] = outline[0]
    parts: list[Points] = [outline]
    # A box alone, or with a slash, may be somebody's zero; a triangle cannot be one.
    extra = rng.choice([0, 2, 3, 4]) if corners == 3 else rng.integers(2, 5)
    if extra == 2:
        parts += [outline[[0, corners // 2]], outline[[1, corners // 2 + 1]]]
    if extra == 3:
        parts += [outline * rng.uniform(0.3, 0.7)]
    if extra == 4:
        parts += [np.array([[-1.6, 0], [1.6, rng.normal(0, 0.2)]]), np.array([[0.2, -1.3], [rng.normal(0, 0.2), 1.4]])]
    return [part.astype(np.float32) for part in parts]


def wheel(rng: np.random.Generator) -> list[Stroke]:
    """A circle with spokes, a smaller circle or lines in it."""
    around = np.linspace(0, 2 * np.pi, 40)
    circle = np.stack([np.cos(around), np.sin(around)], axis=1) + rng.normal(0, 0.02, (40, 2))
    parts: list[Points] = [circle * [rng.uniform(0.8, 1.5), 1]]
    within = rng.integers(3)
    if within == 0:
        start, spokes = rng.uniform(0, 3), int(rng.integers(3, 7))
        for angle in start + np.arange(spokes) * 2 * np.pi / spokes:
            parts.append(np.array([[0, 0], [np.cos(angle), np.sin(angle)]]) * rng.uniform(0.9, 1.1))
    elif within == 1:
        parts += [circle * rng.uniform(0.25, 0.55) + rng.normal(0, 0.08, 2)]
    else:
        parts += [np.array([[-1.1, h], [1.1, h]]) for h in (-0.5, 0, 0.5)]
    return [part.astype(np.float32) for part in parts]


def dash(rng: np.random.Generator) -> list[Stroke]:
    """One long line, within 28 degrees of the horizontal, straight or slightly bent; some are doubled or broken."""
    slope = np.tan(np.radians(rng.uniform(-28, 28)))
    x = np.linspace(0, 1, 6)
    y = slope * x + rng.uniform(-0.12, 0.12) * np.sin(np.pi * x) + rng.normal(0, 0.01, 6)
    line = np.stack([x, y], axis=1)
    more = rng.uniform()
    if more < 0.2:
        return _strokes([x, y]) + _strokes([x + rng.normal(0, 0.1), y + rng.uniform(0.15, 0.4)])
    return [line[:3].astype(np.float32), (line[3:] + [0.1, 0]).astype(np.float32)] if more < 0.3 else _strokes([x, y])


def wave(rng: np.random.Generator) -> list[Stroke]:
    """A flat wavy line, as used to underline a word."""
    x = np.linspace(0, 1, 60)
    waves, high = rng.uniform(1.5, 5), rng.uniform(0.04, 0.2)
    return _strokes([x, high * np.sin(2 * np.pi * waves * x + rng.uniform(0, 7)) + rng.normal(0, 0.1) * x])


def crossing(rng: np.random.Generator) -> list[Stroke]:
    """Two to four lines through one point: a plus, a cross or a star."""
    count = int(rng.integers(2, 5))
    angles = np.pi / 4 * rng.integers(0, 2) + np.arange(count) * np.pi / count + rng.normal(0, 0.1, count)
    ends = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [np.stack([-end * rng.uniform(0.7, 1.1), end]).astype(np.float32) for end in ends]


def dots(rng: np.random.Generator) -> list[Stroke]:
    """Four to twelve dots or short strokes, scattered or in a row."""
    places = rng.uniform(0, 1, (int(rng.integers(4, 13)), 2)) * [1, rng.choice([0.1, 1.0])]
    lengths = rng.normal(0, rng.choice([0.01, 0.08]), places.shape)
    return [np.stack([a, a + b]).astype(np.float32) for a, b in zip(places, lengths, strict=True)]


def blot(rng: np.random.Generator) -> Pixels:
    """A filled blot with a wavy or jagged edge, some with splashes: ink (SIDE, SIDE) uint8, 0 = none, 255 = full."""
    ink = np.zeros((SIDE, SIDE), np.uint8)
    knots = int(rng.integers(5, 24))
    angle = np.linspace(0, 2 * np.pi, knots, endpoint=False)
    radius = rng.uniform(rng.uniform(0.35, 0.8), 1, knots) * SIDE * 0.4
    edge = np.stack([np.cos(angle) * radius * rng.uniform(0.75, 1.1), np.sin(angle) * radius], axis=1) + SIDE / 2
    if rng.uniform() < 0.6:
        edge = rendering.curve(np.concatenate([edge, edge[:1]]))
    cv2.fillPoly(ink, [np.round(edge).astype(np.int32)], 255, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 6)) if rng.uniform() < 0.5 else 0):
        x, y = rng.integers(6, SIDE - 6, 2).tolist()
        cv2.circle(ink, (x, y), int(rng.integers(2, 7)), int(rng.choice([0, 255, 255])), -1, cv2.LINE_AA)
    return ink


def heart(rng: np.random.Generator) -> list[Stroke]:
    """A heart with a clear dent at the top."""
    t = np.linspace(0, 2 * np.pi, 60)
    x = 16 * np.sin(t) ** 3 * rng.uniform(0.8, 1.2)
    y = -(13 * np.cos(t) - rng.uniform(5, 8) * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return _strokes([x / 32, y / 32])


KINDS = (tangle, zigzag, spiral, hatching, frame, wheel, dash, wave, crossing, dots, heart)
"""Every kind that is drawn with strokes. Their unit does not matter: they are scaled to the picture."""
_SHARES = np.array([5, 3, 3, 4, 6, 3, 4, 2, 2, 2, 1]) / 35
"""Share of each of KINDS; they add up to 1."""
_ANY_ANGLE = (tangle, hatching, zigzag)
"""The kinds that are drawn at any angle; the others stay nearly upright."""


def _through(points: Points, rng: np.random.Generator) -> Stroke:
    """A stroke through the points, smooth or with corners."""
    return (rendering.curve(points) if rng.uniform() < 0.6 else points).astype(np.float32)


def _strokes(axes: list[Points]) -> list[Stroke]:
    return [np.stack(axes, axis=1).astype(np.float32)]
