import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scoreboard import layout
from tests.scoreboard.layout import Digits


@pytest.fixture
def bars() -> Digits:
    """Ones, upright and 20 pixels tall."""
    one = np.zeros((28, 28), np.uint8)
    one[4:24, 12:16] = 255
    return Digits(one[None], np.array([1], np.uint8))


def test_pieces_side_by_side_overlap_by_the_given_share() -> None:
    """Two squares of 20 x 20 overlap in 10 % of their ink: in 2 columns."""
    square = np.full((20, 20), 255, np.uint8)
    ink, spans = layout.push_together([square, square], [0.1])
    assert ink.shape == (20, 38)
    assert spans == [(0, 20), (18, 38)]
    apart, _ = layout.push_together([square, square], [-7])
    assert apart.shape == (20, 47)


def test_rows_have_the_given_number_and_height(bars: Digits) -> None:
    made = layout.block(np.random.default_rng(1), bars, [3, 2], 100)
    assert made.truth == "111\n11"
    assert [len(row) for row in made.boxes] == [3, 2]
    for row, baseline in zip(made.boxes, made.baselines, strict=True):
        for box in row:
            assert box.height == pytest.approx(100, abs=5)
            assert box.y + box.height == pytest.approx(baseline, abs=12)
            assert made.ink[box.y + box.height // 2, box.x + box.width // 2] == 255


@given(st.integers(0, 500))
def test_a_plan_has_room_for_its_digits(seed: int) -> None:
    made = layout.plan(np.random.default_rng(seed))
    assert 1 <= sum(made.rows) <= layout.MOST
    assert max(made.rows) * made.em <= made.shape[1]
    assert len(made.rows) * made.em <= made.shape[0]


@given(st.integers(0, 500))
def test_ink_is_put_on_the_page_whole(seed: int) -> None:
    ink = np.zeros((60, 90), np.uint8)
    ink[10:50, 20:80] = 255
    page, left, top = layout.place(np.random.default_rng(seed), ink, (200, 300), 10)
    assert np.count_nonzero(page) == 40 * 60
    rows, columns = np.flatnonzero(page.any(axis=1)), np.flatnonzero(page.any(axis=0))
    assert (rows[0] - top, columns[0] - left) == (10, 20)
    assert rows[0] >= 10 and rows[-1] < 190 and columns[0] >= 10 and columns[-1] < 290


def test_turning_keeps_the_ink() -> None:
    ink = np.full((40, 80), 255, np.uint8)
    turned = layout.rotate(ink, 30)
    assert int(turned.astype(int).sum()) == pytest.approx(40 * 80 * 255, rel=0.02)
    # Clockwise: the right end goes down.
    rows = [np.flatnonzero(turned[:, x] > 127).mean() for x in (turned.shape[1] // 4, 3 * turned.shape[1] // 4)]
    assert rows[1] > rows[0]
