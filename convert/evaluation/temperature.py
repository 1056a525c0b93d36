"""Temperature scaling: fit the temperature at which a model's confidence matches its accuracy."""

from __future__ import annotations

from math import exp, log

import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import Labels
from edge.model.card import MAX_NUMBER

LIMITS = (0.2, 5.0)
"""Lowest and highest temperature that is fitted. Chosen: a model that needs one beyond them is too poor for scaling to
help."""
USUAL_LOGITS = (4.0, 100.0)
"""How far the least and the greatest logit for a digit usually are apart. Chosen: the softmax of smaller ones is nearly
even, that of larger ones is 0 and 1 in float32."""
MIDDLE_LOGITS = 20.0
"""Other logits are brought to this. Chosen: in the middle of these."""
_GOLDEN = (5**0.5 - 1) / 2
"""The golden ratio less 1: by this factor each step of a golden-section search narrows the interval."""


def start(logits: NDArray[np.float32]) -> float:
    """The temperature at which logits (n, classes) have a usual size: the fit begins there. 1 where they have it."""
    apart = float(np.median(np.ptp(logits, axis=1)))
    is_usual = not apart or USUAL_LOGITS[0] <= apart <= USUAL_LOGITS[1]
    return 1.0 if is_usual else min(apart / MIDDLE_LOGITS, MAX_NUMBER / LIMITS[1])


def is_at_limit(value: float) -> bool:
    """Whether a temperature that was fitted lies at the end of LIMITS: then the confidence is not calibrated by it."""
    return value in LIMITS


def fit(probabilities: NDArray[np.float32], labels: Labels) -> float:
    """The most likely temperature for probabilities (n, classes) at temperature 1 and their labels (n,); within LIMITS.

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
