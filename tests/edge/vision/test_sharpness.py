import cv2
import numpy as np
import pytest

from edge.vision.sharpness import edge_width


@pytest.mark.parametrize(("sigma", "least", "most"), [(0.5, 1, 3), (3, 6, 9), (10, 20, 30)])
def test_edges_are_as_wide_as_they_are_blurred(sigma: float, least: float, most: float) -> None:
    ink = np.zeros((200, 200), np.uint8)
    cv2.rectangle(ink, (60, 60), (140, 140), 255, cv2.FILLED)
    ink = cv2.GaussianBlur(ink, (0, 0), sigma)
    mask = cv2.compare(ink, 40, cv2.CMP_GT)
    # A Gaussian's edge falls by its whole height over 2.5 standard deviations, at its steepest.
    assert least <= edge_width(ink, mask) <= most


def test_no_ink_has_no_edge() -> None:
    assert edge_width(np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)) == 0
