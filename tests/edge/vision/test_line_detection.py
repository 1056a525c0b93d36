import cv2
import numpy as np
import pytest

from edge.vision.line_detection import find_lines

HEIGHT, WIDTH = 480, 640


def test_a_line_is_found_where_it_is() -> None:
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.line(page, (0, 100), (WIDTH - 1, 150), 255, 3)
    (line,) = find_lines(page, 8)
    assert line.through
    assert line.degrees == pytest.approx(np.degrees(np.arctan2(50, WIDTH)), abs=0.3)
    assert np.interp(320, line.columns, line.rows) == pytest.approx(124, abs=2)


def test_a_texture_has_no_lines() -> None:
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    page[::4] = 255
    assert find_lines(page, 8) == []


def test_a_bent_line_is_followed() -> None:
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    columns = np.arange(WIDTH)
    rows = 200 + 25 * np.sin(columns / 200)
    cv2.polylines(page, [np.rint(np.stack([columns, rows], axis=1)).astype(np.int32)], False, 255, 2)
    (line,) = find_lines(page, 8)
    assert np.abs(np.interp(columns[10:-10], line.columns, line.rows) - rows[10:-10]).max() < 4
