import cv2
import numpy as np

from edge.vision.background import background


def test_the_background_under_writing_is_the_paper() -> None:
    grey = np.full((240, 320), 220, np.uint8)
    cv2.circle(grey, (110, 120), 48, 40, 6)
    cv2.line(grey, (220, 60), (220, 180), 40, 6)
    behind = background(grey, stroke=6)
    assert behind.min() > 200
    assert max(behind.shape) == 160, "halved while strokes are wider than they need to be"


def test_what_is_broader_than_a_stroke_is_background_up_to_its_edge() -> None:
    grey = np.full((240, 320), 220, np.uint8)
    grey[:, 150:] = 90
    behind = cv2.resize(background(grey, stroke=4), (320, 240))
    assert behind[:, 150:].max() <= 92, "no rim of ink in the dark"
    assert behind[:, :120].min() >= 218
