import cv2
import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.normalise import normalise
from edge.vision.polygons import is_polygon


def drawn(points: np.ndarray, degrees: float, pen: int) -> Pixels:
    angle = np.radians(degrees)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + 90
    ink = np.zeros((180, 180), np.uint8)
    cv2.polylines(ink, [np.rint(turned).astype(np.int32)], True, 255, pen, cv2.LINE_AA)
    return normalise(ink)


@pytest.mark.parametrize("degrees", [0, 15, 25])
@pytest.mark.parametrize("pen", [4, 8, 12])
def test_boxes_and_triangles_are_polygons_and_rings_are_not(degrees: float, pen: int) -> None:
    box = np.array([[-50, -35], [50, -35], [50, 35], [-50, 35]])
    triangle = np.array([[-45, 40], [45, 40], [10, -50]])
    around = np.linspace(0, 2 * np.pi, 50)
    ring = np.stack([35 * np.cos(around), 55 * np.sin(around)], axis=1)
    pointed = np.stack([35 * np.cos(around) ** 3, 55 * np.sin(around)], axis=1)
    assert is_polygon(drawn(box, degrees, pen))
    assert is_polygon(drawn(triangle, degrees, pen))
    assert not is_polygon(drawn(ring, degrees, pen))
    assert not is_polygon(drawn(pointed, degrees, pen))


def test_a_lone_pixel_and_nothing_are_no_polygon() -> None:
    glyph = np.zeros((28, 28), np.uint8)
    assert not is_polygon(glyph)
    glyph[14, 14] = 255
    assert not is_polygon(glyph)
    glyph[14, 10:18] = 255
    assert not is_polygon(glyph), "nor is a line"
