from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert.samples.nondigits import marks as nondigits
from convert.samples.nondigits import scribbles, textures
from convert.samples.nondigits.letters import LETTERS
from edge.handwriting import rendering, styles
from edge.vision.normalise import normalise
from tests.support import small

seeds = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_there_is_one_for_each_glyph_the_same_for_the_same_seed() -> None:
    glyphs = small.data().train[:40]
    one = nondigits.nondigits(glyphs, [1, 2])
    assert one.shape == (40, 28, 28) and one.dtype == np.uint8
    assert all(glyph.max() > 100 for glyph in one)
    assert np.array_equal(one, nondigits.nondigits(glyphs, [1, 2]))
    assert not np.array_equal(one, nondigits.nondigits(glyphs, [1, 3]))
    assert np.array_equal(glyphs, small.data().train[:40]), "the originals stay as they were"


@pytest.mark.parametrize("kind", nondigits.KINDS)
@given(seed=seeds)
@settings(max_examples=15)
def test_every_kind_ends_in_ink_that_is_neither_a_bar_nor_a_ring(kind, seed: int) -> None:
    glyph = nondigits._generate(kind, small.data().train[:3], seed % 3, rng(seed))
    assert glyph.any() and not nondigits.may_be_digit(glyph)


def test_one_glyph_is_enough() -> None:
    assert nondigits.nondigits(small.data().train[:1], 7).shape == (1, 28, 28)


def drawn(*lines: list[tuple[int, int]], pen: int = 7) -> np.ndarray:
    ink = np.zeros((100, 100), np.uint8)
    for line in lines:
        cv2.polylines(ink, [np.array(line)], False, 255, pen, cv2.LINE_AA)
    return normalise(ink)


def ellipse(*rings: tuple[int, int]) -> np.ndarray:
    ink = np.zeros((100, 100), np.uint8)
    for axes in rings:
        cv2.ellipse(ink, (50, 50), axes, 0, 0, 360, 255, 6)
    return normalise(ink)


@pytest.mark.parametrize("degrees", [0, 20, -20, 40, -40])
def test_a_line_near_the_vertical_may_be_a_one(degrees: int) -> None:
    x = round(40 * np.tan(np.radians(degrees)))
    assert nondigits.may_be_digit(drawn([(50 + x, 10), (50 - x, 90)]))


@pytest.mark.parametrize("axes", [(20, 40), (30, 40), (40, 40), (44, 30)])
def test_a_plain_ring_may_be_a_zero(axes: tuple[int, int]) -> None:
    assert nondigits.may_be_digit(ellipse(axes))


def test_other_marks_are_not_doubtful() -> None:
    assert not nondigits.may_be_digit(drawn([(10, 50), (90, 50)])), "a dash"
    assert not nondigits.may_be_digit(drawn([(10, 70), (90, 45)])), "a sloping dash"
    assert not nondigits.may_be_digit(drawn([(10, 50), (90, 50)], [(50, 10), (50, 90)])), "a plus"
    assert not nondigits.may_be_digit(drawn([(10, 85), (50, 10), (90, 85), (10, 85)])), "a triangle"
    assert not nondigits.may_be_digit(ellipse((40, 40), (18, 18))), "two rings"


def test_two_inks_are_as_near_as_asked() -> None:
    left, right = (np.pad(np.full((40, 12), 255, np.uint8), 5) for _ in range(2))
    for gap, between in ((0.1, 4), (0.5, 20), (-0.1, -4)):
        joined = nondigits.join([left, right], gap, rng(1))
        columns = np.flatnonzero(joined.any(axis=0))
        assert np.ptp(columns) + 1 == 24 + between


def test_inks_nest_where_their_outlines_let_them() -> None:
    ink = np.zeros((40, 40), np.uint8)
    cv2.line(ink, (2, 37), (37, 2), 255, 4)
    joined = nondigits.join([ink, ink], 0.1, rng(1))
    assert joined.shape[1] < 70, "parallel strokes are as near as upright ones"
    assert cv2.connectedComponents(joined)[0] == 3, "and do not touch"


@given(seed=seeds, share=st.floats(0.3, 0.7))
def test_a_cut_keeps_the_left_and_nothing_of_the_right(seed: int, share: float) -> None:
    ink = np.full((40, 60), 200, np.uint8)
    kept = nondigits.cut(ink, share, rng(seed))
    assert kept.shape == ink.shape
    assert (np.diff((kept > 0).astype(int), axis=1) <= 0).all(), "each row ends once"
    assert kept.sum() / ink.sum() == pytest.approx(share, abs=0.08)


def test_a_fragment_is_a_good_part_in_one_piece_or_nothing() -> None:
    ring = np.zeros((50, 50), np.uint8)
    cv2.ellipse(ring, (25, 25), (15, 20), 0, 0, 360, 255, 4)
    parts = [nondigits.fragment(ring, rng(seed)) for seed in range(20)]
    assert all(0.3 * ring.sum() < part.sum() < 0.8 * ring.sum() for part in parts)
    dots = np.zeros((50, 50), np.uint8)
    dots[::10, ::10] = 255
    assert not nondigits.fragment(dots, rng()).any()


@pytest.mark.parametrize("form", LETTERS, ids=range(len(LETTERS)))
def test_every_letter_is_drawn_and_none_is_doubtful_in_a_plain_hand(form: tuple[str, ...]) -> None:
    hand = styles.WritingStyle(forms=(0,) * 10)
    ink = nondigits._render(rendering.draw_form(form, rng(), hand, rng()), 0.08)
    assert max(ink.shape) <= 2.5 * nondigits.EM
    assert not nondigits.may_be_digit(normalise(ink))


def test_no_letter_is_there_twice() -> None:
    assert len(set(LETTERS)) == len(LETTERS)


@pytest.mark.parametrize("kind", scribbles.KINDS)
def test_every_scribble_is_strokes_that_fit_a_picture(kind) -> None:
    for seed in range(20):
        marks = kind(rng(seed))
        assert all(mark.ndim == 2 and mark.shape[1] == 2 and mark.dtype == np.float32 for mark in marks)
        assert np.isfinite(np.concatenate(marks)).all()
        assert rendering.render(marks, 40, 64, 3).any()


@given(seed=seeds)
def test_a_blot_is_filled(seed: int) -> None:
    ink = scribbles.blot(rng(seed))
    assert ink.shape == (scribbles.SIDE, scribbles.SIDE)
    assert 0.02 < (ink > 0).mean() < 0.7


@pytest.mark.parametrize("kind", sorted({*textures.KINDS}, key=lambda kind: kind.__name__))
def test_every_texture_is_a_page_with_something_on_it(kind) -> None:
    for seed in range(10):
        page = kind(rng(seed))
        assert page.shape == (textures.SIDE, textures.SIDE) and page.dtype == np.uint8
        assert np.ptp(page) > 20
