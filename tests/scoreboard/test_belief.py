import numpy as np
import pytest

from tests.scoreboard.belief import aligned, belief, pooled


@pytest.mark.parametrize(
    ("found", "truth", "right"),
    [
        ("123", "123", "ttt"),
        ("1723", "123", "tftt"),
        ("12", "123", "tt"),
        ("193", "123", "tft"),
        ("11", "1", "ft"),
        ("7", "", "f"),
        ("", "12", ""),
        ("3012", "123", "fftt"),
    ],
)
def test_the_digits_of_a_longest_common_subsequence_are_right(found: str, truth: str, right: str) -> None:
    assert "".join("ft"[one] for one in aligned(found, truth)) == right


def test_confidence_that_comes_true_has_no_calibration_error() -> None:
    made = belief([("1234", "1230", [0.75] * 4)])
    assert made.right.tolist() == [True, True, True, False]
    assert made.error == pytest.approx(0)


def test_sure_and_wrong_is_the_largest_error() -> None:
    assert belief([("7", "", [1.0])]).error == 1
    assert belief([("", "7", [])]).error is None


def test_pooled_counts_each_digit_once() -> None:
    both = pooled([belief([("1", "1", [1.0])]), belief([("2", "3", [0.5])])])
    np.testing.assert_array_equal(both.right, [True, False])
    assert len(both) == 2
    assert len(pooled([])) == 0
