import cv2
import numpy as np
import pytest

from tests.scoreboard import pens


def test_an_enlarged_digit_is_as_tall_as_its_em() -> None:
    one = np.zeros((28, 28), np.uint8)
    one[4:24, 12:16] = 255
    _, _, width, height = cv2.boundingRect(cv2.threshold(pens.enlarge(one, 100), 127, 255, cv2.THRESH_BINARY)[1])
    assert height == pytest.approx(100, abs=5)
    assert width == pytest.approx(20, abs=5)


@pytest.mark.parametrize("pen", [4, 8, 16])
def test_a_digit_is_redrawn_with_another_pen(pen: int) -> None:
    one = np.zeros((28, 28), np.uint8)
    one[4:24, 12:15] = 255
    ink = pens.redraw(one, 100, pen)
    assert np.count_nonzero(ink[ink.shape[0] // 2] > 127) == pytest.approx(pen, abs=2)


def test_a_filled_loop_stays_filled() -> None:
    blob = np.zeros((28, 28), np.uint8)
    cv2.circle(blob, (14, 9), 5, 255, cv2.FILLED)
    cv2.line(blob, (18, 9), (18, 24), 255, 2)
    area = np.count_nonzero(pens.redraw(blob, 100, 5) > 127)
    ring = np.zeros((28, 28), np.uint8)
    cv2.circle(ring, (14, 9), 5, 255, 2)
    cv2.line(ring, (18, 9), (18, 24), 255, 2)
    assert area > 1.3 * np.count_nonzero(pens.redraw(ring, 100, 5) > 127)


def test_a_skeleton_is_thin_and_whole() -> None:
    bar = np.zeros((40, 40), bool)
    bar[5:35, 15:24] = True
    thin = pens.skeleton(bar)
    assert thin.any(axis=1).sum() >= 20
    assert (thin.sum(axis=1) <= 2).all()
    assert cv2.connectedComponents(thin.astype(np.uint8), connectivity=8)[0] == 2
    assert not (thin & ~bar).any()


def test_dots_have_the_given_distance() -> None:
    one = np.zeros((28, 28), np.uint8)
    one[4:24, 13:15] = 255
    count = cv2.connectedComponents((pens.draw_dotted(one, 100, 5, 10) > 127).astype(np.uint8))[0] - 1
    assert 8 <= count <= 11


def test_broken_strokes_are_in_more_parts() -> None:
    ink = np.zeros((100, 30), np.uint8)
    ink[5:95, 12:18] = 255
    parts = (
        cv2.connectedComponents((pens.break_strokes(ink, np.random.default_rng(1), 2, 4) > 127).astype(np.uint8))[0] - 1
    )
    assert parts in (2, 3)


def test_a_faint_thin_stroke_stays_connected_and_a_thick_one_keeps_its_gap() -> None:
    thin = np.zeros((28, 28), np.uint8)
    thin[4:24, 13] = 120
    thin[12:15, 13] = 60
    thin[12:15, 13] = 100
    assert pens.ink_level(thin) == 80
    thin[12:15, 13] = 50
    assert pens.ink_level(thin) == 35
    thick = np.zeros((28, 28), np.uint8)
    thick[4:24, 10:18] = 255
    thick[12:15, 10:18] = 60
    assert pens.ink_level(thick) == 80
