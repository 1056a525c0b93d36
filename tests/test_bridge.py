import cv2
import numpy as np

from edge.vision.bridge import closed, usual_gap
from edge.vision.clean import clean
from edge.vision.recipe import Recipe


def dotted(pitch: int) -> np.ndarray:
    page = np.full((200, 200), 230, np.uint8)
    for angle in np.arange(0, 2 * np.pi, pitch / 60):
        cv2.circle(page, (round(100 + 60 * np.cos(angle)), round(100 + 60 * np.sin(angle))), 5, 40, -1)
    return page


def parts(mask: np.ndarray) -> np.ndarray:
    return cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]


def test_dots_become_a_stroke() -> None:
    cleaned = clean(dotted(16), Recipe(), light_ink=False)
    apart = parts(cleaned.mask)
    gap = usual_gap(apart)
    assert len(apart) > 15 and 3 <= gap <= 8
    whole = closed(cleaned, gap)
    assert len(parts(whole.mask)) == 1
    ring = np.zeros_like(whole.ink)
    cv2.circle(ring, (100, 100), 60, 255, 1)
    assert whole.ink[ring > 0].min() > 90, "and the ink goes round without a gap"
    assert whole.ink[100, 100] < 20, "but the middle stays open"


def test_digits_far_from_each_other_have_no_gap() -> None:
    far = np.array([[0, 0, 20, 30, 200], [100, 0, 20, 30, 200], [200, 0, 20, 30, 200]], np.int32)
    assert usual_gap(far) == 0
    assert usual_gap(far[:2] // 10) == 0, "two parts have no usual gap"
    assert usual_gap(np.zeros((0, 5), np.int32)) == 0
    near = far // np.array([4, 1, 1, 1, 1])
    assert usual_gap(near) == 5


def test_a_texture_has_no_usual_gap() -> None:
    places = np.mgrid[0:40, 0:40].reshape(2, -1).T * 10
    dots = np.concatenate([places, np.full_like(places, 5), np.full((len(places), 1), 20)], axis=1).astype(np.int32)
    assert usual_gap(dots[:900]) == 5
    assert usual_gap(dots) == 0
