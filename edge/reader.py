"""Frame -> Reading: clean, segment, normalise, classify, reject. The heart, and the public API."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.closing import Closing
from edge.model import Model
from edge.types import Box, Digit, Frame, Glyph, Pixels, Reading, Reason
from edge.vision.clean import Cleaned, clean
from edge.vision.cut import cut, turn
from edge.vision.measure import polarity
from edge.vision.normalise import normalise
from edge.vision.recipe import Recipe
from edge.vision.segment import Mark, Segments, segment

MIN_CONFIDENCE = 0.6
"""A mark whose best class is less probable is not read."""
CLEAR_POLARITY = 4.0
"""Where one polarity fits this many times better than the other, only that one is tried."""
CLUTTER = 8
"""Where there are at least this many marks, and"""
READABLE_SHARE = 0.6
"""a smaller share of them is read, they are no digits at all: text, texture, noise."""
SOLID = 0.22
"""Where a smaller share of the ink is solid, it may be noise; then more is asked of it:"""
DOUBTFUL_CONFIDENCE = 0.85
"""of each mark, and"""
DOUBTFUL_SHARE = 0.85
"""of all of them together."""
NOTABLE_TILT = 12.0
"""Digits of lines that rise or fall by more degrees than this are also read turned upright."""


@dataclass(frozen=True, slots=True)
class Sight:
    """All stages of one reading, for those who want to see why."""

    reading: Reading
    cleaned: Cleaned
    glyphs: tuple[Glyph, ...]
    """All candidates, in reading order."""
    probabilities: NDArray[np.float32]
    """(candidates, classes)."""
    kept: tuple[bool, ...]
    """Which candidates were read as digits."""


class Reader(Closing):
    """Reads the handwritten digits in a picture.

    >>> import edge
    >>> reading = edge.Reader().read("desk.jpg")
    >>> print(reading.text)
    """

    def __init__(
        self,
        model: Model | str | Path | None = None,
        *,
        recipe: Recipe | None = None,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        """Open the model once (the packaged one where none is named). Raises ModelError."""
        self.model = model if isinstance(model, Model) else Model(model)
        self.recipe = recipe or Recipe()
        self.min_confidence = min_confidence

    def read(self, image: Frame | Pixels | str | Path) -> Reading:
        """The digits in a Frame, in grey or BGR pixels (uint8), or in an image file. Raises ImageError."""
        return self.look(image).reading

    def look(self, image: Frame | Pixels | str | Path) -> Sight:
        """As ``read``, with every stage that led to the reading."""
        frame = _frame(image)
        started = time.perf_counter()
        if self.recipe.polarity != "auto":
            sight = self._look(frame, self.recipe.polarity == "light")
        else:
            dark = polarity(frame.pixels)
            sight = self._look(frame, dark < 1)
            if 1 / CLEAR_POLARITY < dark < CLEAR_POLARITY:
                sight = max(sight, self._look(frame, dark >= 1), key=_likeness)
        elapsed = (time.perf_counter() - started) * 1000
        return replace(sight, reading=replace(sight.reading, elapsed_ms=elapsed))

    def close(self) -> None:
        """Let go of the model."""
        self.model.close()

    def _look(self, frame: Frame, light_ink: bool) -> Sight:
        cleaned = clean(frame.pixels, self.recipe, light_ink=light_ink)
        segments = segment(cleaned.mask, cleaned.sure)
        glyphs, probabilities = self._classify(cleaned, segments)
        best = probabilities.argmax(axis=1)
        doubtful = cleaned.solid < SOLID
        least = max(self.min_confidence, DOUBTFUL_CONFIDENCE) if doubtful else self.min_confidence
        kept = tuple(bool(row[i] >= least) for row, i in zip(probabilities, best, strict=True))
        if len(kept) >= CLUTTER and np.mean(kept) < (DOUBTFUL_SHARE if doubtful else READABLE_SHARE):
            kept = (False,) * len(kept)
        digits = tuple(
            Digit(int(self.model.card.labels[i]), float(row[i]), glyph.line, glyph.box)
            for glyph, row, i, keep in zip(glyphs, probabilities, best, kept, strict=True)
            if keep
        )
        reading = Reading(
            source=frame.source,
            frame=frame.index,
            captured_at=frame.captured_at or datetime.now(UTC),
            digits=_renumbered(digits),
            reason=None if digits else why(cleaned, segments),
            model=self.model.name,
            elapsed_ms=0.0,
        )
        return Sight(reading, cleaned, glyphs, probabilities, kept)

    def _classify(self, cleaned: Cleaned, segments: Segments) -> tuple[tuple[Glyph, ...], NDArray[np.float32]]:
        """Glyphs and probabilities as the marks stand or, where that reads surer, turned upright along their lines."""
        glyphs = tuple(self._glyph(cleaned, segments, mark, 0.0) for mark in segments.marks)
        probabilities = self._predict(glyphs)
        if abs(segments.tilt) > NOTABLE_TILT:
            turned = tuple(self._glyph(cleaned, segments, mark, segments.tilt) for mark in segments.marks)
            turned_probabilities = self._predict(turned)
            if turned_probabilities.max(axis=1).mean() > probabilities.max(axis=1).mean():
                return turned, turned_probabilities
        return glyphs, probabilities

    def _predict(self, glyphs: tuple[Glyph, ...]) -> NDArray[np.float32]:
        if not glyphs:
            return np.zeros((0, len(self.model.card.labels)), np.float32)
        return self.model.predict(np.stack([glyph.pixels for glyph in glyphs]))

    def _glyph(self, cleaned: Cleaned, segments: Segments, mark: Mark, degrees: float) -> Glyph:
        ink = cut(cleaned.ink, segments.labels, mark)
        if degrees:
            ink = turn(ink, degrees)
        return Glyph(normalise(ink, self.recipe.interpolation), _in_frame(mark.box, cleaned.scale), mark.line)


def why(cleaned: Cleaned, segments: Segments) -> Reason:
    """Why nothing was read."""
    if cleaned.reason or segments.reason:
        return cleaned.reason or segments.reason or "uncertain"
    if len(segments.marks) >= CLUTTER:
        return "clutter"
    return "uncertain"


def _frame(image: Frame | Pixels | str | Path) -> Frame:
    if isinstance(image, Frame):
        return image
    if isinstance(image, str | Path):
        # Whoever reads a camera's frames needs no decoder of files.
        from edge.images import load

        return Frame(load(image), str(image))
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"image has shape {image.shape} and type {image.dtype}; grey or BGR uint8 is wanted")
    return Frame(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image, "array")


def _likeness(sight: Sight) -> float:
    """How much the marks look like digits, 0 to 1: the mean of their best probabilities."""
    return float(sight.probabilities.max(axis=1).mean()) if sight.reading.digits else 0.0


def _in_frame(box: Box, scale: float) -> Box:
    """Working pixels -> pixels of the frame."""
    return Box(*(round(n / scale) for n in box))


def _renumbered(digits: tuple[Digit, ...]) -> tuple[Digit, ...]:
    """Lines numbered from 0 without gaps: a line of rejected marks is no line."""
    lines = {line: i for i, line in enumerate(sorted({digit.line for digit in digits}))}
    return tuple(replace(digit, line=lines[digit.line]) for digit in digits)
