import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.handwriting import virtual_camera
from edge.vision.clean import binarise, clean, gaussian_filter, median_filter, morphology, paper, working_scale
from edge.vision.settings import VisionSettings

THRESHOLDS = ["hysteresis", "global", "otsu", "adaptive_mean", "adaptive_gaussian"]


def written(height: int = 240, width: int = 320) -> np.ndarray:
    """A ring and a bar of dark ink on light paper."""
    grey = np.full((height, width), 220, np.uint8)
    cv2.circle(grey, (width // 3, height // 2), height // 5, 40, 6)
    cv2.line(grey, (2 * width // 3, height // 4), (2 * width // 3, 3 * height // 4), 40, 6)
    return grey


@settings(max_examples=60)
@given(
    npst.arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90))),
    st.sampled_from(THRESHOLDS),
    st.booleans(),
    st.booleans(),
)
def test_any_picture_is_cleaned_to_a_mask(grey: np.ndarray, threshold: str, light_ink: bool, even: bool) -> None:
    vision = VisionSettings(threshold=threshold, even=even, closing=3)  # type: ignore[arg-type]
    before = grey.copy()
    cleaned = clean(grey, vision, light_ink=light_ink)
    assert np.array_equal(grey, before), "a pure function leaves what it is given alone"
    assert cleaned.ink.shape == cleaned.mask.shape
    assert cleaned.ink.shape == tuple(max(1, round(n * cleaned.scale)) for n in grey.shape)
    assert set(np.unique(cleaned.mask)) <= {0, 255}
    if cleaned.reason:
        assert not cleaned.mask.any()


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("light_ink", [False, True])
def test_every_threshold_finds_the_ink(threshold: str, light_ink: bool) -> None:
    grey = written()
    seen = cv2.bitwise_not(grey) if light_ink else grey
    mask = clean(seen, VisionSettings(threshold=threshold), light_ink=light_ink).mask  # type: ignore[arg-type]
    truth = grey < 130
    assert (mask[truth] > 0).mean() > 0.9
    assert (mask[~cv2.dilate(truth.astype(np.uint8), np.ones((5, 5))).astype(bool)] == 0).all()


@pytest.mark.parametrize("strength", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("seed", range(4))
def test_the_light_does_not_matter(strength: float, seed: int) -> None:
    grey = written()
    lit = virtual_camera.light(grey, np.random.default_rng(seed), strength)
    even = clean(grey, VisionSettings(), light_ink=False).mask
    uneven = clean(lit, VisionSettings(), light_ink=False).mask
    both, either = np.count_nonzero(even & uneven), np.count_nonzero(even | uneven)
    assert both / either > 0.8


def test_a_hard_shadow_is_no_ink() -> None:
    grey = written()
    grey[:, 160:] = (grey[:, 160:] * 0.45).astype(np.uint8)
    mask = clean(grey, VisionSettings(), light_ink=False).mask
    assert not mask[:, 159:175].any()
    assert mask[:, 200:230].any(), "the bar within the shadow"


@pytest.mark.parametrize("grey", [0, 1, 60, 128, 200, 254, 255])
def test_an_empty_picture_is_blank(grey: int) -> None:
    cleaned = clean(np.full((120, 160), grey, np.uint8), VisionSettings(), light_ink=grey < 128)
    assert cleaned.reason == "blank"


@pytest.mark.parametrize("sigma", [2, 6, 15, 40])
@pytest.mark.parametrize("grain", [0, 1.5, 3])
def test_noise_alone_is_no_ink(sigma: float, grain: float) -> None:
    rng = np.random.default_rng(7)
    rough = rng.standard_normal((480, 640))
    rough = cv2.GaussianBlur(rough, (0, 0), grain) if grain else rough
    picture = np.clip(128 + sigma * rough / rough.std(), 0, 255).astype(np.uint8)
    for light_ink in (False, True):
        assert clean(picture, VisionSettings(), light_ink=light_ink).reason in ("blank", "low_contrast")


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(128, 4096))
def test_working_scale_keeps_the_longer_side_in_bounds(height: int, width: int, working_size: int) -> None:
    longer = max(height, width) * working_scale(height, width, working_size)
    assert longer <= max(working_size, 200) + 1e-6
    assert longer >= min(100, working_size) or max(height, width) < 25


def test_paper_under_writing_is_the_paper() -> None:
    behind = paper(written())
    assert behind.min() > 200
    assert max(behind.shape) <= 128


def test_filters_are_opencvs_own() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (50, 60)).astype(np.uint8)
    assert median_filter(grey, 3)[10, 10] == np.median(grey[9:12, 9:12])
    assert gaussian_filter(grey, 5).std() < grey.std()


def test_morphology_is_a_chain_of_choices() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 255
    mask[3, 3] = 255
    mask[20, 20] = 0
    assert morphology(mask, VisionSettings())[3, 3], "nothing chosen, nothing done"
    assert not morphology(mask, VisionSettings(opening=3))[3, 3]
    assert morphology(mask, VisionSettings(closing=3))[20, 20]
    assert np.count_nonzero(morphology(mask, VisionSettings(erosion=3))) < np.count_nonzero(mask)
    assert np.count_nonzero(morphology(mask, VisionSettings(dilation=3))) > np.count_nonzero(mask)


def test_hysteresis_keeps_faint_ink_apart_from_sure_ink() -> None:
    ink = np.array([[0, 30, 60, 200]], np.uint8)
    faint, sure = binarise(ink, VisionSettings(level=90, faint=45))
    assert faint.tolist() == [[0, 0, 255, 255]]
    assert sure is not None
    assert sure.tolist() == [[0, 0, 0, 255]]
    noisy, _ = binarise(ink, VisionSettings(level=90, faint=45), spread=15.0)
    assert noisy.tolist() == [[0, 0, 0, 255]], "never within the noise"


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


def test_the_grain_of_a_dark_table_is_no_ink() -> None:
    page = np.full((480, 640), 230, np.uint8)
    page[:, :300] = 40
    page[::12, :300] = 26
    for x in range(360, 620, 60):
        cv2.line(page, (x, 200), (x, 280), 40, 8)
    found = clean(page, VisionSettings(), light_ink=False)
    assert found.sure is not None
    assert not found.sure[:, 20:280].any()
    assert found.sure[240, 360] > 0
