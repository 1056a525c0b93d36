"""The area under the ROC curve: how well a score tells right from wrong, whatever the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def auc(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> float | None:
    """The probability, 0 to 1, that a right one has a higher score than a wrong one; None if all are the same.

    ``scores``, ``right``: (n,). Equal scores count half. From the rank sum: Mann, Whitney, Annals of Mathematical
    Statistics 1947.
    """
    good = int(right.sum())
    bad = len(right) - good
    if not good or not bad:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][right].sum() - good * (good + 1) / 2) / (good * bad))
