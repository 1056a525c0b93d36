import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.types import Frame
from edge.vision.resize import shrink_by_halves, working_scale


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(128, 4096))
def test_working_scale_keeps_the_longer_side_in_bounds(height: int, width: int, working_size: int) -> None:
    longer = max(height, width) * working_scale(height, width, working_size)
    assert longer <= working_size + 1e-6
    assert longer >= min(100, working_size) or max(height, width) < 16


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
