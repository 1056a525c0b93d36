import numpy as np
import pytest

from edge.vision.text_lines import line_numbers, line_tilt, reading_order


def row(count: int, y: float, tilt: float = 0.0, sag: float = 0.0, side: int = 30, pitch: int = 45) -> np.ndarray:
    """Boxes of digits in a row that falls by so many degrees and sags by so many pixels."""
    x = np.arange(count) * pitch
    across = x / max(1, (count - 1) * pitch)
    down = y + x * np.tan(np.radians(tilt)) + sag * 4 * across * (1 - across)
    return np.stack([x, down, np.full(count, side), np.full(count, side)], axis=1).astype(np.int32)


@pytest.mark.parametrize("tilt", [-30, -8, 0, 8, 30])
def test_lines_keep_together_at_any_tilt(tilt: float) -> None:
    boxes = np.concatenate([row(6, 0, tilt), row(5, 60, tilt), row(6, 120, tilt)])
    found = line_tilt(boxes, 30)
    assert found == pytest.approx(tilt, abs=3)
    assert line_numbers(boxes, found, 30) == [0] * 6 + [1] * 5 + [2] * 6


@pytest.mark.parametrize("sag", [-40, 40])
def test_a_curved_line_is_one_line(sag: float) -> None:
    boxes = np.concatenate([row(7, 0, sag=sag), row(7, 60, sag=sag)])
    assert line_numbers(boxes, 0.0, 30) == [0] * 7 + [1] * 7


def test_columns_far_apart_are_read_across() -> None:
    left = np.array([[0, y, 20, 30] for y in (0, 50, 100)])
    boxes = np.concatenate([left, left + [300, 4, 0, 0]]).astype(np.int32)
    assert line_numbers(boxes, 0.0, 30) == [0, 1, 2, 0, 1, 2]


def test_what_stands_above_each_other_is_two_lines() -> None:
    boxes = np.array([[0, 0, 20, 30], [2, 34, 20, 30]], np.int32)
    assert line_numbers(boxes, 0.0, 30) == [0, 1]


def test_a_single_mark_is_a_line() -> None:
    one = np.array([[10, 10, 20, 30]], np.int32)
    assert line_tilt(one, 30) == 0
    assert line_numbers(one, 0, 30) == [0]


def test_marks_are_read_line_by_line_from_left_to_right() -> None:
    boxes = [(200, 100, 20, 40), (20, 4, 20, 40), (20, 100, 30, 40), (200, 0, 20, 40), (110, 98, 20, 40)]
    assert reading_order(boxes, 0.0, 40) == [(1, 0), (3, 0), (2, 1), (4, 1), (0, 1)]


def test_without_marks_there_is_nothing_to_read() -> None:
    assert reading_order([], 0.0, 40) == []
