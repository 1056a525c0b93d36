import cv2
import numpy as np
import pytest

from edge.reading.quarter_turns import QUARTERS, rotate_box_back, rotate_cleaned
from edge.types import Box
from edge.vision.clean import clean
from edge.vision.settings import VisionSettings


@pytest.mark.parametrize("quarters", QUARTERS)
def test_a_box_in_a_turned_picture_comes_back(quarters: int) -> None:
    picture = np.zeros((60, 90), np.uint8)
    picture[10:25, 30:80] = 255
    turned = cv2.rotate(picture, QUARTERS[quarters])
    assert rotate_box_back(Box(*cv2.boundingRect(turned)), quarters, picture.shape) == Box(30, 10, 50, 15)


def test_turned_ink_keeps_all_its_parts() -> None:
    picture = np.full((100, 150), 220, np.uint8)
    cv2.line(picture, (20, 30), (110, 40), 40, 6)
    cleaned = clean(picture, VisionSettings(), light_ink=False)
    turned = rotate_cleaned(cleaned, cv2.ROTATE_90_CLOCKWISE)
    assert turned.ink.shape == turned.mask.shape == cleaned.ink.shape[::-1]
    assert turned.sure is not None and cleaned.sure is not None
    assert np.array_equal(np.rot90(turned.sure), cleaned.sure)
