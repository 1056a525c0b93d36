"""How far probabilities can be trusted: the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Number of confidence bins of equal width, as in Guo, Pleiss, Sun, Weinberger (ICML 2017)."""


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
