"""Frame -> Reading: clean, segment, normalise, classify, reject. The heart, and the public API."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.model.classifier import Model
from edge.reading.candidates import Candidate, Classifier
from edge.reading.passes import CLUTTER, Passes, PassResult, turned_back
from edge.system.closing import Closing
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Digit, Frame, Glyph, Pixels, Reading, Reason
from edge.vision.clean import Cleaned
from edge.vision.settings import VisionSettings

MIN_CONFIDENCE = 0.6
"""A mark whose best class is less probable is not read."""


class Analysis(NamedTuple):
    """All stages of one reading, for those who want to see why."""

    reading: Reading
    seen: PassResult
    """The look that read best, perhaps of the picture turned by a quarter."""
    glyphs: tuple[Glyph, ...]
    """Each candidate as the model saw it, and where it stands in the frame."""
    labels: tuple[str, ...]
    """What the model's classes are called."""
    stages: dict[str, float]
    """Seconds each stage took: ``clean``, ``segment``, ``normalise``, ``invoke``, ``decide``, as far as it came."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All that may be a digit, in reading order."""
        return self.seen.candidates

    @property
    def kept(self) -> tuple[bool, ...]:
        """Which candidates were read as digits."""
        return self.seen.kept

    @property
    def cleaned(self) -> Cleaned:
        """The ink that was read."""
        return self.seen.cleaned

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """(candidates, classes)."""
        return np.array([candidate.probabilities for candidate in self.candidates], np.float32)


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
        vision: VisionSettings | None = None,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        """Open the model once (the packaged one where none is named). Raises ModelError."""
        self.vision = vision or VisionSettings()
        self.min_confidence = min_confidence
        self._watch = Stopwatch()
        self.use(model if isinstance(model, Model) else Model(model))

    def read(self, image: Frame | Pixels | str | Path) -> Reading:
        """The digits in a Frame, in grey or BGR pixels (uint8), or in an image file. Raises ImageError."""
        return self.analyse(image).reading

    def analyse(self, image: Frame | Pixels | str | Path) -> Analysis:
        """As ``read``, with every stage that led to the reading."""
        frame = _frame(image)
        started = time.perf_counter()
        self._watch.lap()
        seen, quarters = self._passes.run(frame)
        glyphs = tuple(_glyph(candidate, seen, quarters, frame.pixels.shape) for candidate in seen.candidates)
        digits = tuple(
            Digit(candidate.digit, candidate.confidence, glyph.line, glyph.box, _of_digits(candidate, self._numbers))
            for candidate, glyph, keep in zip(seen.candidates, glyphs, seen.kept, strict=True)
            if keep and candidate.digit is not None
        )
        reading = Reading(
            source=frame.source,
            frame=frame.index,
            captured_at=frame.captured_at or datetime.now(UTC),
            digits=_renumbered(digits),
            reason=None if digits else why(seen),
            model=self.model.name,
            elapsed_ms=(time.perf_counter() - started) * 1000,
            unread=tuple(glyph.box for glyph, keep in zip(glyphs, seen.kept, strict=True) if not keep),
        )
        self._watch.lap("decide")
        return Analysis(reading, seen, glyphs, self.model.card.labels, self._watch.take())

    def use(self, model: Model) -> None:
        """Read with another model from now on. Between two readings; the one before is the caller's to close."""
        self.model, self._numbers = model, model.card.digits
        judge = Classifier(model, self.vision.interpolation, self._watch)
        self._passes = Passes(judge, self.vision, self.min_confidence, self._watch)

    def demand(self, min_confidence: float, vision: VisionSettings | None = None) -> None:
        """From now on leave unread what is less probable, 0 to 1, and clean by another ``vision``. Between readings."""
        self.min_confidence, self.vision = min_confidence, vision or self.vision
        self.use(self.model)

    def close(self) -> None:
        """Let go of the model."""
        self.model.close()


def why(seen: PassResult) -> Reason:
    """Why nothing was read."""
    if reason := seen.cleaned.reason or seen.segments.reason:
        return reason
    return "clutter" if len(seen.segments.marks) >= CLUTTER else "uncertain"


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


def _glyph(candidate: Candidate, seen: PassResult, quarters: int, shape: tuple[int, ...]) -> Glyph:
    """A candidate as the model saw it, with its box in pixels of the frame (height, width)."""
    box = Box(*(round(n / seen.cleaned.scale) for n in candidate.box))
    return Glyph(candidate.glyph, turned_back(box, quarters, shape) if quarters else box, candidate.line)


def _of_digits(candidate: Candidate, numbers: tuple[int | None, ...]) -> tuple[float, ...]:
    """What the model says of each digit, 0 to 9; ``numbers`` are what its outputs stand for."""
    shares = [0.0] * 10
    for number, probability in zip(numbers, candidate.probabilities.tolist(), strict=True):
        if number is not None:
            shares[number] += probability
    return tuple(shares)


def _renumbered(digits: tuple[Digit, ...]) -> tuple[Digit, ...]:
    """Lines numbered from 0 without gaps: a line of rejected marks is no line."""
    lines = {line: i for i, line in enumerate(sorted({digit.line for digit in digits}))}
    if all(line == i for line, i in lines.items()):
        return digits
    return tuple(replace(digit, line=lines[digit.line]) for digit in digits)
