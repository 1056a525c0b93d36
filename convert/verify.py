"""Float against quantised: what the Keras model and the .tflite, run as on the Pi, make of the test images."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from convert.datasets import Labels
from edge.card import NONE
from edge.model import Model, probabilities
from edge.types import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What quantising cost, and what it gained."""

    images: int
    """How many test images were read."""
    correct_float: int
    """How many of them the Keras model reads right: its most probable digit counts, whatever else it knows."""
    correct: int
    """How many of them the quantised model reads right."""
    rejected: float | None = None
    """Share of them that the quantised model takes for no digit, 0 to 1; None for a model that knows only digits."""
    agreement: float
    """Share of them that both read as the same digit, 0 to 1."""
    drift_mean: float
    """By how much the confidence in the Keras model's digit changes, on average, 0 to 1."""
    drift_worst: float
    """The same, for the worst image."""
    size_bytes: int
    """The quantised model, without its card."""
    microseconds: float
    """One inference on this machine, one thread, from glyph to probabilities: the median."""

    @property
    def accuracy_float(self) -> float:
        """Share that the Keras model reads right, 0 to 1."""
        return self.correct_float / self.images

    @property
    def accuracy(self) -> float:
        """Share that the quantised model reads right, 0 to 1."""
        return self.correct / self.images

    @property
    def drop(self) -> float:
        """Accuracy lost, in percentage points; below 0 where some was gained."""
        return 100 * (self.correct_float - self.correct) / self.images


def verify(outputs: NDArray[np.float32], quantised: Model, glyphs: Pixels, labels: Labels, size_bytes: int) -> Verdict:
    """Run the quantised model on glyphs (n, 28, 28), one by one as on the Pi, against the Keras model's answers.

    ``outputs`` is what the Keras model gave for the same glyphs, (n, classes).
    """
    expected = probabilities(outputs, quantised.card.output, quantised.card.temperature)
    found = np.empty_like(expected)
    nanoseconds = np.empty(len(glyphs))
    for i in range(len(glyphs)):
        start = perf_counter_ns()
        found[i] = quantised.predict(glyphs[i : i + 1])[0]
        nanoseconds[i] = perf_counter_ns() - start
    wanted = expected.argmax(axis=1)
    rows = np.arange(len(glyphs))
    names = quantised.card.labels
    digits = [i for i, digit in enumerate(quantised.card.digits) if digit is not None]
    drift = np.abs(found[rows, wanted] - expected[rows, wanted])
    return Verdict(
        images=len(glyphs),
        correct_float=int((expected[:, digits].argmax(axis=1) == labels).sum()),
        correct=int((found[:, digits].argmax(axis=1) == labels).sum()),
        rejected=float((found.argmax(axis=1) == names.index(NONE)).mean()) if NONE in names else None,
        agreement=float((found.argmax(axis=1) == wanted).mean()),
        drift_mean=float(drift.mean()),
        drift_worst=float(drift.max()),
        size_bytes=size_bytes,
        microseconds=float(np.median(nanoseconds)) / 1000,
    )
