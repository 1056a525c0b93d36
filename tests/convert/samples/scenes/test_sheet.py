"""A sheet knows which mark each pixel belongs to, and which marks are cut off."""

from __future__ import annotations

import numpy as np

from convert.samples.scenes.sheet import UNCLEAR, Sheet

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
