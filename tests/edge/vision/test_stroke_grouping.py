import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.vision.stroke_grouping import group_strokes, near_pairs


@given(npst.arrays(np.int32, st.tuples(st.integers(1, 12), st.just(4)), elements=st.integers(1, 60)))
def test_grouping_loses_no_part(boxes: np.ndarray) -> None:
    groups = group_strokes(boxes, 40.0)
    assert sorted(part for group in groups for part in group) == list(range(len(boxes)))


def test_near_pairs_come_nearest_first() -> None:
    boxes = np.array([[0, 0, 10, 10], [15, 0, 10, 10], [27, 0, 10, 10], [200, 0, 10, 10]], np.int32)
    assert near_pairs(boxes, 10.0) == [(1, 2), (0, 1)]
