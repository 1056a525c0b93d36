from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.reading.evaluation import only_digits
from edge.reading.quarter_turns import QUARTERS
from edge.reading.reader import Reader
from edge.types import Pixels

Page = Callable[..., Pixels]


@pytest.mark.parametrize("quarters", QUARTERS)
def test_a_page_on_its_side_is_read_as_it_was_written(reader: Reader, page: Page, quarters: int) -> None:
    upright = page("2345", "7642")
    lying = cv2.rotate(upright, {1: QUARTERS[3], 2: QUARTERS[2], 3: QUARTERS[1]}[quarters])
    reading = reader.read(lying)
    assert reading.lines == reader.read(upright).lines and len(only_digits(reading.text)) == 8
    for digit in reading.digits:
        x, y, width, height = digit.box
        assert (lying[y : y + height, x : x + width] < 120).any()


def test_level_lines_are_not_read_as_ones(reader: Reader) -> None:
    dashes = np.full((480, 640), 230, np.uint8)
    for y in range(60, 440, 60):
        cv2.line(dashes, (200, y), (280, y + 6), 50, 6)
    assert reader.read(dashes).digits == ()


@pytest.mark.parametrize("pen", [14, 20, 26])
def test_paper_within_a_ring_is_not_read_as_a_1(reader: Reader, pen: int) -> None:
    """A slim ring goes out of the picture: its inside, as bright as the page, is no stroke of chalk."""
    page = np.full((480, 640), 215, np.uint8)
    cv2.ellipse(page, (620, 240), (10 + pen // 2, 60 + pen // 2), 0, 0, 360, 40, pen)
    cv2.line(page, (620, 180 - pen // 2), (639, 180 - pen // 2), 40, pen)
    assert reader.read(page).digits == ()
    assert reader.read(255 - page).digits == ()
    chalk = np.full((480, 640), 40, np.uint8)
    cv2.ellipse(chalk, (320, 240), (9, 52), 0, 0, 360, 215, -1)
    assert reader.read(chalk).text == "1", "the same on a board"


def test_touching_digits_are_read_each(reader: Reader, page: Page) -> None:
    apart = page("53", width=400, height=300)
    ink = 230 - apart
    columns = np.flatnonzero(ink.max(axis=0) > 60)
    gap = int(np.flatnonzero(np.diff(columns) > 5)[0])
    left, right = ink[:, : columns[gap] + 1], ink[:, columns[gap + 1] :]
    for overlap in range(60):
        together = np.zeros_like(ink)
        together[:, : left.shape[1]] = left
        start = left.shape[1] - overlap
        width = min(right.shape[1], together.shape[1] - start)
        together[:, start : start + width] = np.maximum(together[:, start : start + width], right[:, :width])
        if cv2.connectedComponents((together > 90).astype(np.uint8))[0] == 2:
            break
    assert 0 < overlap < 59, "one mark"
    assert reader.read((230 - together).astype(np.uint8)).text == "53"
