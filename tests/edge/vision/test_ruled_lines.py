import cv2
import numpy as np
import pytest

from edge.handwriting import rendering, styles
from edge.vision.ruled_lines import may_have_ruled_lines, remove_ruled_lines
from edge.vision.segment import components_in_window, segment

HEIGHT, WIDTH = 480, 640
PLAIN = styles.WritingStyle(forms=(0,) * 10, pen=0.1, size=0.55)


def written(text: str = "2357", seed: int = 1) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """A mask of digits, and their boxes."""
    ink, boxes = rendering.page((text,), HEIGHT, WIDTH, np.random.default_rng(seed), PLAIN)
    return np.where(ink > 127, 255, 0).astype(np.uint8), [tuple(box) for box in boxes]


def ruled(pitch: float, degrees: float, thickness: int = 2, bend: float = 0.0) -> np.ndarray:
    """Parallel lines over the whole picture, some of them bent by ``bend`` pixels in the middle."""
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    along = np.linspace(-600, 600, 100)
    turn = np.radians(degrees)
    for off in np.arange(-600, 600, pitch):
        across = off + bend * np.cos(along / 400)
        x = WIDTH / 2 + along * np.cos(turn) - across * np.sin(turn)
        y = HEIGHT / 2 + along * np.sin(turn) + across * np.cos(turn)
        cv2.polylines(page, [np.rint(np.stack([x, y], axis=1)).astype(np.int32)], False, 255, thickness)
    return page


def share_left(digits: np.ndarray, page: np.ndarray) -> tuple[float, float]:
    """Shares of the digits' ink, and of all else on the page, that are there after its ruled lines were removed."""
    left = remove_ruled_lines(page) > 0
    ink = digits > 0
    around = cv2.dilate(digits, np.ones((5, 5), np.uint8)) > 0
    rest = (page > 0) & ~around
    return float(left[ink].mean()), float(left[rest].mean())


@pytest.mark.parametrize("degrees", [-45, -20, -4, 0, 3, 12, 30, 48])
@pytest.mark.parametrize("squared", [False, True])
def test_ruled_lines_are_removed_and_digits_stay(degrees: float, squared: bool) -> None:
    digits, _ = written()
    page = digits | ruled(61, degrees)
    if squared:
        page |= ruled(61, degrees + 90)
    of_digits, of_lines = share_left(digits, page)
    assert of_digits > 0.88
    assert of_lines < 0.06


def test_bent_lines_are_followed() -> None:
    digits, _ = written()
    of_digits, of_lines = share_left(digits, digits | ruled(70, 2, bend=20))
    assert of_digits > 0.94
    assert of_lines < 0.06


@pytest.mark.parametrize("seed", range(4))
def test_digits_on_ruled_paper_are_segmented_as_without(seed: int) -> None:
    digits, _ = written("2457", seed)
    page = digits | ruled(80, 1)
    expected = [mark.box for mark in segment(digits).marks]
    found = [mark.box for mark in segment(page).marks]
    assert len(found) == len(expected)
    for a, b in zip(expected, found, strict=True):
        assert np.abs(np.subtract(a, b)).max() <= 5


def test_an_underline_is_removed() -> None:
    digits, boxes = written("4803")
    bottom = max(y + height for _, y, _, height in boxes)
    right = max(x + width for x, _, width, _ in boxes)
    page = digits.copy()
    cv2.line(page, (boxes[0][0] - 10, bottom - 2), (right + 10, bottom + 2), 255, 4)
    assert len(segment(page).marks) == 4


@pytest.mark.parametrize("lean", [-20, 0, 20])
def test_an_arrow_keeps_its_shaft(lean: int) -> None:
    page = np.zeros((480, 640), np.uint8)
    cv2.arrowedLine(page, (150, 240), (430, 240 + lean), 255, 6, tipLength=0.18)
    assert len(segment(page).marks) == 1
    assert np.array_equal(remove_ruled_lines(page), page)


@pytest.mark.parametrize("text", ["7", "4", "1", "2", "5", "1111", "5757", "7777", "2222"])
@pytest.mark.parametrize("size", [0.4, 0.95])
def test_strokes_of_digits_are_no_ruled_lines(text: str, size: float) -> None:
    hand = styles.WritingStyle(forms=(0,) * 10, pen=0.04, size=size)
    for height, width in ((480, 640), (640, 480), (200, 150 * len(text))):
        ink, _ = rendering.page((text,), height, width, np.random.default_rng(4), hand)
        mask = np.where(ink > 127, 255, 0).astype(np.uint8)
        assert np.array_equal(remove_ruled_lines(mask), mask)


def test_a_mask_without_ruled_lines_is_returned_as_it_is() -> None:
    digits, _ = written()
    assert remove_ruled_lines(digits) is digits
    blank = np.zeros((50, 60), np.uint8)
    assert remove_ruled_lines(blank) is blank


def test_only_pages_that_may_have_ruled_lines_are_searched() -> None:
    digits, _ = written()
    everything = (slice(0, HEIGHT), slice(0, WIDTH))
    assert not may_have_ruled_lines(components_in_window(digits, everything)[1], digits.shape)
    assert may_have_ruled_lines(components_in_window(digits | ruled(80, 1), everything)[1], digits.shape)
