import cv2
import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.flicker import STRONG, banding


def lit(page: Pixels, bands: float, phase: float, strength: float = 0.08, seed: int = 0) -> Pixels:
    """A frame under a lamp that flickers, with a camera's noise."""
    rows = np.arange(len(page)) / len(page)
    light = 1 + strength * np.sin(2 * np.pi * (bands * rows + phase))
    noise = np.random.default_rng(seed).normal(0, 3, page.shape)
    return np.clip(page * light[:, None] + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("bands", [1.2, 2.4, 3.3, 4.0, 6.5])
def test_bands_that_move_are_found(page, bands: float) -> None:
    grey = page("20357", "46819")
    assert banding(lit(grey, bands, 0.1), lit(grey, bands, 0.5, seed=1)) > 3 * STRONG


def test_the_same_light_has_none(page) -> None:
    grey = page("20357", "46819")
    assert banding(lit(grey, 0, 0, 0), lit(grey, 0, 0, 0, seed=1)) < STRONG
    assert banding(lit(grey, 0, 0.25, 0.2), lit(grey, 0, 0.75, 0.2, seed=1)) < STRONG


def test_a_page_that_moves_or_changes_has_none(page) -> None:
    grey = lit(page("20357", "46819"), 0, 0, 0)
    for moved in (np.roll(grey, 9, axis=0), np.roll(grey, 30, axis=1), lit(page("111", "222", "7"), 0, 0, 0, seed=1)):
        assert banding(grey, moved) < STRONG


def test_a_hand_and_a_shadow_that_comes_have_none(page) -> None:
    grey = lit(page("20357", "46819"), 0, 0, 0)
    hand = grey.copy()
    cv2.ellipse(hand, (450, 480), (140, 300), 20, 0, 360, 90, cv2.FILLED)
    assert banding(grey, hand) < STRONG
    shadow = (grey * np.linspace(1, 0.6, 480)[:, None]).astype(np.uint8)
    assert banding(grey, shadow) < STRONG


@pytest.mark.parametrize("shape", [(1, 1), (2, 400), (480, 640)])
def test_any_two_frames_can_be_compared(shape: tuple[int, int]) -> None:
    black = np.zeros(shape, np.uint8)
    assert banding(black, black) == 0
    assert banding(black, np.zeros((9, 9), np.uint8)) == 0
