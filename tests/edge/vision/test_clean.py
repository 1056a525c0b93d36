import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.handwriting import virtual_camera
from edge.vision.clean import Cleaned, clean, clean_larger, working_picture
from edge.vision.settings import VisionSettings

THRESHOLDS = ["hysteresis", "global", "otsu", "adaptive_mean", "adaptive_gaussian"]


def written(height: int = 360, width: int = 480) -> np.ndarray:
    """A ring and a bar of dark ink on light paper."""
    grey = np.full((height, width), 220, np.uint8)
    cv2.circle(grey, (width // 3, height // 2), height // 5, 40, 6)
    cv2.line(grey, (2 * width // 3, height // 4), (2 * width // 3, 3 * height // 4), 40, 6)
    return grey


def same_size(cleaned: Cleaned, grey: np.ndarray) -> np.ndarray:
    """The mask at the size of the picture."""
    return cv2.resize(cleaned.mask, grey.shape[::-1], interpolation=cv2.INTER_AREA) // 128 * 255


@settings(max_examples=60)
@given(
    npst.arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90))),
    st.sampled_from(THRESHOLDS),
    st.booleans(),
    st.booleans(),
)
def test_cleaning_any_picture_gives_a_mask(grey: np.ndarray, threshold: str, light_ink: bool, even: bool) -> None:
    vision = VisionSettings(threshold=threshold, even=even, closing=3)  # type: ignore[arg-type]
    before = grey.copy()
    cleaned = clean(grey, vision, light_ink=light_ink)
    assert np.array_equal(grey, before), "a pure function leaves what it is given alone"
    assert cleaned.ink.shape == cleaned.mask.shape
    assert max(abs(n - m * cleaned.scale) for n, m in zip(cleaned.ink.shape, grey.shape, strict=True)) <= 1
    assert set(np.unique(cleaned.mask)) <= {0, 255}
    if cleaned.reason:
        assert not cleaned.mask.any()


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("light_ink", [False, True])
def test_every_threshold_finds_the_ink(threshold: str, light_ink: bool) -> None:
    grey = written()
    seen = cv2.bitwise_not(grey) if light_ink else grey
    mask = same_size(clean(seen, VisionSettings(threshold=threshold), light_ink=light_ink), grey)  # type: ignore[arg-type]
    truth = grey < 130
    assert (mask[truth] > 0).mean() > 0.9
    assert (mask[~cv2.dilate(truth.astype(np.uint8), np.ones((5, 5))).astype(bool)] == 0).all()


@pytest.mark.parametrize("light_ink", [False, True])
def test_a_picture_is_cleaned_again_at_a_larger_scale(light_ink: bool) -> None:
    grey = cv2.resize(written(), None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    seen = cv2.bitwise_not(grey) if light_ink else grey
    before = clean(seen, VisionSettings(), light_ink=light_ink)
    larger = clean_larger(seen, VisionSettings(), before, 2)
    assert larger.scale == 2 * before.scale and larger.stroke == 2 * before.stroke
    assert larger.polarity == before.polarity and larger.has_strokes
    assert max(larger.mask.shape) == pytest.approx(2 * max(before.mask.shape), abs=2)
    truth, found = grey < 130, cv2.resize(larger.mask, grey.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert (truth & found).sum() > 0.9 * (truth | found).sum()


@pytest.mark.parametrize(("working_size", "side"), [(2048, 1024), (1024, 1024), (640, 640)])
def test_a_large_picture_is_first_seen_small(working_size: int, side: int) -> None:
    page = np.full((3000, 4000), 220, np.uint8)
    assert max(working_picture(page, VisionSettings(working_size=working_size)).shape) == side


@pytest.mark.parametrize("strength", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("seed", range(4))
def test_the_light_does_not_matter(strength: float, seed: int) -> None:
    grey = written()
    lit = virtual_camera.light(grey, np.random.default_rng(seed), strength)
    even, uneven = (same_size(clean(one, VisionSettings(), light_ink=False), grey) for one in (grey, lit))
    both, either = np.count_nonzero(even & uneven), np.count_nonzero(even | uneven)
    assert both / either > 0.8


def test_a_hard_shadow_is_no_ink() -> None:
    grey = written()
    grey[:, 240:] = (grey[:, 240:] * 0.45).astype(np.uint8)
    mask = same_size(clean(grey, VisionSettings(), light_ink=False), grey)
    assert not mask[:, 239:265].any()
    assert mask[:, 310:330].any(), "the bar within the shadow"


def test_the_noise_of_a_dark_table_is_no_ink() -> None:
    page = np.full((480, 640), 230, np.float32)
    page[:, :300] = 40
    for x in range(360, 620, 60):
        cv2.line(page, (x, 200), (x, 280), 40, 8)
    page[:, :300] += np.random.default_rng(0).normal(0, 6, (480, 300))
    found = clean(np.clip(page, 0, 255).astype(np.uint8), VisionSettings(), light_ink=False)
    assert found.sure is not None
    sure = cv2.resize(found.sure, (640, 480), interpolation=cv2.INTER_NEAREST)
    assert np.count_nonzero(sure[:, 20:280]) < 200
    assert sure[240, 360] > 0


def test_noise_alone_is_blank_or_has_hardly_any_strong_ink() -> None:
    for sigma in (1, 6, 20):
        page = np.clip(np.random.default_rng(1).normal(180, sigma, (240, 320)), 0, 255).astype(np.uint8)
        found = clean(page, VisionSettings(), light_ink=False)
        assert found.reason == "blank" or np.count_nonzero(found.sure) < 1e-3 * found.mask.size
        assert max(found.mask.shape) <= 1024


def test_a_line_too_faint_to_read_is_low_in_contrast() -> None:
    page = np.full((240, 320), 180, np.uint8)
    cv2.line(page, (60, 120), (260, 120), 178, 5)
    assert clean(page, VisionSettings(), light_ink=False).reason == "low_contrast"


def test_a_median_filter_leaves_a_thin_pen_alone() -> None:
    page = np.full((400, 400), 255, np.uint8)
    cv2.line(page, (280, 80), (200, 320), 0, 1)
    mask = clean(page, VisionSettings(), light_ink=False).mask
    assert cv2.connectedComponents(mask)[0] == 2
