import cv2
import numpy as np

from edge.vision.clean import clean
from edge.vision.components import Part
from edge.vision.gap_closing import close_gaps, typical_gap
from edge.vision.settings import VisionSettings


def dotted(pitch: int) -> np.ndarray:
    page = np.full((400, 400), 230, np.uint8)
    for angle in np.arange(0, 2 * np.pi, pitch / 120):
        cv2.circle(page, (round(200 + 120 * np.cos(angle)), round(200 + 120 * np.sin(angle))), 10, 40, -1)
    return page


def parts(mask: np.ndarray) -> list[Part]:
    return [tuple(part) for part in cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:].tolist()]


def test_dots_become_a_stroke() -> None:
    cleaned = clean(dotted(32), VisionSettings(), light_ink=False)
    apart = parts(cleaned.mask)
    gap = typical_gap(apart)
    assert len(apart) > 15 and 6 <= gap <= 16
    whole = close_gaps(cleaned, gap)
    assert len(parts(whole.mask)) == 1
    ring = np.zeros_like(whole.ink)
    cv2.circle(ring, (200, 200), 120, 255, 1)
    assert whole.ink[ring > 0].min() > 90, "and the ink goes round without a gap"
    assert whole.ink[200, 200] < 20, "but the middle stays open"


def test_digits_far_from_each_other_have_no_gap() -> None:
    far = [(0, 0, 20, 30, 200), (100, 0, 20, 30, 200), (200, 0, 20, 30, 200)]
    assert typical_gap(far) == 0
    assert typical_gap([(0, 0, 2, 3, 20), (10, 0, 2, 3, 20)]) == 0, "two parts have no typical gap"
    assert typical_gap([]) == 0
    near = [(x // 4, *rest) for x, *rest in far]
    assert typical_gap(near) == 5


def test_a_texture_has_no_typical_gap() -> None:
    dots = [(10 * x, 10 * y, 5, 5, 20) for y in range(40) for x in range(40)]
    assert typical_gap(dots[:900]) == 5
    assert typical_gap(dots) == 0
