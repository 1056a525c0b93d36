"""How sure a model may be: the temperature at which its probabilities are shares of right answers."""

from __future__ import annotations

from math import exp, log

import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import Labels

LIMITS = (0.2, 5.0)
"""A model so bad that it wants more than that is not to be helped."""
_GOLDEN = (5**0.5 - 1) / 2


def fit(probabilities: NDArray[np.float32], labels: Labels) -> float:
    """The temperature for probabilities (n, classes) of a card without one, by their likelihood; within LIMITS.

    One number for all classes, after Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks"
    (2017); the negative log-likelihood has one minimum in log T, found by golden-section search (Kiefer 1953).
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-7))
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits / exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, labels]))

    low, high = (log(limit) for limit in LIMITS)
    for _ in range(30):
        inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, outer) if loss(inner) < loss(outer) else (inner, high)
    return round(exp((low + high) / 2), 3)
