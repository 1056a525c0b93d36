"""Statistics for the report: calibration, confusions, misread digits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from convert.conversion.pipeline import Conversion
from convert.data.mnist import Labels
from convert.evaluation.accuracy import likeliest_digit
from convert.evaluation.calibration import BINS, bin_of
from convert.evaluation.verify import Comparison, confusion
from edge.model.card import NONE

Probabilities = NDArray[np.float32]
"""(n, classes), each row sums to 1."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers within one range of confidence, for a reliability diagram."""

    above: float
    """Their confidence is above this, and at most 1 / BINS more."""
    answers: int
    """How many answers."""
    confidence: float
    """Their mean confidence, 0 to 1."""
    right: int
    """How many of them are correct."""


@dataclass(frozen=True, slots=True)
class Pair:
    """How often one digit is read as another."""

    written: int
    read: int
    times: int
    """By the file."""
    times_float: int
    """By the Keras model."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The most probable class, and its probability."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """One test image that is misread."""

    image: int
    """Its number among the test images, from 0."""
    written: int
    """The digit written."""
    keras: Answer
    file: Answer


def without_nan(conversion: Conversion) -> Conversion:
    """The same with 0 for NaN and infinite probabilities, which a file gives if its float16 weights overflow."""
    attempts = [replace(attempt, comparison=_without_nan(attempt.comparison)) for attempt in conversion.attempts]
    pairs = zip(attempts, conversion.attempts, strict=True)
    chosen = next((new for new, old in pairs if old is conversion.chosen), None)
    return replace(
        conversion, attempts=tuple(attempts), chosen=chosen, through_camera=_without_nan(conversion.through_camera)
    )


def _without_nan(comparison: Comparison | None) -> Comparison | None:
    return comparison and replace(comparison, tflite=np.nan_to_num(comparison.tflite, nan=0.0, posinf=0.0, neginf=0.0))


def answers(
    probabilities: Probabilities, labels: Labels, classes: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """For each answer its confidence, 0 to 1, and whether it is correct, (n,) both; the answer is the likeliest digit.

    The shares of correct answers are those of the accuracy.
    """
    read = likeliest_digit(probabilities, classes)
    columns = np.array([classes.index(str(digit)) for digit in range(10) if str(digit) in classes])
    return probabilities[:, columns].max(axis=1), read == labels


def reliability(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """The bins of a reliability diagram that have answers; the same bins as in ``calibration_error``.

    DeGroot and Fienberg, "The comparison and evaluation of forecasters" (1983).
    """
    binned = bin_of(confidence)
    return tuple(
        Bin(above=i / BINS, answers=int(of.sum()), confidence=float(confidence[of].mean()), right=int(right[of].sum()))
        for i in range(BINS)
        if (of := binned == i).any()
    )


def pairs(comparison: Comparison) -> list[Pair]:
    """The file's confusions, most common first."""
    before, after = confusion(comparison.read_float, comparison.labels), confusion(comparison.read, comparison.labels)
    found_pairs = [
        Pair(written, read, int(after[written, read]), int(before[written, read]))
        for written, read in np.ndindex(10, 10)
        if written != read and after[written, read]
    ]
    return sorted(found_pairs, key=lambda pair: -pair.times)


def most_changed(comparison: Comparison) -> tuple[int, float]:
    """The digit whose accuracy changed most, and the change in percentage points, negative if accuracy was lost."""
    changes = [(digit, 100 * (after - before) / images) for digit, images, before, after in comparison.by_digit()]
    return max(changes, key=lambda change: (abs(change[1]), -change[1]))


def only_file_wrong(comparison: Comparison) -> list[Mistake]:
    """The images that only the file misreads; its most confident answers first."""
    return _mistakes(comparison, (comparison.read_float == comparison.labels) & (comparison.read != comparison.labels))


def only_keras_wrong(comparison: Comparison) -> int:
    """The number of images that only the Keras model misreads."""
    return int(((comparison.read_float != comparison.labels) & (comparison.read == comparison.labels)).sum())


def both_wrong(comparison: Comparison) -> list[Mistake]:
    """The images that both misread; the file's most confident answers first."""
    return _mistakes(comparison, (comparison.read_float != comparison.labels) & (comparison.read != comparison.labels))


def _mistakes(found: Comparison, which: NDArray[np.bool_]) -> list[Mistake]:
    mistakes = [
        Mistake(
            image=int(i),
            written=int(found.labels[i]),
            keras=_answer(found.keras[i], found.classes),
            file=_answer(found.tflite[i], found.classes),
        )
        for i in np.flatnonzero(which)
    ]
    return sorted(mistakes, key=lambda mistake: -mistake.file.confidence)


def _answer(probabilities: NDArray[np.float32], classes: tuple[str, ...]) -> Answer:
    best = int(probabilities.argmax())
    return Answer("no digit" if classes[best] == NONE else classes[best], float(probabilities[best]))
