import cv2
import numpy as np
import pytest

from edge.vision.clean import clean
from edge.vision.segment import components_in_window, find_parts
from edge.vision.settings import VisionSettings


def digits_on(draw: str) -> np.ndarray:
    """Three rings on a page, which touch a line, two lines, boxes or nothing."""
    page = np.full((480, 640), 230, np.uint8)
    for x in (160, 300, 440):
        cv2.ellipse(page, (x, 240), (28, 40), 0, 0, 360, 40, 7)
    if draw == "line":
        cv2.line(page, (60, 285), (600, 290), 40, 3)
    if draw == "paper":
        for y in range(45, 470, 80):
            cv2.line(page, (0, y - 1), (639, y + 9), 60, 2)
    if draw == "boxes":
        cv2.rectangle(page, (90, 190), (510, 283), 40, 3)
        for x in (230, 370):
            cv2.line(page, (x, 190), (x, 283), 40, 3)
    return page


@pytest.mark.parametrize("draw", ["nothing", "line", "paper", "boxes"])
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_digits_that_touch_rules_stay_whole(draw: str, scale: float) -> None:
    page = cv2.resize(digits_on(draw), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cleaned = clean(page, VisionSettings(), light_ink=False)
    found = find_parts(cleaned.mask, cleaned.sure)
    size = scale * cleaned.scale
    for x in (160, 300, 440):
        near = [
            part
            for part in (found.every[i] for i in found.usable)
            if abs(part[0] + part[2] / 2 - x * size) < 12 * size and 76 * size < part[3] < 106 * size
        ]
        assert len(near) == 1 and 55 * size < near[0][2] < 75 * size


def test_a_rule_and_a_box_that_touch_nothing_stay() -> None:
    mask = np.zeros((480, 640), np.uint8)
    mask[100:103, 50:600] = 255
    cv2.rectangle(mask, (200, 200), (300, 320), 255, 3)
    whole = (slice(0, 480), slice(0, 640))
    assert len(components_in_window(mask, whole)[1]) == len(find_parts(mask).every) == 2
    assert find_parts(mask).mask is mask


def test_a_one_that_fills_the_picture_is_no_rule() -> None:
    mask = np.zeros((60, 40), np.uint8)
    mask[:, 18:24] = 255
    mask[:6, 5:24] = 255
    assert find_parts(mask).mask is mask
