import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.vision.statistics import noise, quantiles


@given(npst.arrays(np.uint8, (23, 31)), st.floats(0.01, 1))
def test_quantiles_are_numpys(grey: np.ndarray, share: float) -> None:
    assert quantiles(grey, share)[0] == np.quantile(grey, share, method="inverted_cdf")


@given(npst.arrays(np.uint8, (23, 31)), npst.arrays(np.bool_, (23, 31)), st.floats(0.01, 1))
def test_quantiles_of_a_part_are_those_of_it_alone(grey: np.ndarray, where: np.ndarray, share: float) -> None:
    expected = np.quantile(grey[where], share, method="inverted_cdf") if where.any() else 0
    assert quantiles(grey, share, where=where.astype(np.uint8))[0] == expected


@pytest.mark.parametrize("sigma", [3, 8])
def test_noise_is_measured_around_each_place(sigma: float) -> None:
    rng = np.random.default_rng(0)
    picture = np.clip(rng.normal(100, sigma, (512, 640)), 0, 255).astype(np.uint8)
    picture[:, 320:] = 60
    level, spread = noise(picture)
    assert level.shape == spread.shape == (8, 10)
    assert np.median(level[:, :5]) == pytest.approx(100, abs=sigma)
    assert np.median(spread[:, :5]) == pytest.approx(sigma, abs=1.5)
    assert (level[:, 6:] == 60).all() and not spread[:, 6:].any()


def test_writing_is_no_noise() -> None:
    page = np.zeros((256, 256), np.uint8)
    for y in range(20, 250, 40):
        for x in range(20, 250, 30):
            cv2.ellipse(page, (x, y), (9, 14), 0, 0, 360, 200, 4)
    assert not noise(page)[1].any()


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90))))
def test_any_picture_has_a_noise(picture: np.ndarray) -> None:
    level, spread = noise(picture)
    assert level.size and level.shape == spread.shape
