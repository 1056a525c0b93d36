"""The public ``Reader``: a picture -> a Reading. Clean, find, classify, believe, decide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.classifier import Model
from edge.reading.belief import Belief
from edge.reading.candidates import Candidate, Classifier
from edge.reading.decide import is_likely, reason_for_nothing, reason_for_unread
from edge.reading.passes import Passes, PassResult
from edge.reading.quarter_turns import rotate_box_back
from edge.system.closing import Closing
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Digit, Frame, Glyph, Pixels, Reading, Unread
from edge.vision.clean import Cleaned
from edge.vision.settings import VisionSettings
from edge.vision.statistics import median
from edge.vision.text_lines import line_tilt, reading_order

MIN_CONFIDENCE = 0.5
"""Default of the smallest belief in a digit, 0 to 1: a mark that is believed less is not read."""


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
    quarters: int = 0
    """By how many quarter turns, counter-clockwise, the frame was rotated to be read."""

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
        belief: Belief | None = None,
    ) -> None:
        """Open the model: a Model, a .tflite file, or None for the packaged one. Raises ModelError.

        ``vision``: how pictures are cleaned; ``min_confidence``: digits that are believed less are left unread,
        0 to 1.
        """
        self.vision = vision or VisionSettings()
        self.min_confidence = min_confidence
        self._watch = Stopwatch()
        self._judge: Model | None = None
        self._belief = belief or Belief()
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
        read = [i for i, is_read in enumerate(seen.accepted) if is_read]
        # Other marks do not count: they may lie between the lines. But all tell how the page is tilted.
        boxes, side = [one.box for one in seen.candidates], seen.segments.digit_side
        order = reading_order([boxes[i] for i in read], line_tilt(boxes, side), side)
        digits = tuple(
            Digit(
                seen.candidates[i].digit,
                seen.candidates[i].belief,
                line,
                glyphs[i].box,
                _digit_probabilities(seen.candidates[i]),
            )
            for i, line in ((read[place], line) for place, line in order)
        )
        reading = Reading(
            source=frame.source,
            frame=frame.index,
            captured_at=frame.captured_at or datetime.now(UTC),
            digits=digits,
            reason=None if digits else reason_for_nothing(seen.cleaned, seen.segments),
            model=self.model.name,
            elapsed_ms=(time.perf_counter() - started) * 1000,
            unread=_unread(seen, glyphs),
        )
        self._watch.lap("decide")
        return Analysis(reading, seen, glyphs, self.model.card.labels, self._watch.take(), quarters)

    def use_model(self, model: Model) -> None:
        """Read with another model from now on. Call it between two readings; the caller closes the old model.

        Raises ModelError if the model knows no digit.
        """
        if set(model.card.digits) <= {None}:
            raise ModelError(
                f"{model.path}: none of its labels is a digit; convert the model again with its own labels"
            )
        self.model = model
        # Most models know nothing but digits: the packaged one says what is no digit.
        if None in model.card.digits:
            self._judge = None
        elif self._judge is None:
            self._judge = Model()
        classify = Classifier(model, self.vision.interpolation, self._watch, self._judge)
        self._passes = Passes(classify, self.vision, self._belief, self.min_confidence, self._watch)

    def configure(self, min_confidence: float, vision: VisionSettings | None = None) -> None:
        """From now on, leave digits unread that are believed less, 0 to 1, and clean pictures by another ``vision``.

        Call it between two readings.
        """
        self.min_confidence, self.vision = min_confidence, vision or self.vision
        self.use_model(self.model)

    def close(self) -> None:
        """Close the model and the belief."""
        for opened in (self.model, self._belief, self._judge):
            if opened:
                opened.close()


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
    x, y, width, height = (round(n / seen.cleaned.scale) for n in candidate.box)
    box = Box(x, y, max(1, width), max(1, height))
    return Glyph(candidate.glyph, rotate_box_back(box, quarters, shape) if quarters else box, candidate.line)


def _unread(seen: PassResult, glyphs: Sequence[Glyph]) -> tuple[Unread, ...]:
    """What is not read, and why."""
    if all(seen.accepted):
        return ()
    levels = [one.shape.level for one, is_read in zip(seen.candidates, seen.accepted, strict=True) if is_read]
    usual = median(levels) if levels else 0.0
    return tuple(
        Unread(
            glyph.box,
            reason_for_unread(one, seen.candidates, seen.around, usual),
            one.digit if is_likely(one) else None,
            one.belief if is_likely(one) else 0.0,
        )
        for one, glyph, is_read in zip(seen.candidates, glyphs, seen.accepted, strict=True)
        if not is_read
    )


def _digit_probabilities(candidate: Candidate) -> tuple[float, ...]:
    """The probability of each digit, 0 to 9: that of the candidate's own is the belief in it.

    The others have what the model gives them beside it, together at most what is left, and none more than its own.
    """
    own, total, most = candidate.shares[candidate.digit], sum(candidate.shares), max(candidate.shares)
    others = min(candidate.belief / max(most, 1e-6), (1 - candidate.belief) / max(total - own, 1e-6))
    shares = [others * share for share in candidate.shares]
    shares[candidate.digit] = candidate.belief
    return tuple(shares)
