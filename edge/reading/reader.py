"""The public ``Reader``: a picture -> a Reading. Clean, segment, normalise, classify, reject."""

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
from edge.reading.passes import Passes, PassResult
from edge.reading.quarter_turns import rotate_box_back
from edge.reading.rejection import reason_for_nothing, unread_reason
from edge.system.closing import Closing
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Digit, Frame, Glyph, Pixels, Reading, Unread
from edge.vision.clean import Cleaned
from edge.vision.settings import VisionSettings

MIN_CONFIDENCE = 0.6
"""Default of the smallest probability of a digit, 0 to 1: a mark whose best class is less probable is not read."""


class Analysis(NamedTuple):
    """All stages of one reading, to see why something was or was not read."""

    reading: Reading
    best_pass: PassResult
    """The pass that read best, perhaps of the page rotated by quarter turns."""
    glyphs: tuple[Glyph, ...]
    """Each candidate as the model saw it, and where it stands in the frame; in the order of ``candidates``."""
    labels: tuple[str, ...]
    """Names of the model's classes."""
    stages: dict[str, float]
    """Seconds each stage took: ``clean``, ``segment``, ``normalise``, ``invoke``, ``decide``; a stage that was not
    reached is missing."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All that may be a digit, in reading order."""
        return self.best_pass.candidates

    @property
    def accepted(self) -> tuple[bool, ...]:
        """Which candidates were read as digits."""
        return self.best_pass.accepted

    @property
    def cleaned(self) -> Cleaned:
        """The ink that was read."""
        return self.best_pass.cleaned

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """(candidates, classes): the model's probabilities, 0 to 1."""
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
        """Open the model: a Model, a .tflite file, or None for the packaged one. Raises ModelError.

        ``vision``: how pictures are cleaned; ``min_confidence``: less probable digits are left unread, 0 to 1.
        """
        self.vision = vision or VisionSettings()
        self.min_confidence = min_confidence
        self._watch = Stopwatch()
        self.use_model(model if isinstance(model, Model) else Model(model))

    def read(self, image: Frame | Pixels | str | Path) -> Reading:
        """The digits in a Frame, in grey or BGR pixels (uint8), or in an image file. Raises ImageError."""
        return self.analyse(image).reading

    def analyse(self, image: Frame | Pixels | str | Path) -> Analysis:
        """As ``read``, with all stages of the reading. Raises ImageError."""
        frame = _frame(image)
        started = time.perf_counter()
        self._watch.lap()
        seen, quarters = self._passes.run(frame)
        glyphs = tuple(_glyph(candidate, seen, quarters, frame.pixels.shape) for candidate in seen.candidates)
        digits = tuple(
            Digit(
                candidate.digit,
                candidate.confidence,
                glyph.line,
                glyph.box,
                _digit_probabilities(candidate, self._numbers),
            )
            for candidate, glyph, is_read in zip(seen.candidates, glyphs, seen.accepted, strict=True)
            if is_read and candidate.digit is not None
        )
        reading = Reading(
            source=frame.source,
            frame=frame.index,
            captured_at=frame.captured_at or datetime.now(UTC),
            digits=_renumbered(digits),
            reason=None if digits else reason_for_nothing(seen.cleaned, seen.segments),
            model=self.model.name,
            elapsed_ms=(time.perf_counter() - started) * 1000,
            unread=tuple(
                _unread(candidate, glyph.box, self._numbers, seen.cleaned.mask.shape)
                for candidate, glyph, is_read in zip(seen.candidates, glyphs, seen.accepted, strict=True)
                if not is_read
            ),
        )
        self._watch.lap("decide")
        return Analysis(reading, seen, glyphs, self.model.card.labels, self._watch.take())

    def use_model(self, model: Model) -> None:
        """Read with another model from now on. Call it between two readings; the caller closes the old model."""
        self.model, self._numbers = model, model.card.digits
        classify = Classifier(model, self.vision.interpolation, self._watch)
        self._passes = Passes(classify, self.vision, self.min_confidence, self._watch)

    def configure(self, min_confidence: float, vision: VisionSettings | None = None) -> None:
        """From now on, leave digits unread that are less probable, 0 to 1, and clean pictures by another ``vision``.

        Call it between two readings.
        """
        self.min_confidence, self.vision = min_confidence, vision or self.vision
        self.use_model(self.model)

    def close(self) -> None:
        """Close the model."""
        self.model.close()


def _frame(image: Frame | Pixels | str | Path) -> Frame:
    if isinstance(image, Frame):
        return image
    if isinstance(image, str | Path):
        # Imported here: reading a camera's frames needs no decoder of image files.
        from edge.images import load

        return Frame(load(image), str(image))
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"image has shape {image.shape} and type {image.dtype}; give grey or BGR uint8")
    return Frame(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image, "array")


def _glyph(candidate: Candidate, seen: PassResult, quarters: int, shape: tuple[int, ...]) -> Glyph:
    """A candidate as the model saw it, with its box in pixels of the frame, whose ``shape`` is (height, width)."""
    box = Box(*(round(n / seen.cleaned.scale) for n in candidate.box))
    return Glyph(candidate.glyph, rotate_box_back(box, quarters, shape) if quarters else box, candidate.line)


def _unread(candidate: Candidate, box: Box, numbers: tuple[int | None, ...], shape: tuple[int, ...]) -> Unread:
    """A candidate that is not read, whose ``box`` is in pixels of the frame; ``shape``: of the working picture."""
    reason = unread_reason(candidate, _digit_probabilities(candidate, numbers), shape)
    return Unread(box, reason, candidate.digit, candidate.digit_confidence)


def _digit_probabilities(candidate: Candidate, numbers: tuple[int | None, ...]) -> tuple[float, ...]:
    """The probability of each digit, 0 to 9; ``numbers``: the digit of each of the model's outputs, or None."""
    shares = [0.0] * 10
    for number, probability in zip(numbers, candidate.probabilities.tolist(), strict=True):
        if number is not None:
            shares[number] += probability
    return tuple(shares)


def _renumbered(digits: tuple[Digit, ...]) -> tuple[Digit, ...]:
    """The digits with their lines numbered from 0 without gaps: a line of rejected marks does not count."""
    lines = {line: i for i, line in enumerate(sorted({digit.line for digit in digits}))}
    if all(line == i for line, i in lines.items()):
        return digits
    return tuple(replace(digit, line=lines[digit.line]) for digit in digits)
