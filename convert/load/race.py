"""Which of many ways to feed a model reads best: a race on more and more digits, in which the worse drop out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import Labels

FIRST_LOOK = 50
"""Digits that everyone is tried on: five of each."""
GROWTH = 2
"""Each look has so many times the digits of the one before."""
ERROR = 0.01
"""How probable it is at most, 0 to 1, that the best one is dropped. Chosen: one model in a hundred, if ever."""
MAX_RUNS = 6000
"""How many digits may be computed between two looks; if too many are left for that, the first of them go on. Chosen:
with few digits a test decides most of them, and a model that reads nothing should not take long to say so."""

Right = NDArray[np.bool_]
"""Which digits each candidate reads correctly, (candidates, digits)."""


def looks(images: int) -> list[int]:
    """After how many digits, of so many, the candidates are compared."""
    sizes = []
    size = FIRST_LOOK
    while size < images:
        sizes.append(size)
        size *= GROWTH
    return [*sizes, images]


def balanced(labels: Labels) -> NDArray[np.int64]:
    """An order of labels (n,) in which the ten digits take turns: any part of it has them equally."""
    turn = np.zeros(len(labels), np.int64)
    for digit in np.unique(labels):
        at = np.flatnonzero(labels == digit)
        turn[at] = np.arange(len(at))
    return np.lexsort((labels, turn))


def clearly_worse(right: Right, best: int, all_looks: int) -> NDArray[np.bool_]:
    """Which candidates (n,) are worse than the ``best`` one by more than chance.

    McNemar's test ("Note on the sampling error of the difference between correlated proportions or percentages", 1947)
    on the digits that only one of the two reads; its exact probability, that of a sign test, is bounded by Chernoff's
    inequality (1952). ERROR is shared equally (Bonferroni) among all looks, and at each among those compared.
    """
    wins = (right[best] & ~right).sum(axis=1)
    losses = (right & ~right[best]).sum(axis=1)
    differ = np.maximum(wins + losses, 1)
    share = np.minimum(losses / differ, 0.5)
    # The Kullback-Leibler divergence of the share lost from a half.
    apart = np.log(2) + _x_log_x(share) + _x_log_x(1 - share)
    log_probability = np.where(wins > losses, -differ * apart, 0.0)
    worse: NDArray[np.bool_] = log_probability < np.log(ERROR / all_looks / len(right))
    return worse


def most_behind(right: Right, one: int) -> float:
    """How much more accurate than ``one`` any other may be, 0 to 1: the upper end of 95 % intervals, two standard
    errors of McNemar's difference above it.
    """
    wins = (right & ~right[one]).sum(axis=1)
    losses = (right[one] & ~right).sum(axis=1)
    return float(((wins - losses + 2 * np.sqrt(wins + losses)) / right.shape[1]).max())


def _x_log_x(x: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = x * np.log(np.maximum(x, 1e-300))
    return found
