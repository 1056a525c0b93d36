import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.handwriting import rendering, virtual_camera

seeds = st.integers(0, 2**32 - 1)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def ink():
    return rendering.page(["1247", "8952"], 160, 240, rng(3))[0]


def contrast(page, ink):
    """Mean grey of the paper less that of the strokes' middle."""
    return float(page[ink == 0].mean() - page[ink > 250].mean())


def test_difficulty_0_is_a_clean_scan(ink):
    assert np.array_equal(virtual_camera.photograph(ink, rng(1), 0), 255 - ink)


def test_chalk_on_a_clean_board_is_the_ink_itself(ink):
    assert np.array_equal(virtual_camera.photograph(ink, rng(1), 0, chalk=True), ink)


@given(seeds, st.floats(0, 2, allow_subnormal=False), st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_seed_always_takes_the_same_picture(ink, seed, difficulty, chalk):
    first, second = (virtual_camera.photograph(ink, rng(seed), difficulty, chalk=chalk) for _ in range(2))
    assert first.shape == ink.shape and first.dtype == np.uint8
    assert np.array_equal(first, second)


@pytest.mark.parametrize("chalk", [False, True])
def test_the_writing_stays_legible_at_every_difficulty(ink, chalk):
    # Tilt off: the comparison is pixel by pixel.
    for seed in range(30):
        page = virtual_camera.lens_image(ink, rng(seed), 1e-6, chalk=chalk)
        assert abs(contrast(page, ink)) > 240
    for seed in range(30):
        page = virtual_camera.photograph(ink, rng(seed), 2, chalk=chalk)
        dark, light = np.percentile(virtual_camera.blur(page, 1), [0.5, 99.5])
        assert light - dark > 15


def test_the_writing_is_never_cut_off(ink):
    inside = np.zeros_like(ink)
    x, y = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    close = ink[y[0] - 3 : y[-1] + 4, x[0] - 3 : x[-1] + 4]
    assert virtual_camera.margin(close) == 3
    for seed in range(20):
        tilted = virtual_camera.tilt(close, rng(seed), 0.6 * 3 / min(close.shape), 0)
        assert not (tilted[0].any() or tilted[-1].any() or tilted[:, 0].any() or tilted[:, -1].any())
    assert virtual_camera.margin(inside) == 0


def test_harder_is_fainter_and_noisier(ink):
    def flaws(difficulty):
        pages = [virtual_camera.photograph(ink, rng(seed), difficulty) for seed in range(10)]
        return (
            np.mean([np.ptp(virtual_camera.blur(page, 1).astype(int)) for page in pages]),
            np.mean([np.abs(np.diff(page[:8].astype(int))).mean() for page in pages]),
        )

    (clear, calm), (faint, noisy) = flaws(0.3), flaws(2)
    assert faint < clear
    assert noisy > 2 * calm


def test_tilt_fills_with_the_paper(ink):
    paper = np.full((40, 60), 77, np.uint8)
    assert (virtual_camera.tilt(paper, rng(), 0.1, 77) == 77).all()


def test_sensor_noise_differs_and_the_page_does_not(ink):
    page = virtual_camera.lens_image(ink, rng(5))
    one, other = virtual_camera.sensor_noise(page, rng(1)), virtual_camera.sensor_noise(page, rng(2))
    assert not np.array_equal(one, other)
    assert abs(float(one.mean()) - float(other.mean())) < 1
