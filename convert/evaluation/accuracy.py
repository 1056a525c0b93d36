"""Accuracy on labelled digits: the one definition that training, conversion and reports share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import Labels
from edge.model.card import DIGITS

MEANING = (
    "Accuracy is the share of images whose likeliest digit is the one written. Classes that are no digit, such as none"
    " or a letter, are left out of this; how often one of them is the likeliest is told beside it, as taken for no"
    " digit."
)
"""The definition, for a person."""


def likeliest_digit(outputs: NDArray[np.floating], classes: Sequence[str]) -> NDArray[np.int64]:
    """The digit with the highest of the outputs (n, classes), probabilities or logits: (n,), 0 to 9.

    ``classes`` has the label of each output. Outputs that are no digit, such as none, minus or a letter, are left out:
    the reader, too, decides first whether a mark is a digit, by its belief, and then takes the likeliest digit.
    """
    columns = [i for i, name in enumerate(classes) if name in DIGITS]
    digits: NDArray[np.int64] = np.array([int(classes[i]) for i in columns])[outputs[:, columns].argmax(axis=1)]
    return digits


def accuracy(outputs: NDArray[np.floating], classes: Sequence[str], labels: Labels) -> float:
    """Share of the outputs (n, classes) whose likeliest digit is the one written, ``labels`` (n,); 0 to 1."""
    return float((likeliest_digit(outputs, classes) == labels).mean())


def answered(outputs: NDArray[np.floating], classes: Sequence[str], labels: Labels) -> float:
    """Share of the outputs (n, classes) that are highest for the digit written, ``labels`` (n,); 0 to 1.

    As ``accuracy``, but what is taken for no digit counts as wrong: a model that takes all for none reads nothing.
    """
    columns = [classes.index(DIGITS[label]) if DIGITS[label] in classes else -1 for label in range(10)]
    return float((outputs.argmax(axis=1) == np.array(columns)[labels]).mean())


def taken_for_no_digit(outputs: NDArray[np.floating], classes: Sequence[str]) -> float | None:
    """Share of the outputs (n, classes) that are highest for what is no digit; None if all classes are digits.

    0 to 1. It is told beside the accuracy, and does not lower it.
    """
    others = [i for i, name in enumerate(classes) if name not in DIGITS]
    return float(np.isin(outputs.argmax(axis=1), others).mean()) if others else None


def words(share: float, images: int) -> str:
    """An accuracy on MNIST's test images for a person: ``reads 99.46% of MNIST's 10,000 test images``."""
    return f"reads {share:.2%} of MNIST's {images:,} test images"
