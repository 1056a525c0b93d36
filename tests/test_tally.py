import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.scoreboard.tally import Outcome, calibration_error, edits, tally
from edge.reading.evaluation import distance

digits = st.text("0123456789", max_size=7)


@given(digits, digits)
def test_edits_are_levenshteins(found: str, truth: str) -> None:
    """`edge.reading.evaluation` counts them by another road."""
    every, false = edits(found, truth)
    assert every == distance(found, truth)
    assert max(0, len(found) - len(truth)) <= false <= min(every, len(found))


@pytest.mark.parametrize(
    ("found", "truth", "every", "false"),
    [
        ("123", "123", 0, 0),
        ("", "123", 3, 0),
        ("123", "", 3, 3),
        ("13", "123", 1, 0),
        ("1423", "123", 1, 1),
        ("193", "123", 1, 1),
        # One missing and one invented, or two wrong: the former is one false reading.
        ("21", "12", 2, 1),
    ],
)
def test_false_readings_of_known_texts(found: str, truth: str, every: int, false: int) -> None:
    assert edits(found, truth) == (every, false)


def test_a_blank_reader_misses_all_and_invents_nothing() -> None:
    found = tally([Outcome("12\n3", "", 2.0), Outcome("4", "", 4.0), Outcome("56", "", 9.0)])
    assert (found.pictures, found.exact, found.error_rate, found.false, found.milliseconds) == (3, 0.0, 1.0, 0.0, 4.0)


def test_a_blank_reader_is_right_where_nothing_is_written() -> None:
    found = tally([Outcome("", "", 1.0), Outcome("", "71", 1.0)])
    assert found.exact == 0.5
    assert found.false == 1.0


def test_lines_do_not_count() -> None:
    assert tally([Outcome("123", "12\n3", 1.0)]).exact == 1


def test_calibration_error_by_hand() -> None:
    """Bin (0.6, 0.667] has two of 0.65, one of them right; (0.933, 1] has 1.0, right, and 0.95, wrong; 0 is alone."""
    confidence = np.array([0.65, 0.65, 1.0, 0.95, 0.0])
    right = [True, False, True, False, False]
    by_hand = 2 / 5 * abs(0.5 - 0.65) + 2 / 5 * abs(0.5 - 0.975) + 1 / 5 * 0
    assert calibration_error(confidence, right) == pytest.approx(by_hand)


def test_calibration_of_one_who_knows_how_sure_he_is() -> None:
    confidence = np.full(1000, 0.9)
    assert calibration_error(confidence, np.arange(1000) < 900) == pytest.approx(0, abs=1e-9)
    assert calibration_error(confidence, np.arange(1000) < 600) == pytest.approx(0.3)
