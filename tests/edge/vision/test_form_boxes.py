import cv2
import numpy as np

from edge.handwriting import rendering, styles
from edge.vision.form_boxes import find_form_boxes
from edge.vision.segment import components_in_window, segment

HEIGHT, WIDTH = 480, 640
PLAIN = styles.WritingStyle(forms=(0,) * 10, pen=0.1, size=0.55)


def written(text: str) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """A mask of digits, and their boxes."""
    ink, boxes = rendering.page((text,), HEIGHT, WIDTH, np.random.default_rng(1), PLAIN)
    return np.where(ink > 127, 255, 0).astype(np.uint8), [tuple(box) for box in boxes]


def test_a_form_box_is_removed_and_what_it_holds_stays() -> None:
    digits, boxes = written("3")
    x, y, width, height = boxes[0]
    corners = cv2.boxPoints(((x + width / 2, y + height / 2), (1.5 * width, 1.4 * height), 5.0))
    page = digits.copy()
    cv2.polylines(page, [np.rint(corners).astype(np.int32)], True, 255, 4)
    (mark,) = segment(page).marks
    assert np.abs(np.subtract(mark.box, boxes[0])).max() <= 2


def test_a_0_around_a_dot_is_no_form_box() -> None:
    page = np.zeros((200, 200), np.uint8)
    everything = slice(0, 200), slice(0, 200)
    cv2.ellipse(page, (100, 100), (50, 70), 0, 0, 360, 255, 6)
    cv2.line(page, (85, 125), (115, 75), 255, 6)
    labels, parts = components_in_window(page, everything)
    assert not find_form_boxes(labels, parts, everything, page.shape)
    cv2.rectangle(page, (10, 10), (190, 190), 255, 3)
    labels, parts = components_in_window(page, everything)
    assert find_form_boxes(labels, parts, everything, page.shape) == {0}


def test_a_table_of_uneven_rows_is_removed() -> None:
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    for row, count in enumerate((4, 2)):
        for column in range(count):
            x, y = 100 + 90 * column, 100 + 120 * row
            cv2.rectangle(page, (x, y), (x + 90, y + 120), 255, 3)
            cv2.line(page, (x + 40, y + 35), (x + 50, y + 85), 255, 6)
    assert len(segment(page).marks) == 6


def test_squared_paper_to_the_border_is_no_form_box() -> None:
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    page[20::80] = page[:, 20::80] = 255
    cv2.line(page, (260, 130), (270, 160), 255, 4)
    everything = slice(0, HEIGHT), slice(0, WIDTH)
    labels, parts = components_in_window(page, everything)
    assert not find_form_boxes(labels, parts, everything, page.shape)
