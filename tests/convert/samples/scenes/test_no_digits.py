"""What is drawn on a page without digits is called so, and stays where it was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from convert.samples.scenes.hand import choose_hand
from convert.samples.scenes.no_digits import MIN_DOODLE, doodle, drawings
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.writers import Writers

NOBODY = Writers({"writer": {}}, {}, {}, [], [], {}, [], [], [])


def drawn(seed: int, x: float, y: float, size: float) -> Sheet:
    """A sheet of 200x300 pixels with one drawing."""
    rng = np.random.default_rng(seed)
    sheet, hand = Sheet.blank(200, 300), choose_hand(NOBODY, rng, 30.0)
    doodle(sheet, hand, rng, x, y, size)
    return sheet


@pytest.mark.parametrize("seed", range(20))
def test_a_drawing_stays_within_its_square(seed: int) -> None:
    sheet = drawn(seed, 40, 30, 100)
    assert sheet.labels == ["paper", "drawing"]
    left, top, right, bottom = sheet.box() or (0, 0, 0, 0)
    assert 40 <= left < right <= 140 and 30 <= top < bottom <= 130
    assert max(right - left, bottom - top) >= 0.3 * 100
    sheet.ink[30:130, 40:140] = 0
    assert not sheet.ink.any()


def test_no_two_drawings_are_alike() -> None:
    assert len({drawn(seed, 40, 30, 100).ink.tobytes() for seed in range(20)}) == 20


def test_a_drawing_that_leaves_the_sheet_is_cut_off() -> None:
    for seed in range(20):
        sheet = drawn(seed, 250, 150, 100)
        assert sheet.labels[1:] in ([], ["drawing"], ["?drawing"]) and sheet.ink.shape == (200, 300)
        assert sheet.labels[1:] != ["drawing"] or (sheet.box() or (0, 0, 0, 0))[2] > 250
    assert "?drawing" in sheet.labels


def test_a_blot_is_not_drawn() -> None:
    assert drawn(1, 40, 30, MIN_DOODLE).ink.any() and not drawn(1, 40, 30, MIN_DOODLE - 1).ink.any()


def test_a_page_of_drawings_has_nothing_else() -> None:
    kinds = set()
    for seed in range(20):
        sheet, _ = drawings(NOBODY, np.random.default_rng(seed))
        kinds |= {label.lstrip("?") for label in sheet.labels}
    assert kinds == {"paper", "drawing", "scribble"}
