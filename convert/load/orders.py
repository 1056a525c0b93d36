"""The order of a model's outputs: which of them stands for which digit, by what it answers to labelled digits."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from convert.classes import LABELS_BY_OUTPUTS
from convert.data.mnist import Labels
from convert.evaluation.accuracy import likeliest_digit
from edge.model.card import DIGITS, NONE, Card

Outputs = NDArray[np.float32]
"""What a model answers, (n, classes): the greatest is its answer."""


def columns(labels: tuple[str, ...]) -> tuple[list[int], NDArray[np.int64]]:
    """The outputs that stand for digits, and which digit each of them stands for, 0 to 9."""
    numbers = Card(labels=labels).digits
    of = [i for i, digit in enumerate(numbers) if digit is not None]
    return of, np.array([numbers[i] for i in of])


def reads(outputs: Outputs, labels: tuple[str, ...], digits: Labels) -> NDArray[np.bool_]:
    """Which of the digits (n,) are read rightly, (n,); outputs that are no digits are left out."""
    right: NDArray[np.bool_] = likeliest_digit(outputs, labels) == digits
    return right


def found(outputs: Outputs, digits: Labels, known: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The labels that the answers to the digits (n,) suggest; None if there are fewer than ten outputs.

    Outputs that are no digits keep the other labels of those ``known``, in their order, else those usual for so many
    outputs.
    """
    count = outputs.shape[1]
    if count < len(DIGITS):
        return None
    of = _assigned(outputs, digits)
    usual = known or LABELS_BY_OUTPUTS.get(count, ())
    others = [label for label in usual if label not in DIGITS]
    rest = [i for i in range(count) if i not in of]
    if len(others) < len(rest):
        others = [NONE] if len(rest) == 1 else [f"output {i}" for i in rest]
    names = dict(zip(of, DIGITS, strict=True)) | dict(zip(rest, others, strict=False))
    return tuple(names[i] for i in range(count))


def cross_validated(outputs: Outputs, digits: Labels) -> NDArray[np.bool_]:
    """Which of the digits (n,) are read rightly, (n,), by the best order of the outputs.

    The order that judges one half of the digits is found on the other half, so that it cannot fit them by chance.
    """
    right = np.zeros(len(digits), bool)
    # Ten by ten: the digits take turns.
    half = np.arange(len(digits)) // 10 % 2 == 0
    for judged in (half, ~half):
        of = _assigned(outputs[~judged], digits[~judged])
        right[judged] = outputs[judged][:, of].argmax(axis=1) == digits[judged]
    return right


def text(labels: tuple[str, ...]) -> str:
    """Labels as ``--labels`` takes them; long runs that stand in order are shortened: ``1-9,0``."""
    runs = [list(run) for _, run in groupby(enumerate(labels), key=lambda pair: _run(*pair))]
    parts = []
    for run in runs:
        names = [label for _, label in run]
        parts += [f"{names[0]}-{names[-1]}"] if len(names) > 3 else names
    return ",".join(parts)


def _run(place: int, label: str) -> tuple[str, int]:
    """The same for labels that follow on one another, such as 1, 2, 3 or a, b, c."""
    is_one = len(label) == 1 and label.isascii() and label.isalnum()
    kind = "digit" if label.isdecimal() else "upper" if label.isupper() else "lower"
    return (kind, ord(label) - place) if is_one else (label, -place)


def _assigned(outputs: Outputs, digits: Labels) -> list[int]:
    """The output that stands for each of the ten digits: no two the same.

    The most frequent pair of a digit and an answer is assigned first. For a model that reads, each digit has an answer
    of its own that is the most frequent, and there is no better assignment.
    """
    counts = np.zeros((len(DIGITS), outputs.shape[1]), np.int64)
    np.add.at(counts, (digits, outputs.argmax(axis=1)), 1)
    of = [0] * len(DIGITS)
    for _ in DIGITS:
        digit, output = np.unravel_index(counts.argmax(), counts.shape)
        of[digit] = int(output)
        counts[digit], counts[:, output] = -1, -1
    return of
