"""What is struck out is not read; what has a ring or a tick beside it is."""

from __future__ import annotations

import numpy as np
import pytest

from convert.samples.scenes import marked
from convert.samples.scenes.hand import choose_hand
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.writers import Writers

NOBODY = Writers({"writer": {}}, {}, {}, [], [], {}, [], [], [])
INK = np.full((20, 8), 255, np.uint8)


def test_a_strike_doubts_the_marks_from_its_number_on() -> None:
    rng = np.random.default_rng(3)
    sheet, hand = Sheet.blank(80, 120), choose_hand(NOBODY, rng, 20.0)
    for x, label in ((10, "1"), (40, "2"), (60, "3")):
        sheet.paste(INK, x, 30, label)
    marked.strike(sheet, hand, rng, first=2)
    assert sheet.labels[1:4] == ["1", "?2", "?3"] and sheet.labels[4:] == ["strike"]
    struck = np.flatnonzero((sheet.ids == 4).any(axis=0))
    assert struck.min() > 20 and struck.max() < 90


@pytest.mark.parametrize("draw", sorted(set(marked.DRAWN), key=lambda draw: draw.__name__))
def test_what_is_drawn_beside_a_number_leaves_its_digits(draw: marked.Drawing) -> None:
    rng = np.random.default_rng(5)
    sheet, hand = Sheet.blank(200, 300), choose_hand(NOBODY, rng, 20.0)
    sheet.paste(INK, 140, 90, "7")
    draw(sheet, hand, rng, (140, 90, 148, 110))
    assert sheet.labels[1] == "7" and len(sheet.labels) > 2 and (sheet.ids == 1).sum() > 0.9 * INK.size
