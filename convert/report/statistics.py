"""What a report counts besides: calibration, confusions, the digits that are read wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from convert.conversion.pipeline import Done
from convert.data.mnist import Labels
from convert.evaluation.calibration import BINS, bin_of
from convert.evaluation.verify import Comparison, confusion
from edge.model.card import NONE

Probabilities = NDArray[np.float32]
"""(n, classes), each row sums to 1."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence."""

    above: float
    """Their confidence is above this, up to 1 / BINS more."""
    answers: int
    confidence: float
    """Their mean confidence, 0 to 1."""
    right: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A digit, another that it is taken for, and how often."""

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
    """One test image that is read wrong."""

    image: int
    """Its number among the test images, from 0."""
    written: int
    keras: Answer
    file: Answer


def numbers(done: Done) -> Done:
    """The same with 0 for probabilities that are no numbers, as a file gives them whose float16 weights overflow."""
    mended = [replace(tried, comparison=_numbers(tried.comparison)) for tried in done.attempts]
    chosen = next((new for new, old in zip(mended, done.attempts, strict=True) if old is done.chosen), None)
    return replace(done, attempts=tuple(mended), chosen=chosen, through_camera=_numbers(done.through_camera))


def _numbers(found: Comparison | None) -> Comparison | None:
    return found and replace(found, found=np.nan_to_num(found.found, nan=0.0, posinf=0.0, neginf=0.0))


def answers(
    found: Probabilities, labels: Labels, classes: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Of probabilities: the confidence in the most probable class, and whether that is right, (n,) both.

    What a model takes for no digit is wrong here, since all of these are digits.
    """
    values = np.array([int(name) if name.isdecimal() else -1 for name in classes])
    return found.max(axis=1), values[found.argmax(axis=1)] == labels


def reliability(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """The bins that have answers, as ``tally.calibration_error`` forms them, for a reliability diagram.

    DeGroot and Fienberg, "The comparison and evaluation of forecasters" (1983).
    """
    binned = bin_of(confidence)
    return tuple(
        Bin(above=i / BINS, answers=int(of.sum()), confidence=float(confidence[of].mean()), right=int(right[of].sum()))
        for i in range(BINS)
        if (of := binned == i).any()
    )


def pairs(found: Comparison) -> list[Pair]:
    """The file's confusions, commonest first."""
    before, after = confusion(found.read_float, found.labels), confusion(found.read, found.labels)
    made = [
        Pair(written, read, int(after[written, read]), int(before[written, read]))
        for written, read in np.ndindex(10, 10)
        if written != read and after[written, read]
    ]
    return sorted(made, key=lambda pair: -pair.times)


def most_changed(found: Comparison) -> tuple[int, float]:
    """The digit whose accuracy changed most, and by how many percentage points; below 0 where some was lost."""
    changes = [(digit, 100 * (after - before) / images) for digit, images, before, after in found.by_digit()]
    return max(changes, key=lambda change: (abs(change[1]), -change[1]))


def only_file_wrong(found: Comparison) -> list[Mistake]:
    """What the Keras model reads right and the file does not, the file's surest answers first."""
    return _mistakes(found, (found.read_float == found.labels) & (found.read != found.labels))


def only_keras_wrong(found: Comparison) -> int:
    """How many the file reads right and the Keras model does not."""
    return int(((found.read_float != found.labels) & (found.read == found.labels)).sum())


def both_wrong(found: Comparison) -> list[Mistake]:
    """What both read wrong, the file's surest answers first."""
    return _mistakes(found, (found.read_float != found.labels) & (found.read != found.labels))


def _mistakes(found: Comparison, which: NDArray[np.bool_]) -> list[Mistake]:
    made = [
        Mistake(
            image=int(i),
            written=int(found.labels[i]),
            keras=_answer(found.expected[i], found.classes),
            file=_answer(found.found[i], found.classes),
        )
        for i in np.flatnonzero(which)
    ]
    return sorted(made, key=lambda mistake: -mistake.file.confidence)


def _answer(probabilities: NDArray[np.float32], classes: tuple[str, ...]) -> Answer:
    best = int(probabilities.argmax())
    return Answer("no digit" if classes[best] == NONE else classes[best], float(probabilities[best]))
