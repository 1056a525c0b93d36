"""Things beside the writing cover no mark, and a desk ends where the paper begins."""

from __future__ import annotations

import numpy as np
import pytest

from convert.samples.scenes import things
from convert.samples.scenes.sheet import UNCLEAR, Sheet
from convert.samples.scenes.things import Thing
from convert.samples.scenes.writers import Writers

NOBODY = Writers({}, {}, {}, [], [], {}, [], [], [])


@pytest.mark.parametrize("thing", sorted(set(things.THINGS), key=lambda thing: thing.__name__))
def test_a_thing_covers_no_mark(thing: Thing) -> None:
    page = np.full((120, 160), 200, np.float32)
    changed = 0
    for seed in range(8):
        sheet = Sheet.blank(120, 160)
        sheet.paste(np.full((20, 30), 255, np.uint8), 60, 50, "5")
        ids = sheet.ids.copy()
        after = things.lay(page, sheet, np.random.default_rng(seed), thing)
        assert (sheet.ids[ids > 0] == 1).all()
        # A shadow may fall on it, evenly.
        assert np.ptp(after[ids > 0]) < 120 and after[ids > 0].min() >= 90
        changed += not np.array_equal(after, page)
    assert changed


@pytest.mark.parametrize("thing", [things.ruler, things.display, things.keys])
def test_print_on_things_is_unclear(thing: Thing) -> None:
    seen = 0
    for seed in range(10):
        page, sheet = np.full((300, 400), 200, np.float32), Sheet.blank(300, 400)
        after = things.lay(page, sheet, np.random.default_rng(seed), thing)
        assert set(sheet.labels[1:]) <= {UNCLEAR} and (after[sheet.ids > 0] != 200).all()
        seen += len(sheet.labels) > 1
    assert seen > 3


def test_the_paper_within_the_margins_is_left_as_it_is() -> None:
    page = np.full((100, 140), 210, np.float32)
    margins = np.array([30, 0, 0, 20])
    after = things.lay_desk(page, margins, np.random.default_rng(1), NOBODY, dark=True)
    assert np.allclose(after[:76, 36:], 210, atol=1) and after[:, :3].max() < 200 and after[-3:].max() < 200


def test_some_side_shows_a_desk_and_the_page_stays_small_enough() -> None:
    for seed in range(20):
        margins = things.choose_margins((1090, 400), np.random.default_rng(seed))
        assert margins.min() >= 0 and 1090 + margins[1::2].sum() <= 1100 and 400 + margins[0::2].sum() <= 1100
