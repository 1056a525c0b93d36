"""The expected calibration error: how well confidence matches accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Number of confidence bins of equal width, as in Guo, Pleiss, Sun, Weinberger (ICML 2017)."""


def calibration_error(confidence: NDArray[np.floating], correct: Sequence[bool] | NDArray[np.bool_]) -> float:
    """Expected calibration error, 0 to 1: mean difference of confidence and share of correct answers, over BINS bins.

    ``confidence`` (n,), 0 to 1; ``correct`` (n,). Bins are weighted by their number of answers: Naeini,
    Cooper, Hauskrecht, AAAI 2015; Guo, Pleiss, Sun, Weinberger, ICML 2017.
    """
    confidence, hits = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    gap = np.bincount(bin_of(confidence), weights=hits - confidence, minlength=BINS)
    return float(np.abs(gap).sum() / len(confidence))


def bin_of(confidence: NDArray[np.floating]) -> NDArray[np.int64]:
    """The bin, 0 to BINS - 1, of each confidence, 0 to 1. Bins exclude their lower end: (0, 1/15], (1/15, 2/15], …"""
    return np.clip(np.ceil(confidence.astype(np.float64) * BINS).astype(np.int64) - 1, 0, BINS - 1)
