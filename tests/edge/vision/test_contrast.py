import cv2
import numpy as np
import pytest

from edge.vision.clean import clean
from edge.vision.segment import find_parts
from edge.vision.settings import VisionSettings


def pencil_digits() -> np.ndarray:
    page = np.full((480, 640), 220, np.uint8)
    for x in (120, 240, 360):
        cv2.ellipse(page, (x, 150), (20, 30), 0, 0, 360, 165, 5)
    return page


@pytest.mark.parametrize("thing", ["desk", "phone", "marker", "shadow"])
def test_a_dark_thing_hides_no_faint_digit(thing: str) -> None:
    page = pencil_digits()
    if thing == "desk":
        page[:, 560:] = 15
    if thing == "phone":
        page[300:450, 300:540] = 5
    if thing == "marker":
        cv2.line(page, (60, 400), (580, 420), 0, 14)
    if thing == "shadow":
        cv2.fillPoly(page, [np.array([[420, 100], [630, 470], [300, 470]])], 110)
    cleaned = clean(page, VisionSettings(), light_ink=False)
    found = find_parts(cleaned.mask, cleaned.sure)
    boxes = [[side / cleaned.scale for side in found.every[i][:4]] for i in found.usable]
    for x in (120, 240, 360):
        assert (
            sum(abs(b[0] + b[2] / 2 - x) < 6 and abs(b[1] + b[3] / 2 - 150) < 6 and 55 < b[3] < 75 for b in boxes) == 1
        )
