"""A sheet knows which mark each pixel belongs to, and which marks are cut off; digits on it touch as they should."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from convert.samples.scenes.hand import Hand, choose_hand, write_mark
from convert.samples.scenes.sheet import UNCLEAR, Sheet, Written, beside, write
from convert.samples.scenes.writers import Writers
from edge.types import Pixels

NOBODY = Writers({"writer": {}}, {}, {}, [], [], {}, [], [], [])

INK = np.full((10, 6), 255, np.uint8)


def test_a_whole_mark_keeps_its_label() -> None:
    sheet = Sheet.blank(40, 60)
    number = sheet.paste(INK, 54, 30, "7")
    assert sheet.labels[number] == "7" and (sheet.ids == number).sum() == INK.size
    assert sheet.box() == (54, 30, 60, 40)


def test_a_mark_over_the_border_is_cut_off() -> None:
    sheet = Sheet.blank(40, 60)
    assert sheet.labels[sheet.paste(INK, -4, 3, "7")] == "?7" and sheet.labels[sheet.paste(INK, -2, 23, "a")] == "?a"
    assert sheet.paste(INK, 80, 3, "7") == 0 and len(sheet.labels) == 3


def test_a_digit_of_which_most_is_left_is_unclear() -> None:
    sheet = Sheet.blank(40, 60)
    sheet.paste(INK, -1, 3, "7")
    sheet.paste(INK, 30, 3, "8")
    assert sheet.labels == ["paper", UNCLEAR, "8"] and sheet.framed(32, 0, 60, 40).labels[2] == UNCLEAR


def test_what_a_crop_cuts_is_cut_off_and_the_rest_is_not() -> None:
    sheet = Sheet.blank(40, 60)
    sheet.paste(INK, 10, 10, "1")
    sheet.paste(INK, 40, 10, "2")
    cropped = sheet.framed(14, -5, 80, 40)
    assert cropped.labels == ["paper", "?1", "2"] and cropped.ink.shape == (45, 66)
    assert np.array_equal(np.unique(cropped.ids), [0, 1, 2]) and sheet.labels[1] == "1"


def test_a_line_is_drawn_where_its_points_are() -> None:
    sheet = Sheet.blank(40, 60)
    sheet.trace([np.array([[20, 5], [20, 30]], np.float32)], 4, "line")
    left, top, right, bottom = sheet.box() or (0, 0, 0, 0)
    assert abs(left - 18) <= 1 and abs(right - 22) <= 1 and abs(top - 3) <= 1 and abs(bottom - 32) <= 1


def hand(seed: int, **more: object) -> Hand:
    """Somebody who writes forms."""
    usual = {
        "pictures": "forms",
        "touch": 0.0,
        "chain": 0.0,
        "open": 0.0,
        "gap": 0.4,
        "bar": False,
        "hop": 0.0,
        "slant": 0.0,
    }
    chosen = choose_hand(NOBODY, np.random.default_rng(seed), 40.0)
    return replace(chosen, pen=4.0, **{**usual, **more})  # type: ignore[arg-type]


def parts(ink: Pixels) -> int:
    """How many separate pieces the ink has."""
    return int(cv2.connectedComponents((ink > 100).astype(np.uint8))[0]) - 1


@pytest.mark.parametrize("seed", range(6))
def test_digits_touch_as_often_as_the_hand_lets_them(seed: int) -> None:
    def written(text: str, **more: object) -> int:
        sheet = Sheet.blank(160, 500)
        write(sheet, hand(seed, **more), text, 20, 60, np.random.default_rng(seed))
        assert sheet.labels[1:] == list(text)
        return parts(sheet.ink)

    apart = written("8008")
    assert written("8008", touch=1.0) == apart - 3, "each touches the one before"
    assert written("8008", chain=1.0) == apart - 1, "the zeros touch"


def test_the_ink_of_two_marks_is_as_far_apart_as_asked() -> None:
    ring = np.zeros((40, 40), np.uint8)
    cv2.circle(ring, (20, 20), 15, 255, 3)
    first = Written("0", ring, 100, 50)
    assert beside(first, Written("0", ring, 0, 50), 6.0) == pytest.approx(100 + 33 + 6, abs=2)
    assert beside(first, Written("0", ring, 0, 50), -3.0) == pytest.approx(100 + 33 - 3, abs=2)
    assert beside(first, Written("0", ring, 0, 50), -30.0) >= 100 + 33 - 1 - 0.3 * 40, "one does not cover the other"
    assert beside(first, Written("0", ring, 0, 120), -3.0) == 100 + 40 - 3, "no row has both"


def test_open_zeros_have_no_loop() -> None:
    rng = np.random.default_rng(2)

    def loops(share: float) -> int:
        found = 0
        for seed in range(20):
            ink = write_mark(hand(seed, open=share, height=120.0), "0", rng)
            assert ink is not None
            found += parts(255 - np.pad(ink, 2)) > 1
        return found

    assert loops(0.0) > loops(1.0) + 4
