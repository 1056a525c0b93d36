"""Occlusion: something that comes from outside the picture and covers a large area; nothing else counts."""

import cv2
import numpy as np
import pytest

from edge.tracking.occlusion import CUT_SECONDS, REST_SECONDS, Occlusion
from edge.types import Box, Frame

FPS = 30
RNG = np.random.default_rng(5)
GRAINS = [RNG.normal(0, 2, (480, 640)).astype(np.float32) for _ in range(4)]
EVERYWHERE = Box(0, 0, 640, 480)


def page(level=180, text="", at=(60, 200), thick=4):
    """A page whose light falls off to the right, with writing on it."""
    ink = np.full((480, 640), 255, np.uint8)
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_SIMPLEX, 3, 60, thick)
    return ink / 255 * level * np.linspace(1, 0.8, 640)


def hand(grey, x, level=90, width=120, texture=20.0):
    """The page with an arm on it that hangs into the picture from above."""
    skin = level + cv2.resize(np.random.default_rng(1).normal(0, texture, (25, width // 16)), (width, 400))
    grey = grey.copy()
    left, right = max(0, x), min(640, x + width)
    if left < right:
        grey[:400, left:right] = skin[:, left - x : right - x]
    return grey


def see(occlusion, pages, seconds=0.0, fps=FPS):
    """Whether each page is covered, seen one after another with a camera's noise."""
    return [
        occlusion.update(Frame(np.clip(grey + GRAINS[n % 4], 0, 255).astype(np.uint8), "camera"), seconds + n / fps)
        for n, grey in enumerate(pages)
    ]


@pytest.mark.parametrize("level", [60, 160, 240])
def test_a_hand_that_comes_from_outside_covers_what_it_lies_on(level):
    """160 is the brightness of the page itself: only the texture of the skin is another."""
    occlusion, paper = Occlusion(), page(text="42")
    assert not any(see(occlusion, [paper] * 15))
    passing = see(occlusion, [hand(paper, 6 * n - 100, level) for n in range(40)], 0.5)
    assert all(passing[10:]), "it lies on the page"
    assert occlusion.is_over(Box(180, 100, 30, 50)) and not occlusion.is_over(Box(500, 100, 30, 50))
    assert not occlusion.is_over(Box(180, 450, 30, 20)), "it does not reach so far down"


@pytest.mark.parametrize("text", ["1", "42", "88888"])
def test_writing_is_no_occlusion(text):
    occlusion = Occlusion()
    pages = [page()] * 10 + [page(text=text)] * 20 + [page(text="7", thick=8)] * 20 + [page()] * 20
    assert not any(see(occlusion, pages)) and not occlusion.is_over(EVERYWHERE)


def test_a_change_of_light_is_no_occlusion():
    occlusion = Occlusion()
    pages = [page(180 * light, text="42") for light in np.r_[np.ones(5), np.linspace(1, 0.5, 10), np.full(10, 1.3)]]
    assert not any(see(occlusion, pages))


def test_what_does_not_come_from_outside_is_no_occlusion():
    """A blot, a stamp, a black square: they are on the page."""
    blot = page()
    blot[200:300, 200:320] = 30
    assert not any(see(Occlusion(), [page()] * 5 + [blot] * 10))


def test_a_camera_that_moves_a_little_is_no_occlusion():
    occlusion, paper = Occlusion(), page(text="42")
    moves = [np.float32([[1, 0, n], [0, 1, n // 2]]) for n in range(30)]
    moved = [cv2.warpAffine(paper, move, (640, 480), borderMode=cv2.BORDER_REPLICATE) for move in moves]
    assert not any(see(occlusion, [paper] * 5 + moved))


def test_a_hand_that_comes_to_rest_is_soon_the_page_and_the_page_again_when_it_is_gone():
    occlusion, paper = Occlusion(), page(text="42")
    coming, resting = [hand(paper, 10 * n - 120) for n in range(30)], hand(paper, 170)
    see(occlusion, [paper] * 10)
    said = see(occlusion, coming + [resting] * 60, 10 / FPS)
    assert said[3:].index(False) == pytest.approx(27 + REST_SECONDS * FPS, abs=3)
    assert not any(see(occlusion, [resting] * 30, 100 / FPS))
    said = see(occlusion, [*coming[::-1], *[paper] * 60], 130 / FPS)
    assert all(said[3:30]) and not any(said[-20:])


def test_another_page_all_at_once_is_an_occlusion_only_briefly():
    occlusion, paper = Occlusion(), page(text="42")
    other = page(text="77")
    other[:, :150] = 60
    see(occlusion, [paper] * 10)
    said = see(occlusion, [other] * 30, 10 / FPS)
    assert said[0] and sum(said) == pytest.approx(CUT_SECONDS * FPS, abs=2) and not any(said[10:])


@pytest.mark.parametrize("fps", [1, 120])
def test_it_goes_by_seconds_and_not_by_frames(fps):
    occlusion, paper = Occlusion(), page(text="42")
    see(occlusion, [paper] * 3, fps=fps)
    assert all(see(occlusion, [hand(paper, 100 + round(240 * n / fps)) for n in range(1 + fps)], 3 / fps, fps))


def test_another_size_and_a_camera_that_was_away_begin_anew():
    occlusion, paper = Occlusion(), page(text="42")
    see(occlusion, [paper] * 5)
    assert see(occlusion, [hand(paper, 200)], 0.2) == [True]
    small = cv2.resize(page(), (320, 240)).astype(np.uint8)
    assert not occlusion.update(Frame(small, "camera"), 0.3) and not occlusion.is_over(EVERYWHERE)
    see(occlusion, [paper] * 5, 0.4)
    occlusion.reset()
    assert see(occlusion, [hand(paper, 200)], 0.6) == [False]


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (481, 643), (1080, 1920)])
def test_it_accepts_any_picture_size(shape):
    occlusion = Occlusion()
    for n in range(3):
        occlusion.update(Frame(RNG.integers(0, 255, shape, np.uint8), "camera"), n / FPS)
    assert occlusion.is_over(Box(-5, -5, 5000, 5000)) in (True, False)
