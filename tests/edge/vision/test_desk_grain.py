import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.desk_grain import grain_mask
from edge.vision.settings import VisionSettings


def sheet_on(dark: Pixels) -> Pixels:
    """A sheet with three strokes, which leaves the left 240 columns of what lies below it free."""
    page = dark.copy()
    page[:, 240:] = 225
    for x in (330, 420, 510):
        cv2.line(page, (x, 200), (x, 280), 50, 9)
    return page


def wood(light: float, rough: float) -> Pixels:
    """Streaks of grain, (480, 640)."""
    streaks = cv2.GaussianBlur(np.random.default_rng(4).standard_normal((480, 640)), (0, 0), 2, sigmaY=14)
    return np.clip(light * (1 + rough * streaks / streaks.std()), 0, 255).astype(np.uint8)


def test_grain_is_no_ink_and_the_writing_on_the_sheet_is() -> None:
    found = clean(sheet_on(wood(90, 0.25)), VisionSettings(), light_ink=False)
    assert found.reason is None
    assert np.mean(found.mask[:, :225] > 0) < 0.002
    on_plain = clean(sheet_on(np.full((480, 640), 225, np.uint8)), VisionSettings(), light_ink=False)
    assert np.array_equal(found.mask[180:300, 300:540], on_plain.mask[180:300, 300:540])


def test_writing_in_a_smooth_shadow_stays() -> None:
    page = sheet_on(np.full((480, 640), 90, np.uint8))
    for x in (60, 130):
        cv2.line(page, (x, 200), (x, 280), 20, 9)
    found = clean(page, VisionSettings(), light_ink=False).mask
    assert (found[210:270, [60, 130, 330, 420, 510]] > 0).all()


def test_a_page_in_even_light_has_no_grain() -> None:
    page = sheet_on(np.full((480, 640), 225, np.uint8))
    assert grain_mask(page, np.zeros_like(page), 215, 225) is None


def test_a_hand_is_no_table() -> None:
    page = np.full((480, 640), 225, np.uint8)
    hand = wood(120, 0.25)
    page[:300, 100:160] = hand[:300, 100:160]
    assert grain_mask(page, cv2.subtract(np.full_like(page, 225), page), 90, 225) is None


def test_a_dark_stroke_that_ends_on_the_sheet_is_no_table() -> None:
    page = sheet_on(wood(90, 0.25))
    cv2.line(page, (330, 200), (330, 280), 50, 60)
    rough = grain_mask(page, cv2.subtract(np.full_like(page, 225), page), 90, 225)
    assert rough is not None
    assert rough[:, :225].any() and not rough[205:275, 310:350].any()
