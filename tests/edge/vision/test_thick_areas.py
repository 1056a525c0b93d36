import cv2
import numpy as np

from edge.vision.clean import clean
from edge.vision.settings import VisionSettings


def test_a_shadow_much_thicker_than_the_strokes_is_paper() -> None:
    page = np.full((480, 640), 220, np.uint8)
    for x in range(60, 400, 60):
        cv2.line(page, (x, 80), (x, 160), 40, 8)
    expected = clean(page, VisionSettings(), light_ink=False).mask
    page[260:480, 420:520] = 110
    found = clean(page, VisionSettings(), light_ink=False).mask
    assert np.mean(found[:200] != expected[:200]) < 0.002
    assert np.mean(found[300:440, 440:500] > 0) < 0.02


def test_what_is_as_dark_as_the_ink_that_touches_it_is_ink() -> None:
    mug = np.full((480, 640), 220, np.uint8)
    cv2.rectangle(mug, (200, 150), (330, 330), 40, -1)
    cv2.ellipse(mug, (330, 240), (50, 60), 0, -90, 90, 40, 10)
    for place in range(420, 620, 40):
        cv2.line(mug, (place, 380), (place + 10, 440), 40, 10)
    mask = clean(mug, VisionSettings(), light_ink=False).mask
    assert mask[240, 265] == mask[240, 380] == 255


def test_a_thick_digit_alone_keeps_its_ink() -> None:
    page = np.full((480, 640), 220, np.uint8)
    cv2.line(page, (320, 60), (320, 420), 40, 70)
    assert np.mean(clean(page, VisionSettings(), light_ink=False).mask[100:380, 300:340] > 0) > 0.99
