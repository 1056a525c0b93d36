import cv2
import numpy as np

from edge.vision.clean import clean
from edge.vision.components import Part
from edge.vision.gap_closing import close_gaps, nearest_distances, typical_gap
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
    gap = typical_gap(cleaned.mask, apart)
    assert len(apart) > 15 and 6 <= gap <= 16
    whole = close_gaps(cleaned, gap)
    assert len(parts(whole.mask)) == 1
    ring = np.zeros_like(whole.ink)
    cv2.circle(ring, (200, 200), 120, 255, 1)
    assert whole.ink[ring > 0].min() > 90, "and the ink goes round without a gap"
    assert whole.ink[200, 200] < 20, "but the middle stays open"


def bars(*corners: tuple[int, int], size: tuple[int, int] = (20, 30)) -> np.ndarray:
    """A mask with a bar at each corner (x, y)."""
    mask = np.zeros((500, 500), np.uint8)
    for x, y in corners:
        mask[y : y + size[1], x : x + size[0]] = 255
    return mask


def gap_in(mask: np.ndarray) -> int:
    return typical_gap(mask, parts(mask))


def test_digits_far_from_each_other_have_no_gap() -> None:
    assert gap_in(bars((0, 0), (100, 0), (200, 0))) == 0
    assert gap_in(bars((0, 0), (25, 0))) == 0, "two parts have no typical gap"
    assert gap_in(bars()) == 0
    assert gap_in(bars((0, 0), (25, 0), (50, 0))) == 5


def test_a_texture_has_no_typical_gap() -> None:
    dots = [(10 * x, 10 * y) for y in range(40) for x in range(40)]
    assert gap_in(bars(*dots[:900], size=(5, 5))) == 5
    assert gap_in(bars(*dots, size=(5, 5))) == 0


def test_parts_whose_boxes_overlap_may_have_a_gap_between_them() -> None:
    mask = np.zeros((100, 100), np.uint8)
    for x, y in ((20, 80), (40, 80), (60, 80)):
        cv2.line(mask, (x, y), (x + 20, y - 60), 255, 3)
    nearest = nearest_distances(mask)
    assert len(nearest) == 3 and 12 < nearest[0] <= nearest[-1] < 17
