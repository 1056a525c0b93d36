"""How far the confidences of what was read can be trusted: which digits of a reading are right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.evaluation.calibration import calibration_error


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """The digits that were read in some pictures."""

    confidence: NDArray[np.float64]
    """(n,), 0 to 1."""
    right: NDArray[np.bool_]
    """(n,): whether each is one of the digits that are written there."""

    def __len__(self) -> int:
        return len(self.confidence)

    @property
    def error(self) -> float | None:
        """Expected calibration error, 0 to 1; None where nothing was read."""
        return calibration_error(self.confidence, self.right) if len(self) else None


def belief(read: Iterable[tuple[str, str, Iterable[float]]]) -> Belief:
    """Of readings: the digits found, the digits written, and the confidence of each that was found."""
    confidence: list[float] = []
    right: list[bool] = []
    for found, truth, sure in read:
        confidence.extend(sure)
        right.extend(aligned(found, truth))
    return Belief(np.array(confidence, np.float64), np.array(right, bool))


def pooled(beliefs: Iterable[Belief]) -> Belief:
    """All of them as one."""
    listed = list(beliefs) or [Belief(np.zeros(0), np.zeros(0, bool))]
    return Belief(np.concatenate([one.confidence for one in listed]), np.concatenate([one.right for one in listed]))


def aligned(found: str, truth: str) -> list[bool]:
    """Which digits of ``found`` are right: those in a longest common subsequence of both."""
    longest = np.zeros((len(found) + 1, len(truth) + 1), int)
    for i in range(len(found) - 1, -1, -1):
        for j in range(len(truth) - 1, -1, -1):
            longest[i, j] = (
                longest[i + 1, j + 1] + 1 if found[i] == truth[j] else max(longest[i + 1, j], longest[i, j + 1])
            )
    right, j = [], 0
    for i, digit in enumerate(found):
        # Left out of the subsequence where that loses nothing; else matched with the next of its kind.
        matched = longest[i, j] > longest[i + 1, j]
        right.append(bool(matched))
        if matched:
            j = truth.index(digit, j) + 1
    return right
