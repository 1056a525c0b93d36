import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.types import Frame
from edge.vision.resize import COMFORTABLE, LEGIBLE, STROKE, digit_scale, shrink_by_halves, stroke_scale


@given(st.floats(0.5, 200), st.integers(1, 5000), st.integers(128, 4096))
def test_a_picture_gets_the_size_that_its_strokes_need(stroke: float, side: int, working_size: int) -> None:
    side = min(side, working_size)
    by = stroke_scale(stroke, side, working_size)
    assert by * side <= working_size + 1e-6
    if by > 1:
        assert by * stroke <= STROKE + 1e-6 and by <= 8
    else:
        assert by * stroke >= STROKE - 1e-6 or by * side == max(by * side, 400) or by * side >= working_size - 1e-6


def test_strokes_of_any_picture_of_usual_size_become_as_wide() -> None:
    assert stroke_scale(2, 300, 1024) == 3
    assert stroke_scale(12, 1000, 1024) == 0.5
    assert stroke_scale(2, 1024, 1024) == 1, "no larger than the working size"
    assert stroke_scale(60, 500, 1024) == 0.8, "no smaller than a digit needs"


@given(st.floats(0, 200), st.integers(8, 5000), st.integers(128, 4096))
def test_a_picture_grows_until_its_digits_are_legible(digit: float, side: int, working_size: int) -> None:
    by = digit_scale(digit, side, working_size)
    assert by == 1 or (by > 1 and by * side <= working_size + 1e-6 and by * digit <= COMFORTABLE + 1e-6)
    if digit >= LEGIBLE or digit == 0:
        assert by == 1


def test_digits_of_twelve_pixels_are_read_larger() -> None:
    assert digit_scale(16, 1024, 4096) == 2
    assert digit_scale(8, 1024, 2048) == 2, "no larger than the working size"
    assert digit_scale(16, 1024, 1200) == 1, "hardly larger is not worth a second look"
    assert digit_scale(0, 1024, 2048) == 1, "nothing looks like a digit"


def test_each_half_of_a_frame_is_made_once() -> None:
    frame = Frame(np.random.default_rng(1).integers(0, 255, (301, 643), np.uint8), "camera")
    for side in (80, 321, 160, 643):
        assert np.array_equal(frame.reduced(side), shrink_by_halves(frame.pixels, side))
        assert frame.reduced(side) is frame.reduced(side)
    assert frame.reduced(1000) is frame.pixels and sorted(frame._halves) == [1, 2, 3]


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 100))
def test_a_halved_picture_is_the_mean(height: int, width: int, side: int) -> None:
    small = shrink_by_halves(np.full((height, width), 77, np.uint8), side)
    assert (small == 77).all()
    assert max(small.shape) <= side
