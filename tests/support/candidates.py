"""Candidates without a picture or a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge.reading.candidates import OTHER_CLASSES, Candidate, measure
from edge.reading.evidence import Surroundings
from edge.types import Box, Pixels
from edge.vision.clean import Cleaned
from edge.vision.segment import Segments


def candidate(
    ink: Pixels | None = None,
    box: Box | None = None,
    digit: int = 7,
    share: float = 0.99,
    others: tuple[float, ...] = (0.0,) * len(OTHER_CLASSES),
    **more: Any,
) -> Candidate:
    """Ink, or a bar of 20x30 pixels, with what a model may say of it; ``more``: other fields of the Candidate.

    ``share``: that of the digit; its ``second`` has the rest, unless ``shares`` are given.
    """
    ink = np.full((30, 20), 255, np.uint8) if ink is None else ink
    height, width = ink.shape
    line, second = more.pop("line", 0), more.pop("second", (digit + 1) % 10)
    own = more.pop("shares", None) or shares({second: 1 - share, digit: share})
    return Candidate(
        ink,
        box or Box(0, 0, width, height),
        line,
        np.zeros((28, 28), np.uint8),
        np.zeros(19, np.float32),
        own,
        more.pop("judged", own),
        digit,
        second,
        others,
        more.pop("shape", None) or measure(ink),
        **more,
    )


def shares(named: Mapping[int, float]) -> tuple[float, ...]:
    """The probability of each digit: those that are named, and 0 for the rest."""
    return tuple(named.get(digit, 0.0) for digit in range(10))


def others(**named: float) -> tuple[float, ...]:
    """The probabilities of OTHER_CLASSES: those that are named, and 0 for the rest."""
    assert set(named) <= set(OTHER_CLASSES)
    return tuple(named.get(label, 0.0) for label in OTHER_CLASSES)


def around(ink: Pixels, side: float = 40.0, signal: float = 20.0) -> Surroundings:
    """A page of this ink, (height, width) uint8, with digits of this size."""
    segments = Segments(ink, (), side, (), None)
    return Surroundings(Cleaned(ink, ink, None, 1.0, "dark", signal, 5.0, True, None), segments)
