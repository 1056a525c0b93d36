from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.samples import augment
from edge.handwriting import rendering, styles
from tests.support import small

seeds = st.integers(0, 2**32 - 1)
FIELDS = [augment.rotate, augment.slant, augment.translate, augment.elastic]


@pytest.mark.parametrize("work", [augment.varied, augment.through_camera])
def test_the_same_seed_gives_the_same_glyphs_and_another_gives_others(work) -> None:
    glyphs = small.data().train[:12]
    one = work(glyphs, [1, 2])
    assert one.shape == glyphs.shape and one.dtype == np.uint8
    assert np.array_equal(one, work(glyphs, [1, 2]))
    assert not np.array_equal(one, work(glyphs, [1, 3]))
    assert np.array_equal(glyphs, small.data().train[:12]), "the originals stay as they were"


@pytest.mark.parametrize("piece", FIELDS)
@given(seed=seeds)
def test_a_field_of_nothing_changes_nothing_and_a_random_one_is_bounded(piece, seed: int) -> None:
    field = piece(np.random.default_rng(seed))
    assert field.dtype == np.float32 and np.broadcast_shapes(field.shape, (28, 28, 2)) == (28, 28, 2)
    assert np.abs(field).max() < 7, "no piece moves ink by a quarter of the glyph"


def test_a_field_says_where_a_grey_is_taken_from() -> None:
    glyph = small.data().train[3]
    assert np.array_equal(augment.warp(glyph, np.zeros((28, 28, 2), np.float32)), glyph)
    right = augment.warp(glyph, np.broadcast_to(np.float32([-2, 0]), (28, 28, 2)))
    assert np.array_equal(right[:, 2:], glyph[:, :-2])


def test_rotation_is_opencvs() -> None:
    glyph = small.data().train[4]

    class Fixed:
        def uniform(self, low: float, high: float) -> float:
            return high

    turned = augment.warp(glyph, augment.rotate(Fixed(), 10))  # type: ignore[arg-type]
    # OpenCV turns anticlockwise by a positive angle, and its map is destination to source as ours.
    matrix = cv2.getRotationMatrix2D((14, 14), 10, 1)
    back = cv2.getRotationMatrix2D((14, 14), -10, 1)
    errors = [np.abs(turned.astype(int) - cv2.warpAffine(glyph, m, (28, 28))).mean() for m in (matrix, back)]
    assert min(errors) < 1 < max(errors)


@given(seed=seeds)
def test_another_pen_keeps_the_glyph_in_range(seed: int) -> None:
    glyph = small.data().train[seed % 100]
    inked = augment.thickness(glyph, np.random.default_rng(seed))
    assert inked.shape == (28, 28) and inked.dtype == np.uint8
    assert inked.max() == 255
    assert 0.2 < inked.mean() / glyph.mean() < 4


@given(seed=seeds)
def test_the_camera_gives_a_digit_that_is_still_the_same(seed: int) -> None:
    glyph = small.data().train[seed % 100]
    photographed = augment.through_camera_once(glyph, np.random.default_rng(seed))
    assert photographed.shape == (28, 28) and photographed.dtype == np.uint8
    assert photographed.any()


def test_an_empty_glyph_survives_the_camera() -> None:
    blank = np.zeros((28, 28), np.uint8)
    assert not augment.through_camera_once(blank, np.random.default_rng(1)).any()


def test_main_ink_drops_specks_only() -> None:
    ink = np.zeros((40, 40), np.uint8)
    ink[5:30, 10:14] = 200
    ink[35, 35] = 200
    kept = augment.main_ink(ink, ((ink > 0) * 255).astype(np.uint8))
    assert kept[5:30, 10:14].all() and not kept[33:, 33:].any()
    assert not augment.main_ink(ink, np.zeros_like(ink)).any()


def bar(height: int, width: int) -> np.ndarray:
    return np.pad(np.full((height, width), 255, np.uint8), 3)


@given(seed=seeds, height=st.integers(10, 60), width=st.integers(10, 60))
def test_a_stretched_digit_keeps_its_height_and_is_at_most_twice_as_wide_or_half(seed, height, width) -> None:
    ink = augment.stretch(bar(height, width), np.random.default_rng(seed))
    assert ink.min() == 255, "the border is gone"
    assert ink.shape[0] == height
    least = min(1, max(0.5, 0.4 * height / width))
    assert least * width - 1 <= ink.shape[1] <= 2 * width + 1


def test_a_stretched_digit_fills_a_square_half_the_time() -> None:
    shapes = [augment.stretch(bar(40, 26), np.random.default_rng(seed)).shape for seed in range(40)]
    assert 10 < sum(high == wide for high, wide in shapes) < 30
    assert len({wide for _, wide in shapes}) > 8


def test_what_is_coarse_has_a_dozen_pixels_and_a_fine_pen_survives() -> None:
    ink = np.zeros((120, 90), np.uint8)
    cv2.ellipse(ink, (45, 60), (30, 45), 0, 0, 360, 255, 2)
    coarse = [augment.coarsen(ink, np.random.default_rng(seed)) for seed in range(40)]
    assert {max(one.shape) for one in coarse} == {12, 13, 14, 15, 16}
    binary = [one for one in coarse if set(np.unique(one)) <= {0, 255}]
    assert 8 < len(binary) < 32
    for one in coarse:
        # A ring is still one: ink in every row and column, none in the middle.
        assert (one.max(axis=0) > 60).all() and (one.max(axis=1) > 60).all()
        assert one[one.shape[0] // 2, one.shape[1] // 2] < 60


def test_handwriting_is_seeded_and_a_model_reads_it(reader) -> None:
    digits = np.repeat(np.arange(10, dtype=np.uint8), 12)
    glyphs = augment.handwriting(digits, [4, 2])
    assert glyphs.shape == (120, 28, 28) and glyphs.dtype == np.uint8
    assert np.array_equal(glyphs[:9], augment.handwriting(digits[:9], [4, 2]))
    assert not np.array_equal(glyphs[:9], augment.handwriting(digits[:9], [4, 3]))
    # Not all: it is there to teach what models do not know.
    found = reader.model.predict(glyphs)[:, :10].argmax(axis=1)
    assert np.mean(found == digits) > 0.85


@pytest.mark.parametrize(
    ("form", "seven"),
    [
        ("0,8 35,0 | 30,100", True),
        ("0,44 27,0 | 25,100", False),
        ("12,6 27,0 | 25,100", False),
        ("0,8 35,0 | 30,98 | 0,98 60,98", False),
        ("25,0 25,100", False),
    ],
)
def test_a_long_flat_upstroke_without_a_foot_makes_a_one_a_seven(form: str, seven: bool) -> None:
    tidy = styles.WritingStyle(forms=(0,) * 10, turn=0.0)
    rng = np.random.default_rng(1)
    assert augment.is_like_seven(rendering.draw_form((form,), rng, tidy, rng)) is seven
