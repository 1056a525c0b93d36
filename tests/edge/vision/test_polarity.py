import cv2
import numpy as np
import pytest

from edge.handwriting import virtual_camera
from edge.vision.polarity import dark_ink_ratio


def written(height: int = 240, width: int = 320) -> np.ndarray:
    """A ring and a bar of dark ink on light paper."""
    grey = np.full((height, width), 220, np.uint8)
    cv2.circle(grey, (width // 3, height // 2), height // 5, 40, 6)
    cv2.line(grey, (2 * width // 3, height // 4), (2 * width // 3, 3 * height // 4), 40, 6)
    return grey


@pytest.mark.parametrize("height", [60, 240, 700])
def test_polarity_is_seen_under_any_light(height: int) -> None:
    grey = cv2.resize(written(), None, fx=height / 240, fy=height / 240, interpolation=cv2.INTER_AREA)
    for seed in range(5):
        lit = virtual_camera.light(grey, np.random.default_rng(seed), 0.6)
        assert dark_ink_ratio(lit) > 1
        assert dark_ink_ratio(cv2.bitwise_not(lit)) < 1


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_dark_edge_of_a_scan_does_not_turn_the_polarity(side: str) -> None:
    grey = np.full((480, 640), 170, np.uint8)
    cv2.circle(grey, (200, 150), 30, 90, 5)
    turns = {"left": 0, "top": 1, "right": 2, "bottom": 3}[side]
    turned = np.rot90(grey, turns).copy()
    turned[:, :12] = 10
    grey = np.rot90(turned, -turns).copy()
    assert dark_ink_ratio(grey) > 1
    assert dark_ink_ratio(cv2.bitwise_not(grey)) < 1
