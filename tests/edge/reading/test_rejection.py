import numpy as np
import pytest

from edge.reading.candidates import Candidate
from edge.reading.rejection import accept_confident, is_stroke_at_border, reject_faint_strokes, unread_reason
from edge.types import Box


def marks(*read: tuple[int | None, float]) -> list[Candidate]:
    nothing = np.zeros((28, 28), np.uint8)
    return [
        Candidate(nothing, Box(0, 0, 20, 30), 0, nothing, np.zeros(11, np.float32), digit, confidence)
        for digit, confidence in read
    ]


@pytest.mark.parametrize(("x", "digit", "end"), [(80, 1, True), (0, 1, True), (40, 1, False), (80, 7, False)])
def test_a_stroke_that_is_cut_off_at_one_side_is_not_a_1(x: int, digit: int, end: bool) -> None:
    (mark,) = marks((digit, 0.99))
    assert is_stroke_at_border(mark._replace(box=Box(x, 10, 20, 60)), width=100) is end
    assert not is_stroke_at_border(mark._replace(box=Box(0, 10, 100, 60)), width=100)


def test_a_stroke_much_fainter_than_the_digits_is_not_a_1() -> None:
    row = [
        mark._replace(ink=np.full((30, 20), level, np.uint8))
        for mark, level in zip(marks((1, 0.99), (1, 0.99), (7, 0.99), (2, 0.99)), (90, 200, 220, 240), strict=True)
    ]
    assert reject_faint_strokes(row, (True, True, True, True)) == (False, True, True, True)
    assert reject_faint_strokes(row, (True, True, True, False)) == (True, True, True, False), (
        "one other may be a strong one"
    )
    assert reject_faint_strokes(row[2:], (True, True)) == (True, True)


def test_a_digit_among_words_needs_a_higher_probability() -> None:
    words = [(None, 0.99)] * 4
    assert accept_confident(marks((7, 0.9)), 0.6, False) == (True,)
    assert accept_confident(marks((7, 0.9), *words), 0.6, False) == (False,) * 5
    assert accept_confident(marks((7, 0.99), *words), 0.6, False) == (True, False, False, False, False)
    assert not any(accept_confident(marks((1, 0.99), *words), 0.6, False)), "any stroke may be a 1"
    assert not any(accept_confident(marks((0, 0.99), (8, 0.99), *words), 0.6, False)), "and rings are letters,"
    assert accept_confident(marks((8, 0.99), (7, 0.99), *words), 0.6, False)[:2] == (True, True), (
        "unless a digit is with them"
    )
    assert not any(accept_confident(marks((7, 0.99), *words, *words), 0.6, False)), "and a page of words has none"


def test_a_fence_is_no_number() -> None:
    assert not any(accept_confident(marks(*[(1, 0.99)] * 6), 0.6, False))
    assert all(accept_confident(marks(*[(1, 0.99)] * 5), 0.6, False))
    assert all(accept_confident(marks(*[(1, 0.99)] * 6, (2, 0.99)), 0.6, False))
    assert accept_confident([], 0.6, False) == ()


@pytest.mark.parametrize(
    ("digit", "four", "nine", "x", "reason"),
    [
        (4, 0.5, 0.3, 40, "unsure between 4 and 9"),
        (9, 0.2, 0.5, 40, "unsure between 4 and 9"),
        (4, 0.5, 0.3, 0, "unsure between 4 and 9"),
        (4, 0.5, 0.1, 40, "no digit"),
        (4, 0.5, 0.1, 0, "cut off by the border"),
        (None, 0.02, 0.01, 40, "no digit"),
        (None, 0.02, 0.01, 80, "cut off by the border"),
    ],
)
def test_the_reason_names_two_digits_or_the_border(
    digit: int | None, four: float, nine: float, x: int, reason: str
) -> None:
    (mark,) = marks((digit, max(four, nine)))
    probabilities = [0.0] * 10
    probabilities[4], probabilities[9] = four, nine
    assert unread_reason(mark._replace(box=Box(x, 20, 20, 60)), probabilities, (100, 100)) == reason
