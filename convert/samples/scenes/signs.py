"""Signs as people draw them, where no set of strokes has them: division, equals, arrows, ticks, bullets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from convert.data.marks import Stroke

Sign = Callable[[np.random.Generator], list[Stroke]]
"""Its strokes, in any unit."""


def _shaken(strokes: list[list[tuple[float, float]]], rng: np.random.Generator, shake: float = 0.06) -> list[Stroke]:
    return [(np.array(stroke) + rng.normal(0, shake, (len(stroke), 2))).astype(np.float32) for stroke in strokes]


def _times(rng: np.random.Generator) -> list[Stroke]:
    return _shaken([[(0, 0), (1, 1)], [(1, 0), (0, 1)]], rng, 0.08)


def _division(rng: np.random.Generator) -> list[Stroke]:
    """A line between two dots; some people draw the dots as small rings or dashes."""
    far, kind = rng.uniform(0.25, 0.5), rng.uniform()
    strokes = _shaken([[(0, 0), (1, 0)]], rng, 0.05)
    for side in (-1, 1):
        middle = np.array([0.5, side * far]) + rng.normal(0, 0.05, 2)
        if kind < 0.6:
            dot = middle[None]
        elif kind < 0.8:
            turns = np.linspace(0, 2 * np.pi, 10)
            dot = middle + rng.uniform(0.03, 0.1) * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        else:
            dot = middle + np.outer([-1, 1], rng.normal(0, 0.06, 2))
        strokes.append(dot.astype(np.float32))
    return strokes


def _equals(rng: np.random.Generator) -> list[Stroke]:
    """Two lines, which some people join without lifting the pen."""
    apart = rng.uniform(0.25, 0.6)
    if rng.uniform() < 0.3:
        return _shaken([[(0, 0), (1, 0), (0, apart), (1, apart)]], rng, 0.05)
    return _shaken([[(0, 0), (1, 0)], [(0, apart), (1, apart)]], rng, 0.06)


def _arrow(rng: np.random.Generator) -> list[Stroke]:
    head = rng.uniform(0.15, 0.35)
    way = rng.choice([-1, 1]) if rng.uniform() < 0.3 else 1
    strokes = _shaken([[(0, 0), (1, 0)], [(1 - head, -head), (1, 0), (1 - head, head)]], rng, 0.03)
    return [stroke * np.array([way, 1], np.float32) for stroke in strokes]


def _tick(rng: np.random.Generator) -> list[Stroke]:
    return _shaken([[(0, rng.uniform(0.4, 0.8)), (rng.uniform(0.2, 0.4), 1), (1, 0)]], rng)


def _bullet(rng: np.random.Generator) -> list[Stroke]:
    turns = np.linspace(0, 2 * np.pi, 12)
    size = rng.choice([0.3, 0.6, 1])
    spiral = np.linspace(size, 1, 12)[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return [spiral.astype(np.float32)]


DRAWN: Mapping[str, Sign] = {
    "×": _times,
    "÷": _division,
    "=": _equals,
    "→": _arrow,
    "✓": _tick,
    "•": _bullet,
}
"""How each sign is drawn."""
