import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.handwriting import rendering
from edge.handwriting.forms import FORMS
from edge.handwriting.rendering import draw, page, render
from edge.handwriting.styles import GAP, WritingStyle, random_style, varied_style

seeds = st.integers(0, 2**32 - 1)
few_lines = st.lists(st.text("0123456789", min_size=1, max_size=6), min_size=1, max_size=3)
plain = WritingStyle(forms=(0,) * 10)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("digit", range(10))
def test_every_form_is_drawn_about_an_em_tall(digit):
    for form in range(len(FORMS[digit])):
        style = WritingStyle(forms=(form,) * 10)
        left, top, right, bottom = rendering.extent(draw(digit, rng(), style))
        assert 0.85 < bottom - top < 1.25
        assert right - left < 0.9


@pytest.mark.parametrize("digit", range(10))
def test_the_forms_of_a_digit_differ(digit):
    inks = [render(draw(digit, rng(), WritingStyle(forms=(f,) * 10)), 40, 40, 4) for f in range(len(FORMS[digit]))]
    for a, b in itertools.combinations(inks, 2):
        assert (np.abs(a.astype(int) - b) > 128).sum() > 10


def test_a_curve_goes_through_its_points():
    points = np.array([[0, 0], [1, 0], [1, 1], [3, 1.0]])
    drawn = rendering.curve(points)
    assert all(np.linalg.norm(drawn - point, axis=1).min() < 1e-9 for point in points)


@pytest.mark.parametrize("pen", [1.5, 2, 3, 5, 8])
def test_a_line_is_as_wide_as_its_pen(pen):
    line = np.array([[20, 32], [80, 35]], np.float32)
    ink = rendering.rasterise([line], 64, 100, pen)
    assert ink[:, 30:70].sum() / 255 / 40 == pytest.approx(pen, abs=0.3)


def test_pressure_makes_a_line_thinner_here_and_there():
    line = np.linspace([20, 32], [80, 35], 60, dtype=np.float32)
    even, varied = (
        rendering.rasterise([line], 64, 100, 6, rng(1), pressure).sum(axis=0)[30:70] for pressure in (0, 0.5)
    )
    assert (varied <= even).all()
    assert np.ptp(varied) > 255 > np.ptp(even)


def test_a_seven_turns_a_sharp_corner():
    path = draw(7, rng(), plain)[0]
    steps = np.diff(path, axis=0)
    steps = steps[np.linalg.norm(steps, axis=1) > 1e-6]
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    assert np.abs(np.diff(angles)).max() > np.radians(70)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_a_seed_always_writes_the_same(seed):
    first, second = (page(["1740", "58"], 120, 200, rng(seed)) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert first[1] == second[1]


def test_two_people_write_differently_and_one_person_alike():
    def distance(one, other):
        return np.abs(one.astype(int) - other).mean()

    def five(style, seed):
        return render(draw(5, rng(seed), style), 48, 48, 4)

    people = [random_style(rng(seed)) for seed in range(8)]
    own = np.mean([distance(five(style, 1), five(style, 2)) for style in people])
    others = np.mean([distance(five(a, 1), five(b, 2)) for a, b in itertools.combinations(people, 2)])
    assert 0 < own < 0.7 * others


@given(seeds, st.integers(0, 9), st.integers(24, 90), st.integers(24, 90), st.floats(1, 6))
@settings(max_examples=40, deadline=None)
def test_a_rendered_digit_fills_its_picture_and_leaves_the_border(seed, digit, height, width, pen):
    ink = render(draw(digit, rng(seed), random_style(rng(seed))), height, width, pen)
    assert ink.shape == (height, width)
    assert ink.max() > 200
    assert not (ink[0].any() or ink[-1].any() or ink[:, 0].any() or ink[:, -1].any())
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert max(np.ptp(rows) + 1 - (height - 5), np.ptp(columns) + 1 - (width - 5)) >= 0


@given(seeds, few_lines)
@settings(max_examples=20, deadline=None)
def test_the_boxes_of_a_page_hold_its_ink_and_stay_apart(seed, lines):
    height, width = 60 * len(lines) + 20, 320
    style = random_style(rng(seed))
    ink, boxes = page(lines, height, width, rng(seed + 1), style)
    assert len(boxes) == len("".join(lines))

    covered = np.zeros_like(ink)
    for x, y, w, h in boxes:
        assert ink[y : y + h, x : x + w].max() > 100
        covered[y : y + h, x : x + w] = 1
    assert not ink[covered == 0].any()
    # The em is not told; the tallest digit is hardly taller than 1.4 of it, and antialiasing takes a pixel.
    gap = GAP * max(h for *_, h in boxes) / 1.5 - 2
    assert min(min(x, y, width - x - w, height - y - h) for x, y, w, h in boxes) >= gap

    ends = list(itertools.accumulate(len(line) for line in lines))
    rows = [boxes[end - len(line) : end] for line, end in zip(lines, ends, strict=True)]
    for row in rows:
        assert all(b.x - (a.x + a.width) >= gap for a, b in itertools.pairwise(row))
    for above, below in itertools.pairwise(rows):
        assert min(b.y for b in below) - max(a.y + a.height for a in above) >= gap


@given(seeds, st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_varied_style_is_the_same_for_the_same_seed_and_no_digit_falls_apart(seed, digit):
    first, second = (draw(digit, rng(seed), varied_style(rng(seed))) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    style = varied_style(rng(seed))
    assert len(first) == len(FORMS[digit][style.forms[digit]])
    left, top, right, bottom = rendering.extent(first)
    assert 0.75 < bottom - top < 1.4
    assert right - left < 2


def test_varied_styles_differ_more_than_random_styles():
    def spread(who):
        styles = [dataclasses.replace(who(rng(seed)), forms=(0,) * 10) for seed in range(80)]
        extents = [rendering.extent(draw(4, rng(1), style)) for style in styles]
        return np.std([right - left for left, _, right, _ in extents])

    assert spread(varied_style) > 1.3 * spread(random_style)


def test_a_stroke_that_overshoots_goes_on_where_it_was_heading():
    path = np.linspace([0, 0], [0.3, 0.4], 20)
    lengths = []
    for seed in range(30):
        longer = rendering._vary_ends(path, rng(seed), WritingStyle(forms=(0,) * 10, overshoot=0.1))
        assert np.abs(longer @ [0.8, -0.6]).max() < 1e-9, "off its line"
        lengths.append(np.linalg.norm(longer[-1] - longer[0]))
    assert min(lengths) < 0.5 < max(lengths) < 1.1


def test_a_hook_at_the_end_turns_aside_and_is_short():
    path = np.linspace([0, 0], [0.3, 0.4], 20)
    hooked = rendering._vary_ends(path, rng(3), WritingStyle(forms=(0,) * 10, tick=1.0))
    assert np.array_equal(hooked[1:-1], path)
    for tip, end in ((hooked[0], path[0]), (hooked[-1], path[-1])):
        assert 0.019 < np.linalg.norm(tip - end) < 0.071
        assert abs((tip - end) @ [0.8, -0.6]) > 0.005


def test_a_waist_moves_the_middle_and_neither_end():
    class Habit:
        def normal(self, mean, deviation, size=None):
            return 0.0 if size is not None else np.array([0.1, 0.0])

    still = WritingStyle(forms=(0,) * 10, turn=0.0)
    low = rendering.draw_form(FORMS[8][2], rng(1), still, Habit())
    middle = rendering.draw_form(FORMS[8][2], rng(1), still, np.random.default_rng(0))
    (_, top, _, crossing), (_, low_top, _, low_crossing) = rendering.extent(middle[:1]), rendering.extent(low[:1])
    assert low_crossing - crossing == pytest.approx(0.1, abs=0.015)
    assert low_top == pytest.approx(top, abs=0.01)


def test_a_page_of_nothing_is_empty():
    ink, boxes = page(["", ""], 50, 60, rng())
    assert ink.shape == (50, 60)
    assert not ink.any() and boxes == []


def test_too_much_for_the_page_is_refused():
    with pytest.raises(ValueError, match="do not fit into 100x100"):
        page(["0123456789" * 3], 100, 100, rng())


def test_a_digit_that_just_fits_is_written() -> None:
    for seed in range(200):
        ink, boxes = page(("1",), 28, 28, np.random.default_rng(seed))
        assert ink.any() and len(boxes) == 1
