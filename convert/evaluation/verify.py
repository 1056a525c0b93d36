"""Keras against TFLite: what the model and the file, run as on the Pi, make of the same glyphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import Labels
from edge.model.card import NONE
from edge.model.classifier import Model
from edge.types import Pixels

TIMED = 300
"""So many inferences are timed,"""
LONGEST = 0.5
"""in so many seconds at most;"""
WARM = 5
"""so many before them are not."""
WORKERS = 2
"""So many interpreters share the glyphs; inference leaves Python's lock alone."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the Keras model and the file made of the same glyphs."""

    labels: Labels
    """What the glyphs are, (n,), 0 to 9."""
    expected: NDArray[np.float32]
    """The Keras model's probabilities, (n, classes)."""
    found: NDArray[np.float32]
    """The file's, (n, classes)."""
    classes: tuple[str, ...]
    """What the classes stand for."""

    @property
    def images(self) -> int:
        """How many glyphs."""
        return len(self.labels)

    @cached_property
    def read_float(self) -> NDArray[np.int64]:
        """The most probable digit by the Keras model, (n,), whatever else it knows."""
        return most_probable(self.expected, self.classes)

    @cached_property
    def read(self) -> NDArray[np.int64]:
        """The most probable digit by the file, (n,)."""
        return most_probable(self.found, self.classes)

    @property
    def correct_float(self) -> int:
        """How many the Keras model reads right."""
        return int((self.read_float == self.labels).sum())

    @property
    def correct(self) -> int:
        """How many the file reads right."""
        return int((self.read == self.labels).sum())

    @property
    def accuracy_float(self) -> float:
        """Share that the Keras model reads right, 0 to 1."""
        return self.correct_float / self.images

    @property
    def accuracy(self) -> float:
        """Share that the file reads right, 0 to 1."""
        return self.correct / self.images

    @property
    def drop(self) -> float:
        """Accuracy lost, in percentage points; below 0 where some was gained."""
        return 100 * (self.correct_float - self.correct) / self.images

    @property
    def agreement(self) -> float:
        """Share for which the same class is the most probable in both, 0 to 1."""
        return float((self.expected.argmax(axis=1) == self.found.argmax(axis=1)).mean())

    @property
    def rejected(self) -> float | None:
        """Share that the file takes for no digit, 0 to 1; None for a model that knows only digits."""
        if NONE not in self.classes:
            return None
        return float((self.found.argmax(axis=1) == self.classes.index(NONE)).mean())

    @cached_property
    def drift(self) -> NDArray[np.float32]:
        """By how much the confidence in the Keras model's answer changed, (n,), 0 to 1."""
        rows, wanted = np.arange(self.images), self.expected.argmax(axis=1)
        return np.abs(self.found[rows, wanted] - self.expected[rows, wanted])

    def by_digit(self) -> list[tuple[int, int, int, int]]:
        """(digit, how many, right by the Keras model, right by the file) for each digit that is there."""
        return [
            (digit, int(of.sum()), int((self.read_float[of] == digit).sum()), int((self.read[of] == digit).sum()))
            for digit in range(10)
            if (of := self.labels == digit).any()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """One inference on this machine, one thread, from glyph to probabilities, in microseconds."""

    p50: float
    p95: float


def most_probable(found: NDArray[np.float32], classes: Sequence[str]) -> NDArray[np.int64]:
    """The most probable digit of probabilities (n, classes): (n,)."""
    columns = [i for i, name in enumerate(classes) if name.isdecimal()]
    return np.array([int(classes[i]) for i in columns])[found[:, columns].argmax(axis=1)]


def confusion(read: NDArray[np.int64], labels: Labels) -> NDArray[np.int64]:
    """How often each digit was read as each: (10, 10), a row for what is written, a column for what is read."""
    counts = np.zeros((10, 10), np.int64)
    inside = read < 10
    np.add.at(counts, (labels[inside], read[inside]), 1)
    return counts


def wilson(right: int, images: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share of ``images`` that was ``right``, each 0 to 1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    z = 1.959964
    share = right / images
    middle = share + z * z / (2 * images)
    half = z * (share * (1 - share) / images + z * z / (4 * images * images)) ** 0.5
    scale = 1 + z * z / images
    # Rounding must not leave the share itself outside.
    return max(0.0, min(share, (middle - half) / scale)), min(1.0, max(share, (middle + half) / scale))


def predict(opened: Callable[[], Model], glyphs: Pixels) -> NDArray[np.float32]:
    """The file's probabilities for glyphs (n, 28, 28), one by one as on the Pi: (n, classes) float32."""
    with ExitStack() as models, ThreadPoolExecutor(WORKERS) as pool:
        each = [models.enter_context(opened()) for _ in range(WORKERS)]
        parts = pool.map(lambda pair: pair[0].predict(pair[1]), zip(each, np.array_split(glyphs, WORKERS), strict=True))
        return np.concatenate(list(parts))


def time(model: Model, glyphs: Pixels) -> Times:
    """How long one glyph of (n, 28, 28) takes."""
    taken: list[int] = []
    begun = perf_counter_ns()
    for glyph in np.resize(glyphs, (WARM + TIMED, 1, 28, 28)):
        start = perf_counter_ns()
        model.predict(glyph)
        taken.append(perf_counter_ns() - start)
        if len(taken) > 2 * WARM and perf_counter_ns() - begun > LONGEST * 1e9:
            break
    p50, p95 = np.percentile(taken[WARM:], [50, 95]) / 1000
    return Times(p50=float(p50), p95=float(p95))
