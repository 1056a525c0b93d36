"""From what is written and what was read to figures: exact, CER, false readings, time, calibration."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.reading.evaluation import only_digits

BINS = 15
"""Calibration is judged in so many bins of equal width, as Guo et al. (2017) do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One picture that was read."""

    truth: str
    """What is written; only its digits count. Empty where there is no digit."""
    found: str
    milliseconds: float

    @property
    def right(self) -> bool:
        """Whether exactly these digits were read, in this order."""
        return only_digits(self.found) == only_digits(self.truth)


@dataclass(frozen=True, slots=True)
class Tally:
    """How a set of pictures was read."""

    pictures: int
    exact: float
    """Share of pictures read without a mistake, 0 to 1."""
    error_rate: float
    """Character error rate: wrong, missing and invented digits over true digits."""
    false: float
    """Wrong and invented digits over true digits; missing ones are none."""
    milliseconds: float
    """Median time of a reading."""


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """The figures of at least one outcome. Without any true digits the rates are per picture."""
    listed = list(outcomes)
    counted = [edits(only_digits(one.found), only_digits(one.truth)) for one in listed]
    total = sum(len(only_digits(one.truth)) for one in listed) or len(listed)
    return Tally(
        pictures=len(listed),
        exact=sum(one.right for one in listed) / len(listed),
        error_rate=sum(all_edits for all_edits, _ in counted) / total,
        false=sum(false for _, false in counted) / total,
        milliseconds=statistics.median(one.milliseconds for one in listed),
    )


def edits(found: str, truth: str) -> tuple[int, int]:
    """Edit distance (Levenshtein 1966), and how many of these edits mend something read rather than something missing.

    Of all ways with the fewest edits, the one with the fewest false readings counts.
    """
    row = [(n, 0) for n in range(len(truth) + 1)]
    for i, char in enumerate(found, 1):
        above, row[0] = row[0], (i, i)
        for j, wanted in enumerate(truth, 1):
            wrong = int(char != wanted)
            choices = (
                (above[0] + wrong, above[1] + wrong),
                (row[j][0] + 1, row[j][1] + 1),
                (row[j - 1][0] + 1, row[j - 1][1]),
            )
            above, row[j] = row[j], min(choices)
    return row[-1]


def calibration_error(confidence: NDArray[np.floating], right: Sequence[bool] | NDArray[np.bool_]) -> float:
    """Expected calibration error, 0 to 1: by how much confidence and share of right answers differ, over BINS bins.

    Each bin counts by its size: Naeini, Cooper, Hauskrecht, AAAI 2015; Guo, Pleiss, Sun, Weinberger, ICML 2017.
    """
    confidence, hits = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    gap = np.bincount(bin_of(confidence), weights=hits - confidence, minlength=BINS)
    return float(np.abs(gap).sum() / len(confidence))


def bin_of(confidence: NDArray[np.floating]) -> NDArray[np.int64]:
    """Which of the BINS bins each confidence, 0 to 1, is in. They are open below: (0, 1/15], (1/15, 2/15] and so on."""
    return np.clip(np.ceil(confidence.astype(np.float64) * BINS).astype(np.int64) - 1, 0, BINS - 1)
