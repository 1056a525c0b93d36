"""What may be a digit, and what the model says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.model.classifier import Model
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Pixels
from edge.vision.normalise import normalise
from edge.vision.polygons import is_polygon
from edge.vision.settings import Interpolation

RING = 0
"""The digit that is a ring and nothing else, and"""
STROKE = 1
"""the one that any stroke may be."""


class Candidate(NamedTuple):
    """Ink that may be a digit, judged."""

    ink: Pixels
    """(height, width) uint8: its own ink, 0 = paper, upright."""
    box: Box
    """Working pixels."""
    line: int
    glyph: Pixels
    """(28, 28) uint8: as the model saw it."""
    probabilities: NDArray[np.float32]
    """(classes,)."""
    digit: int | None
    """The most probable class, where it is a digit: a box or a triangle is no 0."""
    confidence: float
    """Its probability, 0 to 1."""

    def __eq__(self, other: object) -> bool:
        # Arrays have no one answer.
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def surety(self) -> float:
        """How much it looks like a digit, 0 to 1."""
        return 0.0 if self.digit is None else self.confidence


class Classifier:
    """Asks the model."""

    def __init__(self, model: Model, interpolation: Interpolation, watch: Stopwatch) -> None:
        """``watch`` is told of the stages ``normalise``, with cutting marks out before it, and ``invoke``."""
        self.model, self.interpolation, self.watch = model, interpolation, watch
        self._digits = model.card.digits

    def __call__(self, inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        """Inks (height, width) uint8 of single marks, their boxes and lines -> what the model says of each."""
        if not inks:
            return []
        glyphs = np.array([normalise(ink, self.interpolation) for ink in inks])
        self.watch.lap("normalise")
        probabilities = self.model.predict(glyphs)
        self.watch.lap("invoke")
        digits, best = self._digits, probabilities.argmax(axis=1).tolist()
        return [
            Candidate(ink, box, line, glyph, row, _drawn(digits[i], glyph), row.item(i))
            for ink, box, line, glyph, row, i in zip(inks, boxes, lines, glyphs, probabilities, best, strict=True)
        ]


def _drawn(digit: int | None, glyph: Pixels) -> int | None:
    """The digit, where it is one: a box or a triangle is no 0."""
    return None if digit == RING and is_polygon(glyph) else digit


def likeness(candidates: Sequence[Candidate]) -> float:
    """How much candidates look like digits, 0 to 1: the mean of their surety."""
    return sum(candidate.surety for candidate in candidates) / max(len(candidates), 1)
