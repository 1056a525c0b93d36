from __future__ import annotations

from math import comb

import numpy as np
import pytest

from convert.load import race


def pair(both: int, wins: int, losses: int, neither: int = 0) -> race.Right:
    """Two candidates: the first reads ``wins`` digits that the second does not, and misses ``losses`` that it reads."""
    first = [True] * (both + wins) + [False] * (losses + neither)
    second = [True] * both + [False] * wins + [True] * losses + [False] * neither
    return np.array([first, second])


def test_the_bound_is_never_below_the_exact_sign_test_and_close_to_it() -> None:
    for differ in (1, 5, 20, 60, 200):
        for losses in range(differ + 1):
            exact = sum(comb(differ, k) for k in range(losses + 1)) / 2**differ
            is_worse = bool(race.clearly_worse(pair(30, differ - losses, losses), 0, 1)[1])
            # Two candidates, one look.
            level = race.ERROR / 2
            assert not is_worse or exact <= level
            assert is_worse or exact > level / 20


def test_the_best_is_dropped_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(4)
    dropped = 0
    for _ in range(300):
        right = rng.random((12, 1600)) < 0.9
        looks = race.looks(1600)
        dropped += any(
            race.clearly_worse(right[:, :size], int(right[:, :size].mean(axis=1).argmax()), len(looks))[0]
            for size in looks
        )
    assert dropped <= 300 * race.ERROR


@pytest.mark.parametrize(("images", "sizes"), [(30, [30]), (50, [50]), (300, [50, 100, 200, 300])])
def test_the_last_look_has_all_digits(images: int, sizes: list[int]) -> None:
    assert race.looks(images) == sizes


def test_the_digits_take_turns() -> None:
    labels = np.random.default_rng(1).integers(0, 10, 500).astype(np.uint8)
    order = race.balanced(labels)
    assert sorted(order) == list(range(500))
    assert all(sorted(labels[order][i : i + 10]) == list(range(10)) for i in range(0, 200, 10))


def test_how_far_another_may_be_ahead() -> None:
    # 30 of 1,000 more: 0.03, and two standard errors of sqrt(50) / 1,000 on top.
    assert race.most_behind(pair(900, 10, 40, 50), 0) == pytest.approx(0.03 + 2 * 50**0.5 / 1000)
    assert race.most_behind(pair(900, 0, 0, 100), 0) == 0
