"""Things beside the writing cover no mark, and a desk ends where the paper begins."""

from __future__ import annotations

import numpy as np
import pytest

from convert.samples.scenes import things
from convert.samples.scenes.things import Thing
from convert.samples.scenes.writers import Writers

NOBODY = Writers({}, {}, {}, [], [], {}, [], [], [])


@pytest.mark.parametrize("thing", sorted(set(things.THINGS), key=lambda thing: thing.__name__))
def test_a_thing_covers_no_mark(thing: Thing) -> None:
    page = np.full((120, 160), 200, np.float32)
    ids = np.zeros(page.shape, np.int16)
    ids[50:70, 60:90] = 1
    changed = 0
    for seed in range(8):
        after = things.lay(page, ids, np.random.default_rng(seed), thing)
        # A shadow may fall on it, evenly.
        assert np.ptp(after[ids > 0]) < 120 and after[ids > 0].min() >= 90
        changed += not np.array_equal(after, page)
    assert changed


def test_the_paper_within_the_margins_is_left_as_it_is() -> None:
    page = np.full((100, 140), 210, np.float32)
    margins = np.array([30, 0, 0, 20])
    after = things.lay_desk(page, margins, np.random.default_rng(1), NOBODY, dark=True)
    assert np.allclose(after[:76, 36:], 210, atol=1) and after[:, :3].max() < 200 and after[-3:].max() < 200


def test_some_side_shows_a_desk_and_the_page_stays_small_enough() -> None:
    for seed in range(20):
        margins = things.choose_margins((1090, 400), np.random.default_rng(seed))
        assert margins.min() >= 0 and 1090 + margins[1::2].sum() <= 1100 and 400 + margins[0::2].sum() <= 1100
