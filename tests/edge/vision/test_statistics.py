import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.vision.statistics import noise, quantile_reaches, quantiles, solid_ink_share, texture


def written(height: int = 240, width: int = 320) -> np.ndarray:
    """A ring and a bar of dark ink on light paper."""
    grey = np.full((height, width), 220, np.uint8)
    cv2.circle(grey, (width // 3, height // 2), height // 5, 40, 6)
    cv2.line(grey, (2 * width // 3, height // 4), (2 * width // 3, 3 * height // 4), 40, 6)
    return grey


@given(npst.arrays(np.uint8, (23, 31)), st.floats(0.01, 1))
def test_quantiles_are_numpys(grey: np.ndarray, share: float) -> None:
    assert quantiles(grey, share)[0] == np.quantile(grey, share, method="inverted_cdf")


@given(npst.arrays(np.uint8, (23, 31)), npst.arrays(np.bool_, (23, 31)), st.floats(0.01, 1))
def test_quantiles_of_a_part_are_those_of_it_alone(grey: np.ndarray, where: np.ndarray, share: float) -> None:
    expected = np.quantile(grey[where], share, method="inverted_cdf") if where.any() else 0
    assert quantiles(grey, share, where=where.astype(np.uint8))[0] == expected


@given(npst.arrays(np.uint8, (23, 31)), st.floats(0, 256, allow_subnormal=False), st.floats(0.01, 1))
def test_a_quantile_reaches_its_own_level_and_no_more(grey: np.ndarray, level: float, share: float) -> None:
    quantile = np.quantile(grey, share, method="inverted_cdf")
    assert quantile_reaches(grey, level, share) == (quantile >= level)
    assert quantile_reaches(grey, float(quantile), share)
    assert not quantile_reaches(grey, quantile + 0.5, share)


def test_noise_is_measured() -> None:
    rng = np.random.default_rng(0)
    for sigma in (3, 8):
        picture = np.clip(rng.normal(100, sigma, (300, 400)), 0, 255).astype(np.uint8)
        assert noise(picture)[1] == pytest.approx(sigma, rel=0.15)


def test_strokes_are_solid_and_noise_is_not() -> None:
    noisy = np.clip(np.random.default_rng(0).normal(0, 70, (300, 400)), 0, 255).astype(np.uint8)
    assert solid_ink_share(noisy) < 0.2
    assert solid_ink_share(cv2.GaussianBlur(255 - written(), (5, 5), 0)) > 0.5


@pytest.mark.parametrize("sigma", [3, 20])
def test_texture_is_that_of_the_paper_between_writing(sigma: float) -> None:
    values = np.clip(np.random.default_rng(1).normal(90, sigma, 30_000), 0, 255).astype(np.uint8)
    middle, spread = texture(values)
    assert middle == pytest.approx(90, abs=0.5 * sigma)
    assert spread == pytest.approx(sigma, rel=0.25)
    values[:9000] = 250
    assert texture(values)[1] < 2 * sigma
