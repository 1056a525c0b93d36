import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scoreboard import disturbances


@given(st.floats(0.05, 1), st.integers(0, 1000))
def test_exposure_takes_light(exposure: float, seed: int) -> None:
    page = np.full((40, 40), 200, np.uint8)
    dark = disturbances.underexpose(page, np.random.default_rng(seed), exposure, 1.0)
    assert float(dark.mean()) == pytest.approx(200 * exposure, abs=1.5)


def test_a_shadow_takes_as_much_light_as_it_says() -> None:
    page = np.full((200, 300), 200, np.uint8)
    found = {int(disturbances.shadow(page, np.random.default_rng(seed), 0.4, 1).min()) for seed in range(5)}
    assert found == {120}


def test_glare_adds_light_and_never_more_than_white() -> None:
    page = np.full((200, 300), 180, np.uint8)
    bright = disturbances.glare(page, np.random.default_rng(1), 120, 80)
    assert bright.max() == 255
    assert (bright >= page).all()


def test_salt_and_pepper_hits_the_share_it_says() -> None:
    page = np.full((400, 400), 128, np.uint8)
    hit = disturbances.salt_and_pepper(page, np.random.default_rng(1), 0.1)
    assert np.mean(hit != 128) == pytest.approx(0.1, abs=0.01)
    assert set(np.unique(hit)) == {0, 128, 255}


def test_ruled_lines_have_the_given_distance() -> None:
    lines = disturbances.ruled_lines((200, 100), 25, 1, 0, start=10)
    rows = np.flatnonzero(lines[:, 50] > 127)
    assert set(np.diff(rows[np.diff(rows, prepend=-9) > 1])) == {25}
    assert min(abs(rows - 10)) <= 1
    assert np.count_nonzero(disturbances.ruled_lines((200, 100), 25, 1, 0, squared=True)) > 1.5 * np.count_nonzero(
        lines
    )


def test_a_hand_does_not_cover_the_writing() -> None:
    page, ink = np.full((240, 320), 220, np.uint8), np.zeros((240, 320), np.uint8)
    ink[100:140, 140:180] = 255
    for seed in range(8):
        held = disturbances.hand(page, ink, np.random.default_rng(seed), 200, 5)
        assert held[100:140, 140:180].min() > 140
        assert held.min() < 200
