import cv2
import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.components import connected_components
from edge.vision.rules import find_rules, pieces, without_frame, without_rules

PEN = 6


def rings(*places: tuple[int, int]) -> Pixels:
    """Zeros of 56 by 80 pixels at these places."""
    mask = np.zeros((480, 640), np.uint8)
    for place in places:
        cv2.ellipse(mask, place, (25, 37), 0, 0, 360, 255, PEN)
    return mask


def sizes(mask: Pixels) -> list[tuple[int, int]]:
    return sorted((width, height) for _, _, width, height, _ in connected_components(mask)[1][1:].tolist())


@pytest.mark.parametrize("degrees", [-5, -2, 0, 3, 5])
def test_a_rule_that_digits_touch_is_taken_away(degrees: float) -> None:
    digits = rings((160, 240), (300, 240), (440, 240))
    slope = np.tan(np.radians(degrees))
    mask = digits.copy()
    cv2.line(mask, (60, round(240 - 240 * slope)), (600, round(240 + 300 * slope)), 255, 3)
    left = without_rules(mask, 100, PEN)
    large = [size for size in sizes(left) if max(size) > 40]
    assert len(large) == 3 and all(50 <= w <= 64 and 74 <= h <= 90 for w, h in large)


def test_strokes_of_digits_are_no_rules() -> None:
    digits = rings((160, 240), (300, 240))
    cv2.line(digits, (400, 200), (400, 280), 255, PEN)
    cv2.line(digits, (450, 200), (510, 200), 255, PEN)
    assert not find_rules(digits, 100, PEN).any()
    assert without_rules(digits, 100, PEN) is digits


def test_a_box_is_taken_from_around_the_digit_that_touches_it() -> None:
    mask = rings((160, 240))
    cv2.rectangle(mask, (110, 190), (230, 281), 255, 3)
    part = np.ascontiguousarray(mask[188:285, 108:234])
    left = without_frame(part, np.zeros_like(part), PEN)
    assert [size for size in sizes(left) if max(size) > 40] == [pytest.approx((57, 80), abs=6)]


def test_a_one_that_is_as_tall_as_its_box_is_no_side() -> None:
    part = np.zeros((100, 271), np.uint8)
    for left in (0, 90, 180):
        cv2.rectangle(part, (left + 1, 1), (left + 90, 98), 255, 3)
    cv2.line(part, (136, 2), (133, 90), 255, PEN)
    left = without_frame(part, np.zeros_like(part), PEN)
    assert [size for size in sizes(left) if max(size) > 40] == [pytest.approx((10, 90), abs=6)]


def test_a_zero_that_reaches_into_the_next_box_joins_no_boxes() -> None:
    part = np.zeros((100, 201), np.uint8)
    for left in (0, 110):
        cv2.rectangle(part, (left + 1, 1), (left + 89, 98), 255, 3)
    cv2.ellipse(part, (75, 50), (40, 35), 0, 0, 360, 255, PEN)
    left = without_frame(part, np.zeros_like(part), PEN)
    assert [size for size in sizes(left) if max(size) > 40] == [pytest.approx((77, 77), abs=6)]


@pytest.mark.parametrize(
    ("row", "cut"), [("0110", [(0, 4)]), ("110011000", [(0, 3), (3, 9)]), ("10101", [(0, 1), (1, 3), (3, 5)])]
)
def test_a_mask_is_cut_in_its_gaps(row: str, cut: list[tuple[int, int]]) -> None:
    assert pieces(np.array([[255 * int(char) for char in row]], np.uint8)) == cut


def test_a_zero_is_no_box() -> None:
    part = np.ascontiguousarray(rings((160, 240))[200:281, 132:189])
    assert without_frame(part, np.zeros_like(part), PEN) is part
