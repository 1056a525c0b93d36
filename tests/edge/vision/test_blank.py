import cv2
import numpy as np
import pytest

from edge.vision.clean import clean
from edge.vision.settings import VisionSettings


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
