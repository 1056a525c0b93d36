"""Compare the Keras model with the .tflite, which is run as on the Pi, on the same glyphs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import Labels
from convert.evaluation.accuracy import answered, likeliest_digit, taken_for_no_digit
from edge.model.classifier import Model
from edge.types import Pixels

TIMED_INFERENCES = 300
"""Number of inferences that are timed. Chosen: enough for a stable median."""
MAX_TIMING_SECONDS = 0.5
"""Timing ends after this many seconds, even if fewer inferences were done: a slow model must not delay a conversion."""
WARM_UP_INFERENCES = 5
"""Number of inferences before those that are timed: the first ones are slower."""
GLYPHS_AT_ONCE = 100
"""Number of glyphs that become input at the same time."""
INTERPRETERS = 2
"""Number of interpreters that share the glyphs, each on its own thread: inference releases Python's global lock."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The answers of the Keras model and of the .tflite file for the same glyphs."""

    labels: Labels
    """The digits written, (n,), 0 to 9."""
    keras: NDArray[np.float32]
    """The Keras model's probabilities, (n, classes)."""
    tflite: NDArray[np.float32]
    """The file's probabilities, (n, classes)."""
    classes: tuple[str, ...]
    """The label of each class: 0 to 9, and what is not a digit, such as minus or none."""

    @property
    def images(self) -> int:
        """Number of glyphs."""
        return len(self.labels)

    @cached_property
    def read_float(self) -> NDArray[np.int64]:
        """The likeliest digit by the Keras model, (n,), 0 to 9; other classes, such as none, are left out."""
        return likeliest_digit(self.keras, self.classes)

    @cached_property
    def read(self) -> NDArray[np.int64]:
        """The likeliest digit by the file, (n,), 0 to 9; other classes are left out."""
        return likeliest_digit(self.tflite, self.classes)

    @property
    def correct_float(self) -> int:
        """How many glyphs the Keras model reads correctly."""
        return int((self.read_float == self.labels).sum())

    @property
    def correct(self) -> int:
        """How many glyphs the file reads correctly."""
        return int((self.read == self.labels).sum())

    @property
    def accuracy_float(self) -> float:
        """Share that the Keras model reads correctly, 0 to 1."""
        return self.correct_float / self.images

    @property
    def accuracy(self) -> float:
        """Share that the file reads correctly, 0 to 1."""
        return self.correct / self.images

    @property
    def drop(self) -> float:
        """Accuracy lost, in percentage points; negative if some was gained."""
        return 100 * (self.correct_float - self.correct) / self.images

    @property
    def agreement(self) -> float:
        """Share for which both give the same answer: the most probable of all classes. 0 to 1."""
        return float((self.keras.argmax(axis=1) == self.tflite.argmax(axis=1)).mean())

    @cached_property
    def answered_float(self) -> float:
        """Share for which the Keras model's answer is the digit written, no digit counted as wrong; 0 to 1."""
        return answered(self.keras, self.classes, self.labels)

    @cached_property
    def answered(self) -> float:
        """The same of the file's answers."""
        return answered(self.tflite, self.classes, self.labels)

    @property
    def taken_for_no_digit(self) -> float | None:
        """Share that the file takes for no digit, 0 to 1; None for a model of digits alone."""
        return taken_for_no_digit(self.tflite, self.classes)

    @cached_property
    def drift(self) -> NDArray[np.float32]:
        """How much the confidence in the Keras model's answer changed, (n,), 0 to 1."""
        rows, answers = np.arange(self.images), self.keras.argmax(axis=1)
        return np.abs(self.tflite[rows, answers] - self.keras[rows, answers])

    def by_digit(self) -> list[tuple[int, int, int, int]]:
        """(digit, number of glyphs, correct by the Keras model, correct by the file) for each digit that occurs."""
        return [
            (digit, int(of.sum()), int((self.read_float[of] == digit).sum()), int((self.read[of] == digit).sum()))
            for digit in range(10)
            if (of := self.labels == digit).any()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Times of one inference on this machine, one thread, from glyph to probabilities, in microseconds."""

    p50: float
    """Median."""
    p95: float
    """95th percentile."""


def confusion(read: NDArray[np.int64], labels: Labels) -> NDArray[np.int64]:
    """The confusion matrix (10, 10): a row for each digit written, a column for each digit read."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, read), 1)
    return counts


def wilson(right: int, images: int) -> tuple[float, float]:
    """The 95 % confidence interval, two numbers 0 to 1, of the share of ``right`` among ``images``.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    z = 1.959964
    share = right / images
    middle = share + z * z / (2 * images)
    half = z * (share * (1 - share) / images + z * z / (4 * images * images)) ** 0.5
    scale = 1 + z * z / images
    # After rounding, the share itself must still be inside.
    return max(0.0, min(share, (middle - half) / scale)), min(1.0, max(share, (middle + half) / scale))


def predict(open_model: Callable[[], Model], glyphs: Pixels) -> NDArray[np.float32]:
    """The file's probabilities, (n, classes) float32, for glyphs (n, 28, 28), each run alone as on the Pi."""
    with ExitStack() as models, ThreadPoolExecutor(INTERPRETERS) as pool:
        each = [models.enter_context(open_model()) for _ in range(INTERPRETERS)]
        parts = pool.map(_in_turn, each, np.array_split(glyphs, INTERPRETERS))
        return np.concatenate(list(parts))


def _in_turn(model: Model, glyphs: Pixels) -> NDArray[np.float32]:
    # Not all at once: 10,000 inputs of 96x96 pixels in colour are a gigabyte.
    starts = range(0, max(1, len(glyphs)), GLYPHS_AT_ONCE)
    return np.concatenate([model.predict(glyphs[start : start + GLYPHS_AT_ONCE]) for start in starts])


def time(model: Model, glyphs: Pixels) -> Times:
    """How long ``model`` takes for one glyph of ``glyphs`` (n, 28, 28)."""
    taken: list[int] = []
    started = perf_counter_ns()
    for glyph in np.resize(glyphs, (WARM_UP_INFERENCES + TIMED_INFERENCES, 1, 28, 28)):
        start = perf_counter_ns()
        model.predict(glyph)
        taken.append(perf_counter_ns() - start)
        if len(taken) > 2 * WARM_UP_INFERENCES and perf_counter_ns() - started > MAX_TIMING_SECONDS * 1e9:
            break
    p50, p95 = np.percentile(taken[WARM_UP_INFERENCES:], [50, 95]) / 1000
    return Times(p50=float(p50), p95=float(p95))
