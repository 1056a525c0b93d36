import cv2
import numpy as np
import pytest

from edge.handwriting import rendering, virtual_camera
from edge.types import Pixels
from edge.vision.sharpness import edge_width, sharpness


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


def _page(size: tuple[int, int], text: list[str]) -> Pixels:
    ink, _ = rendering.page(text, *size[::-1], np.random.default_rng(3))
    return virtual_camera.write(ink, 200, 0.8)


BLURS = (0, 1, 2, 4, 8, 16, 32)
"""Blur, pixels."""


@pytest.mark.parametrize(
    ("size", "text"), [((1296, 972), ["1247673", "8952481"]), ((640, 480), ["7"]), ((1456, 1088), ["123"] * 12)]
)
@pytest.mark.parametrize(("contrast", "brightness", "noise"), [(1, 0, 0), (1, 0, 6), (0.3, 0, 3), (0.5, 60, 2)])
def test_sharpness_falls_with_each_blur_whatever_the_light(
    size: tuple[int, int], text: list[str], contrast: float, brightness: float, noise: float
) -> None:
    page = _page(size, text)
    found, undisturbed = [], []
    for blur in BLURS:
        picture = virtual_camera.blur(page, blur)
        undisturbed.append(sharpness(picture))
        dimmed = (picture * contrast + brightness).astype(np.uint8)
        found.append(sharpness(virtual_camera.noise(dimmed, np.random.default_rng(1), noise)))
    assert found == sorted(found, reverse=True)
    assert found[0] >= 0.5
    assert found[-1] < 0.1
    # Neither contrast nor noise changes the value of a sharp picture. Noise may hide a soft edge.
    assert found[:3] == pytest.approx(undisturbed[:3], rel=0.03)
    assert all(one <= other * 1.35 for one, other in zip(found, undisturbed, strict=True))


@pytest.mark.parametrize("blur", [2, 4, 8, 16])
def test_sharpness_of_one_edge_is_one_over_its_blur(blur: float) -> None:
    edge = np.full((600, 800), 40, np.uint8)
    edge[:, 400:] = 220
    # 0.6: the blur of the difference of two pixels that stand two apart, as that of a box of that width.
    assert 0.66 < sharpness(virtual_camera.blur(edge, blur)) * np.hypot(blur, 0.6) < 1


@pytest.mark.parametrize("noise", [0, 1, 5])
def test_blank_paper_has_no_sharpness(noise: float) -> None:
    assert sharpness(virtual_camera.noise(np.full((480, 640), 180, np.uint8), np.random.default_rng(1), noise)) == 0


def test_the_smallest_picture_has_a_sharpness() -> None:
    assert sharpness(np.zeros((1, 1), np.uint8)) == 0
