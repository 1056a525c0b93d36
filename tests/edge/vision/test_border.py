import numpy as np
import pytest

from edge.types import Box
from edge.vision.border import crosses_one_side, min_side_at_border, touches_border
from edge.vision.segment import segment
from tests.edge.vision.test_segment import page, places


def test_a_box_touches_the_border_from_one_pixel_away_on() -> None:
    shape = (100, 200)
    assert touches_border((1, 40, 10, 20), shape) and touches_border((189, 40, 10, 20), shape)
    assert touches_border((40, 1, 10, 20), shape) and touches_border((40, 79, 10, 20), shape)
    assert not touches_border((2, 2, 196, 96), shape)


def test_a_box_crosses_one_side_and_not_both() -> None:
    assert crosses_one_side(Box(0, 10, 20, 60), 100) and crosses_one_side(Box(80, 10, 20, 60), 100)
    assert not crosses_one_side(Box(0, 10, 100, 60), 100) and not crosses_one_side(Box(40, 10, 20, 60), 100)


def test_a_digit_near_the_border_has_to_be_large() -> None:
    assert min_side_at_border((100, 200), digit_side=40) == 50, "half of the picture's shorter side"
    assert min_side_at_border((40, 200), digit_side=40) == 30, "three quarters of a typical digit"
    whole, cut_off = (200, 200, 40, 60), (0, 300, 20, 40)
    assert [box[:2] for box in places(segment(page(whole, cut_off)))] == [(198, 198)]


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_dark_table_beside_the_page_is_no_digit(side: str) -> None:
    mask = page((200, 200, 40, 60), (300, 200, 40, 60))
    strip = {"left": np.s_[:, :25], "right": np.s_[:, -25:], "top": np.s_[:25], "bottom": np.s_[-25:]}[side]
    mask[strip] = 255
    assert [box[:2] for box in places(segment(mask))] == [(198, 198), (298, 198)]


def test_a_digit_that_fills_the_picture_is_kept() -> None:
    mask = np.zeros((60, 40), np.uint8)
    mask[:, 18:24] = 255
    mask[:6, 5:24] = 255
    assert len(segment(mask).marks) == 1
