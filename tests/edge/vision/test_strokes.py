import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.vision.strokes import typical_strokes


def typical_stroke(page: np.ndarray) -> float:
    """The first of the two."""
    return typical_strokes(page)[0]


def written(pen: int, noise: float = 3.0) -> np.ndarray:
    """Rings and bars of 80 pixels in a pen of this width on paper with noise, (480, 640) uint8."""
    page = np.full((480, 640), 210, np.uint8)
    for x in (100, 300, 500):
        cv2.ellipse(page, (x, 240), (28, 40), 0, 0, 360, 70, pen, cv2.LINE_AA)
        cv2.line(page, (x + 90, 200), (x + 70, 280), 70, pen, cv2.LINE_AA)
    grain = np.random.default_rng(0).normal(0, noise, page.shape)
    return np.clip(page + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("pen", [2, 4, 8, 16])
def test_the_width_of_a_pen_is_known_within_a_half(pen: int) -> None:
    assert 0.6 * pen <= typical_stroke(written(pen)) <= 1.7 * pen


@pytest.mark.parametrize("thing", ["shadow", "desk", "phone"])
def test_a_dark_thing_does_not_matter(thing: str) -> None:
    page = written(6)
    if thing == "shadow":
        cv2.fillPoly(page, [np.array([[100, 100], [600, 460], [200, 470]])], 110)
    if thing == "desk":
        page[:, :50] = 20
    if thing == "phone":
        page[320:470, 300:540] = 10
    assert typical_stroke(page) == pytest.approx(typical_stroke(written(6)), rel=0.35)


def test_a_dark_thing_does_not_matter_beside_a_thin_digit() -> None:
    page = np.full((480, 640), 210, np.uint8)
    cv2.ellipse(page, (100, 100), (14, 20), 0, 0, 360, 110, 3, cv2.LINE_AA)
    cv2.circle(page, (450, 350), 90, 20, cv2.FILLED)
    assert typical_stroke(page) < 6


def test_finer_strokes_are_known_beside_a_longer_and_broader_one() -> None:
    page = written(4)
    cv2.line(page, (20, 440), (620, 400), 40, 30, cv2.LINE_AA)
    broad, finer = typical_strokes(page)
    assert broad > 20
    assert finer == pytest.approx(typical_stroke(written(4)), rel=0.35)
    assert typical_strokes(written(16))[1] == 0, "its soft edges are no strokes"


@pytest.mark.parametrize("squared", [False, True])
def test_the_rules_of_printed_paper_do_not_matter(squared: bool) -> None:
    page = written(8)
    page[::16] = np.minimum(page[::16], 110)
    if squared:
        page[:, ::16] = np.minimum(page[:, ::16], 110)
    assert typical_stroke(page) == pytest.approx(typical_stroke(written(8)), rel=0.35)


def test_single_black_pixels_do_not_matter() -> None:
    page = written(8)
    page[np.random.default_rng(1).random(page.shape) < 0.04] = 0
    assert typical_stroke(page) == pytest.approx(typical_stroke(written(8)), rel=0.35)


def test_paper_has_no_strokes() -> None:
    assert typical_stroke(np.full((300, 400), 200, np.uint8)) == 0


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))))
def test_any_picture_has_a_width_of_strokes(grey: np.ndarray) -> None:
    assert 0 <= typical_stroke(grey) < 100
