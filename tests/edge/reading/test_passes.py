from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.reading.candidates import Candidate
from edge.reading.evaluation import only_digits
from edge.reading.passes import QUARTERS, is_end, kept_of, turned_back, turned_ink, without_faint
from edge.reading.reader import Reader
from edge.types import Box, Pixels
from edge.vision.clean import clean
from edge.vision.settings import VisionSettings

Page = Callable[..., Pixels]


def marks(*read: tuple[int | None, float]) -> list[Candidate]:
    nothing = np.zeros((28, 28), np.uint8)
    return [
        Candidate(nothing, Box(0, 0, 20, 30), 0, nothing, np.zeros(11, np.float32), digit, confidence)
        for digit, confidence in read
    ]


@pytest.mark.parametrize("quarters", QUARTERS)
def test_a_box_in_a_turned_picture_comes_back(quarters: int) -> None:
    picture = np.zeros((60, 90), np.uint8)
    picture[10:25, 30:80] = 255
    turned = cv2.rotate(picture, QUARTERS[quarters])
    assert turned_back(Box(*cv2.boundingRect(turned)), quarters, picture.shape) == Box(30, 10, 50, 15)


@pytest.mark.parametrize("quarters", QUARTERS)
def test_a_page_on_its_side_is_read_as_it_was_written(reader: Reader, page: Page, quarters: int) -> None:
    upright = page("2345", "7642")
    lying = cv2.rotate(upright, {1: QUARTERS[3], 2: QUARTERS[2], 3: QUARTERS[1]}[quarters])
    reading = reader.read(lying)
    assert reading.lines == reader.read(upright).lines and len(only_digits(reading.text)) == 8
    for digit in reading.digits:
        x, y, width, height = digit.box
        assert (lying[y : y + height, x : x + width] < 120).any()


def test_lines_on_their_side_are_no_ones(reader: Reader) -> None:
    dashes = np.full((480, 640), 230, np.uint8)
    for y in range(60, 440, 60):
        cv2.line(dashes, (200, y), (280, y + 6), 50, 6)
    assert reader.read(dashes).digits == ()


@pytest.mark.parametrize(("x", "digit", "end"), [(80, 1, True), (0, 1, True), (40, 1, False), (80, 7, False)])
def test_a_stroke_that_goes_out_at_one_side_is_no_one(x: int, digit: int, end: bool) -> None:
    (mark,) = marks((digit, 0.99))
    assert is_end(mark._replace(box=Box(x, 10, 20, 60)), width=100) is end
    assert not is_end(mark._replace(box=Box(0, 10, 100, 60)), width=100)


def test_a_stroke_much_fainter_than_the_digits_is_no_one() -> None:
    row = [
        mark._replace(ink=np.full((30, 20), level, np.uint8))
        for mark, level in zip(marks((1, 0.99), (1, 0.99), (7, 0.99), (2, 0.99)), (90, 200, 220, 240), strict=True)
    ]
    assert without_faint(row, (True, True, True, True)) == (False, True, True, True)
    assert without_faint(row, (True, True, True, False)) == (True, True, True, False), "one other may be a strong one"
    assert without_faint(row[2:], (True, True)) == (True, True)


def test_turned_ink_keeps_all_its_parts() -> None:
    picture = np.full((100, 150), 220, np.uint8)
    cv2.line(picture, (20, 30), (110, 40), 40, 6)
    cleaned = clean(picture, VisionSettings(), light_ink=False)
    turned = turned_ink(cleaned, cv2.ROTATE_90_CLOCKWISE)
    assert turned.ink.shape == turned.mask.shape == cleaned.ink.shape[::-1]
    assert turned.sure is not None and cleaned.sure is not None
    assert np.array_equal(np.rot90(turned.sure), cleaned.sure)


def test_a_digit_among_words_has_to_be_surer() -> None:
    words = [(None, 0.99)] * 4
    assert kept_of(marks((7, 0.9)), 0.6, False) == (True,)
    assert kept_of(marks((7, 0.9), *words), 0.6, False) == (False,) * 5
    assert kept_of(marks((7, 0.99), *words), 0.6, False) == (True, False, False, False, False)
    assert not any(kept_of(marks((1, 0.99), *words), 0.6, False)), "any stroke may be a 1"
    assert not any(kept_of(marks((0, 0.99), (8, 0.99), *words), 0.6, False)), "and rings are letters,"
    assert kept_of(marks((8, 0.99), (7, 0.99), *words), 0.6, False)[:2] == (True, True), "unless a digit is with them"
    assert not any(kept_of(marks((7, 0.99), *words, *words), 0.6, False)), "and a page of words has none"


@pytest.mark.parametrize("pen", [14, 20, 26])
def test_paper_within_a_ring_is_no_one(reader: Reader, pen: int) -> None:
    """A slim ring goes out of the picture: its inside, as bright as the page, is no stroke of chalk."""
    page = np.full((480, 640), 215, np.uint8)
    cv2.ellipse(page, (620, 240), (10 + pen // 2, 60 + pen // 2), 0, 0, 360, 40, pen)
    cv2.line(page, (620, 180 - pen // 2), (639, 180 - pen // 2), 40, pen)
    assert reader.read(page).digits == ()
    assert reader.read(255 - page).digits == ()
    chalk = np.full((480, 640), 40, np.uint8)
    cv2.ellipse(chalk, (320, 240), (9, 52), 0, 0, 360, 215, -1)
    assert reader.read(chalk).text == "1", "the same on a board"


def test_a_fence_is_no_number() -> None:
    assert not any(kept_of(marks(*[(1, 0.99)] * 6), 0.6, False))
    assert all(kept_of(marks(*[(1, 0.99)] * 5), 0.6, False))
    assert all(kept_of(marks(*[(1, 0.99)] * 6, (2, 0.99)), 0.6, False))
    assert kept_of([], 0.6, False) == ()


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
