import cv2
import numpy as np

from edge.vision.background import background


def written(height: int = 240, width: int = 320) -> np.ndarray:
    """A ring and a bar of dark ink on light paper."""
    grey = np.full((height, width), 220, np.uint8)
    cv2.circle(grey, (width // 3, height // 2), height // 5, 40, 6)
    cv2.line(grey, (2 * width // 3, height // 4), (2 * width // 3, 3 * height // 4), 40, 6)
    return grey


def test_the_background_under_writing_is_the_paper() -> None:
    behind = background(written())
    assert behind.min() > 200
    assert max(behind.shape) <= 128
