import numpy as np
import pytest

from convert.evaluation.auc import auc


def test_it_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(1)
    scores, right = rng.integers(0, 10, 60) / 10, rng.uniform(size=60) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in scores[right] for b in scores[~right]]
    assert auc(scores, right) == pytest.approx(np.mean(pairs))


def test_there_is_none_where_all_are_right_or_all_wrong() -> None:
    assert auc(np.array([0.2, 0.7]), np.array([True, True])) is None
    assert auc(np.array([0.2, 0.7]), np.array([False, False])) is None
