import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.handwriting import virtual_camera
from edge.types import Frame
from edge.vision.statistics import exceeds, noise, polarity, quantiles, reduced, solid_share, texture


def written(height: int = 240, width: int = 320) -> np.ndarray:
    """A ring and a bar of dark ink on light paper."""
    grey = np.full((height, width), 220, np.uint8)
    cv2.circle(grey, (width // 3, height // 2), height // 5, 40, 6)
    cv2.line(grey, (2 * width // 3, height // 4), (2 * width // 3, 3 * height // 4), 40, 6)
    return grey


@pytest.mark.parametrize("height", [60, 240, 700])
def test_polarity_is_seen_under_any_light(height: int) -> None:
    grey = cv2.resize(written(), None, fx=height / 240, fy=height / 240, interpolation=cv2.INTER_AREA)
    for seed in range(5):
        lit = virtual_camera.light(grey, np.random.default_rng(seed), 0.6)
        assert polarity(lit) > 1
        assert polarity(cv2.bitwise_not(lit)) < 1


@given(npst.arrays(np.uint8, (23, 31)), st.floats(0.01, 1))
def test_quantiles_are_numpys(grey: np.ndarray, share: float) -> None:
    assert quantiles(grey, share)[0] == np.quantile(grey, share, method="inverted_cdf")


@given(npst.arrays(np.uint8, (23, 31)), npst.arrays(np.bool_, (23, 31)), st.floats(0.01, 1))
def test_quantiles_of_a_part_are_those_of_it_alone(grey: np.ndarray, where: np.ndarray, share: float) -> None:
    expected = np.quantile(grey[where], share, method="inverted_cdf") if where.any() else 0
    assert quantiles(grey, share, where=where.astype(np.uint8))[0] == expected


def test_each_half_of_a_frame_is_made_once() -> None:
    frame = Frame(np.random.default_rng(1).integers(0, 255, (301, 643), np.uint8), "camera")
    for side in (80, 321, 160, 643):
        assert np.array_equal(frame.reduced(side), reduced(frame.pixels, side))
        assert frame.reduced(side) is frame.reduced(side)
    assert frame.reduced(1000) is frame.pixels and sorted(frame._halves) == [1, 2, 3]


@given(npst.arrays(np.uint8, (23, 31)), st.floats(0, 256, allow_subnormal=False), st.floats(0.01, 1))
def test_a_quantile_exceeds_what_it_is_and_no_more(grey: np.ndarray, level: float, share: float) -> None:
    quantile = np.quantile(grey, share, method="inverted_cdf")
    assert exceeds(grey, level, share) == (quantile >= level)
    assert exceeds(grey, float(quantile), share)
    assert not exceeds(grey, quantile + 0.5, share)


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 100))
def test_reduced_is_the_mean(height: int, width: int, side: int) -> None:
    small = reduced(np.full((height, width), 77, np.uint8), side)
    assert (small == 77).all()
    assert max(small.shape) <= side


def test_noise_is_measured() -> None:
    rng = np.random.default_rng(0)
    for sigma in (3, 8):
        picture = np.clip(rng.normal(100, sigma, (300, 400)), 0, 255).astype(np.uint8)
        assert noise(picture)[1] == pytest.approx(sigma, rel=0.15)


def test_strokes_are_solid_and_noise_is_not() -> None:
    noisy = np.clip(np.random.default_rng(0).normal(0, 70, (300, 400)), 0, 255).astype(np.uint8)
    assert solid_share(noisy) < 0.2
    assert solid_share(cv2.GaussianBlur(255 - written(), (5, 5), 0)) > 0.5


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_dark_edge_of_a_scan_does_not_turn_the_polarity(side: str) -> None:
    grey = np.full((480, 640), 170, np.uint8)
    cv2.circle(grey, (200, 150), 30, 90, 5)
    turns = {"left": 0, "top": 1, "right": 2, "bottom": 3}[side]
    turned = np.rot90(grey, turns).copy()
    turned[:, :12] = 10
    grey = np.rot90(turned, -turns).copy()
    assert polarity(grey) > 1
    assert polarity(cv2.bitwise_not(grey)) < 1


def test_a_white_sheet_on_a_dark_table_leaves_the_polarity_open() -> None:
    page = np.full((480, 640), 40, np.uint8)
    page[220:440, 260:560] = 230
    assert 0.25 < polarity(page) < 4
    page[320:360, 400:410] = page[320:360, 440:450] = 30
    assert 0.25 < polarity(page) < 4


def test_a_small_sheet_that_is_written_on_leaves_the_polarity_open() -> None:
    page = np.full((480, 640), 70, np.uint8)
    page[300:400, 330:560] = 220
    cv2.putText(page, "84", (380, 375), cv2.FONT_HERSHEY_SIMPLEX, 2, 30, 8)
    assert 0.25 < polarity(page) < 4


@pytest.mark.parametrize("sigma", [3, 20])
def test_texture_is_that_of_the_paper_between_writing(sigma: float) -> None:
    values = np.clip(np.random.default_rng(1).normal(90, sigma, 30_000), 0, 255).astype(np.uint8)
    middle, spread = texture(values)
    assert middle == pytest.approx(90, abs=0.5 * sigma)
    assert spread == pytest.approx(sigma, rel=0.25)
    values[:9000] = 250
    assert texture(values)[1] < 2 * sigma
