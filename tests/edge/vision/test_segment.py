import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.vision.components import typical_side
from edge.vision.segment import Segments, segment

Rectangles = list[tuple[int, int, int, int]]


def page(*rectangles: tuple[int, int, int, int], height: int = 480, width: int = 640) -> np.ndarray:
    """A mask with the outlines of rectangles (x, y, width, height): open shapes, as digits are."""
    mask = np.zeros((height, width), np.uint8)
    for x, y, w, h in rectangles:
        cv2.rectangle(mask, (x, y), (x + w - 1, y + h - 1), 255, 3)
    return mask


def places(segments: Segments) -> list[tuple[int, ...]]:
    return [tuple(mark.box) for mark in segments.marks]


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60)), elements=st.sampled_from([0, 255])))
def test_any_mask_gives_marks_within_the_picture_or_a_reason(mask: np.ndarray) -> None:
    segments = segment(mask)
    assert (segments.reason is None) == bool(segments.marks)
    assert (segments.reason == "blank") == (not mask.any())
    lines = [mark.line for mark in segments.marks]
    assert lines == sorted(lines)
    for mark in segments.marks:
        x, y, width, height = mark.box
        assert x >= 0 and y >= 0 and x + width <= mask.shape[1] and y + height <= mask.shape[0]
        inside = np.zeros(mask.shape, bool)
        inside[segments.window] = np.isin(segments.labels, mark.parts)
        assert cv2.boundingRect(inside.astype(np.uint8)) == tuple(mark.box)


def test_reading_order_is_by_line_then_from_left_to_right() -> None:
    boxes = [(60 + 80 * i, 60 + 120 * line + (i % 3) * 6, 40, 60) for line in range(3) for i in range(5)]
    shuffled = [boxes[i] for i in np.random.default_rng(0).permutation(len(boxes))]
    segments = segment(page(*shuffled))
    assert [mark.line for mark in segments.marks] == [i // 5 for i in range(15)]
    assert [box[0] for box in places(segments)][:5] == pytest.approx([60, 140, 220, 300, 380], abs=2)


@pytest.mark.parametrize("degrees", [-40, -25, -10, 0, 10, 25, 40])
def test_tilted_lines_are_one_line_each(degrees: float) -> None:
    slope = np.tan(np.radians(degrees))
    boxes = [
        (60 + 75 * i, round(400 + 160 * line + (i - 3) * 75 * slope), 34, 48) for line in (-0.5, 0.5) for i in range(6)
    ]
    segments = segment(page(*boxes, height=800))
    assert segments.tilt == pytest.approx(degrees, abs=2)
    assert [mark.line for mark in segments.marks] == [0] * 6 + [1] * 6


def test_a_column_is_a_line_for_each() -> None:
    segments = segment(page(*[(100 + 4 * (i % 2), 20 + 75 * i, 40, 55) for i in range(6)]))
    assert [mark.line for mark in segments.marks] == list(range(6))
    assert segments.tilt == 0


def test_the_bar_of_a_5_belongs_to_it() -> None:
    five = [(100, 120, 40, 50), (110, 106, 42, 6)]
    others = [(200, 105, 45, 65), (300, 106, 40, 66)]
    assert len(segment(page(*five, *others)).marks) == 3


def test_digits_side_by_side_or_one_below_the_other_stay_apart() -> None:
    assert len(segment(page((100, 100, 40, 60), (145, 100, 40, 60), (100, 165, 40, 60))).marks) == 3


def test_specks_and_dashes_are_left_out() -> None:
    segments = segment(page((100, 100, 40, 60), (200, 100, 40, 60), (300, 130, 12, 3), (400, 50, 4, 4)))
    assert len(segments.marks) == 2


def test_why_nothing_is_found() -> None:
    assert segment(np.zeros((50, 50), np.uint8)).reason == "blank"
    dots = np.zeros((100, 100), np.uint8)
    dots[10:90:20, 10:90:20] = 255
    assert segment(dots).reason == "too_small"
    texture = np.zeros((480, 640), np.uint8)
    for y in range(4, 470, 14):
        for x in range(4, 630, 14):
            texture[y : y + 10, x : x + 9] = 255
    assert segment(texture).reason == "clutter"


def test_parts_without_sure_ink_are_left_out() -> None:
    mask = page((100, 100, 40, 60), (300, 100, 40, 60))
    sure = mask.copy()
    sure[:, 250:] = 0
    assert len(segment(mask, sure).marks) == 1


def test_the_typical_size_is_that_of_most_of_the_ink() -> None:
    assert typical_side([8] * 50 + [100, 110, 120]) in (100, 110)
    assert typical_side([]) == 0
    cut = (0, 100, 120, 110)
    assert segment(page((300, 300, 30, 40), cut), ruled_lines=False).digit_side == pytest.approx(40, abs=4)
    assert segment(page(cut), ruled_lines=False).digit_side == pytest.approx(122, abs=4), "where there are no others"
