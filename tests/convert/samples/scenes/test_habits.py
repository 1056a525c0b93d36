"""A person's habits change how digits look, and leave them digits."""

from __future__ import annotations

import numpy as np

from convert.data.marks import extent
from convert.samples.scenes.habits import Habits, choose_habits

SEVEN = [np.array([[0, 0], [5, 0], [10, 0], [8, 5], [6, 10], [4, 15], [2, 20]], np.float32)]
RNG = np.random.default_rng(1)


def test_without_habits_strokes_stay_as_they_are() -> None:
    strokes, longer = Habits().of_mark("7", SEVEN, RNG)
    assert longer == 1 and np.array_equal(strokes[0], SEVEN[0])


def test_a_tail_makes_a_seven_longer_and_leaves_its_top() -> None:
    strokes, longer = Habits(tail=1.8).of_mark("7", SEVEN, RNG)
    assert np.isclose(extent(strokes)[1], longer * 20) and longer > 1.4
    assert np.array_equal(strokes[0][:3], SEVEN[0][:3])


def test_a_seven_gets_a_hook_a_bar_and_a_foot() -> None:
    strokes, _ = Habits(hook=0.2, bar=True, foot=True).of_mark("7", SEVEN, RNG)
    assert strokes[0][0, 1] == 4 and len(strokes) == 3
    assert 8 < strokes[1][:, 1].mean() < 13 and strokes[2][:, 1].mean() == 20


def test_corners_leave_fewer_points_and_the_ends() -> None:
    turns = np.linspace(0, 5, 60)
    arc = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
    (cut,), _ = Habits(corner=0.05).of_mark("3", [arc], RNG)
    assert 4 <= len(cut) < 20 and np.array_equal(cut[[0, -1]], arc[[0, -1]])


def test_people_differ_and_no_digit_becomes_a_line() -> None:
    people = [choose_habits(np.random.default_rng(seed)) for seed in range(60)]
    assert len(set(people)) > 30 and {one.joined for one in people} == {False, True}
    assert all(0.55 <= width <= 1.6 for one in people for width in one.widths)
