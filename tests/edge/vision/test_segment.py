import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.vision.segment import find_parts, mark_of, remove_frames, remove_rules


def page(*rectangles: tuple[int, int, int, int], height: int = 480, width: int = 640) -> np.ndarray:
    """A mask with the outlines of rectangles (x, y, width, height): open shapes, as digits are."""
    mask = np.zeros((height, width), np.uint8)
    for x, y, w, h in rectangles:
        cv2.rectangle(mask, (x, y), (x + w - 1, y + h - 1), 255, 3)
    return mask


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60)), elements=st.sampled_from([0, 255])))
def test_any_mask_has_its_parts(mask: np.ndarray) -> None:
    parts = find_parts(mask)
    assert bool(parts.every) == bool(mask.any())
    assert sum(part[4] for part in parts.every) == np.count_nonzero(mask)
    for i in parts.usable:
        inside = np.zeros(mask.shape, np.uint8)
        inside[parts.window] = parts.labels == i + 1
        assert cv2.boundingRect(inside) == parts.every[i][:4] == tuple(mark_of(parts, [i]).box)
    assert remove_rules(parts, mask, [], 200, 3) is parts.mask


def test_a_mark_holds_its_parts() -> None:
    parts = find_parts(page((100, 120, 40, 50), (110, 106, 42, 6)))
    mark = mark_of(parts, [0, 1])
    assert tuple(mark.box) == (98, 104, 56, 68) and mark.parts == (1, 2)
    assert mark.area == sum(part[4] for part in parts.every)


def test_parts_with_little_sure_ink_are_not_usable() -> None:
    mask = page((100, 100, 40, 60), (300, 100, 40, 60))
    sure = mask.copy()
    sure[:, 250:] = 0
    sure[99, 310] = 255
    assert len(find_parts(mask, sure, 2).usable) == 1
    assert len(find_parts(mask, sure, 1).usable) == 2


@pytest.mark.parametrize("clear", [False, True])
def test_what_reads_as_a_digit_keeps_its_strokes(clear: bool) -> None:
    mask = page((100, 100, 40, 60))
    mask[159:162, 50:500] = 255
    parts = find_parts(mask)
    left = remove_rules(parts, mask, [0] if clear else [], 80, 3)
    assert (left is mask) == clear
    assert clear or not left[160, 200:].any()


def test_weak_ink_does_not_join_strong_strokes() -> None:
    mask = page((100, 100, 40, 60), (150, 100, 40, 60))
    ink = mask.copy()
    mask[128:132, 138:152] = 255
    ink[128:132, 142:149] = 100
    left = remove_rules(find_parts(mask), ink, [], 80, 3)
    assert len(find_parts(left).every) == 2


@pytest.mark.parametrize("held", [True, False])
def test_a_box_is_taken_away_if_something_is_in_it(held: bool) -> None:
    mask = np.zeros((200, 200), np.uint8)
    cv2.rectangle(mask, (50, 50), (150, 150), 255, 3)
    digit = page((95, 75, 6, 50), height=200, width=200) if held else np.zeros_like(mask)
    parts = find_parts(cv2.bitwise_or(mask, digit))
    left = remove_frames(parts, [], 6)
    assert np.array_equal(left, digit) if held else left is parts.mask
