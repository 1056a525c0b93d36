"""Candidate digits: classify ink with the model; a drawn rectangle or triangle is not a 0."""

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
"""The digit that is a plain ring."""
STROKE = 1
"""The digit that any single stroke may be read as."""


class Candidate(NamedTuple):
    """Ink that may be a digit, and what the model says of it."""

    ink: Pixels
    """(height, width) uint8: its own ink, 0 = paper, upright."""
    box: Box
    """Working pixels."""
    line: int
    """Its line of writing, from 0, top to bottom."""
    glyph: Pixels
    """(28, 28) uint8: as the model saw it."""
    probabilities: NDArray[np.float32]
    """(classes,)."""
    digit: int | None
    """The most probable class, or None where that is no digit, or where a rectangle or triangle was taken for a 0."""
    confidence: float
    """Probability of the most probable class, 0 to 1."""

    def __eq__(self, other: object) -> bool:
        # Arrays compare element by element.
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def digit_confidence(self) -> float:
        """``confidence`` where the candidate is a digit, else 0."""
        return 0.0 if self.digit is None else self.confidence


class Classifier:
    """Normalises ink and classifies it with the model."""

    def __init__(self, model: Model, interpolation: Interpolation, watch: Stopwatch) -> None:
        """``watch`` gets the stages ``normalise``, which includes cropping the marks before it, and ``invoke``."""
        self.model, self.interpolation, self.watch = model, interpolation, watch
        self._digits = model.card.digits

    def __call__(self, inks: Sequence[Pixels], boxes: Sequence[Box], lines: Sequence[int]) -> list[Candidate]:
        """Inks (height, width) uint8 of single marks, their boxes and lines -> a candidate of each."""
        if not inks:
            return []
        glyphs = np.array([normalise(ink, self.interpolation) for ink in inks])
        self.watch.lap("normalise")
        probabilities = self.model.predict(glyphs)
        self.watch.lap("invoke")
        digits, best = self._digits, probabilities.argmax(axis=1).tolist()
        return [
            Candidate(ink, box, line, glyph, row, _unless_polygon(digits[i], glyph), row.item(i))
            for ink, box, line, glyph, row, i in zip(inks, boxes, lines, glyphs, probabilities, best, strict=True)
        ]


def _unless_polygon(digit: int | None, glyph: Pixels) -> int | None:
    """The digit; None for a 0 that is a rectangle or a triangle."""
    return None if digit == RING and is_polygon(glyph) else digit


def mean_digit_confidence(candidates: Sequence[Candidate]) -> float:
    """How much candidates look like digits, 0 to 1: the mean of their digit confidence."""
    return sum(candidate.digit_confidence for candidate in candidates) / max(len(candidates), 1)
