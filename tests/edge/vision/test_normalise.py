import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.vision.normalise import FIT, SIDE, normalise, stroke_width

SIZES = st.tuples(st.integers(1, 120), st.integers(1, 120))


def stroke(height: int, width: int, x: int = 0, y: int = 0) -> np.ndarray:
    """A filled box of ink somewhere on black."""
    ink = np.zeros((y + height + 5, x + width + 5), np.uint8)
    ink[y : y + height, x : x + width] = 255
    return ink


@given(npst.arrays(np.uint8, SIZES))
def test_any_ink_gives_a_glyph_that_fits_and_is_centred(ink: np.ndarray) -> None:
    glyph = normalise(ink)
    assert glyph.shape == (SIDE, SIDE)
    assert glyph.dtype == np.uint8
    assert glyph.any() == (ink > 0).any()
    if glyph.any():
        assert glyph.max() == 255
        _, _, width, height = cv2.boundingRect(glyph)
        assert max(width, height) <= FIT
        moments = cv2.moments(glyph)
        # MNIST's own middle, unless the ink would have to leave the picture for it: with all of its mass at one end, a
        # box of FIT pixels stands at the border.
        for mass in (moments["m10"], moments["m01"]):
            assert abs(mass / moments["m00"] - SIDE / 2) <= SIDE / 2 - (SIDE - FIT)


@given(st.integers(0, 60), st.integers(0, 60))
def test_where_the_ink_stands_does_not_matter(x: int, y: int) -> None:
    assert np.array_equal(normalise(stroke(40, 20, x, y)), normalise(stroke(40, 20)))


@pytest.mark.parametrize("scale", [1, 2, 5, 10])
def test_size_hardly_matters(scale: int) -> None:
    small = normalise(stroke(40, 12))
    large = normalise(stroke(40 * scale, 12 * scale))
    assert np.abs(small.astype(int) - large).mean() < 6


@pytest.mark.parametrize("pen", [1, 2, 3, 6])
def test_a_fine_pen_on_a_large_page_is_as_thick_as_in_mnist(pen: int) -> None:
    ink = np.zeros((400, 300), np.uint8)
    cv2.ellipse(ink, (150, 200), (120, 170), 0, 0, 360, 255, pen)
    assert 1.7 <= stroke_width(normalise(ink)) <= 3.2


@pytest.mark.parametrize("interpolation", ["area", "linear", "cubic", "lanczos"])
def test_every_interpolation_gives_a_glyph(interpolation: str) -> None:
    glyph = normalise(stroke(100, 30), interpolation)  # type: ignore[arg-type]
    assert (glyph[14] > 0).sum() in range(5, 9)


def test_paper_alone_gives_an_empty_glyph() -> None:
    assert not normalise(np.zeros((30, 40), np.uint8)).any()


def test_stroke_width_is_that_of_a_drawn_line() -> None:
    for width in (4, 8, 12):
        ink = np.zeros((220, 220), np.uint8)
        ink[10:210, 100 : 100 + width] = 255
        assert stroke_width(ink) == pytest.approx(width, rel=0.12)


def test_mnist_comes_out_as_it_went_in(data) -> None:  # type: ignore[no-untyped-def]
    """The published set is the truth: what is normalised already stays as it is."""
    from convert.data.mnist import load_mnist

    glyphs = load_mnist(str(data / "mnist")).test[:300]
    difference = [np.abs(normalise(glyph).astype(int) - glyph).mean() for glyph in glyphs]
    assert np.mean(difference) < 1
