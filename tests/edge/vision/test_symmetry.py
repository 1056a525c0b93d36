import cv2
import numpy as np
import pytest

from edge.reading.split_merge import MIRRORED
from edge.types import Pixels
from edge.vision.crop import rotate
from edge.vision.symmetry import mirror_symmetry


def spectacles(unsteady: float = 0) -> Pixels:
    """Two rings, a bridge and two arms, each point moved by so many pixels or fewer to any side."""
    ink = np.zeros((140, 300), np.uint8)
    random = np.random.default_rng(1)
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    lines = [(np.stack([x + 55 * np.cos(around), 80 + 50 * np.sin(around)], axis=1), True) for x in (80, 220)]
    lines += [(np.array(line, float), False) for line in ([(135, 80), (165, 80)], [(25, 80), (15, 10)])]
    lines += [(np.array([(275, 80), (285, 10)], float), False)]
    for points, closed in lines:
        moved = np.rint(points + random.uniform(-unsteady, unsteady, points.shape)).astype(np.int32)
        cv2.polylines(ink, [moved], closed, 255, 8, cv2.LINE_AA)
    return ink


def number() -> Pixels:
    """A slim 0 and a 6 that touch."""
    ink = np.zeros((160, 220), np.uint8)
    cv2.ellipse(ink, (60, 80), (40, 65), 0, 0, 360, 255, 8)
    cv2.ellipse(ink, (140, 105), (40, 40), 0, 0, 360, 255, 8)
    cv2.line(ink, (103, 95), (160, 15), 255, 8)
    return ink


@pytest.mark.parametrize("degrees", [-11, -6, 0, 6, 11])
def test_spectacles_are_their_own_mirror_image(degrees: float) -> None:
    assert mirror_symmetry(rotate(spectacles(unsteady=3), degrees)) >= MIRRORED


@pytest.mark.parametrize("degrees", [-11, 0, 11])
def test_a_number_is_not_its_own_mirror_image(degrees: float) -> None:
    assert mirror_symmetry(rotate(number(), degrees)) < MIRRORED - 0.1


def test_symmetry_is_1_for_mirror_images_and_0_for_no_ink() -> None:
    assert mirror_symmetry(spectacles()) == pytest.approx(1, abs=0.02)
    assert mirror_symmetry(np.zeros((40, 40), np.uint8)) == 0
    slash = np.zeros((100, 100), np.uint8)
    cv2.line(slash, (5, 95), (95, 5), 255, 6)
    assert mirror_symmetry(slash) < 0.5


def test_symmetry_depends_on_neither_size_nor_margin() -> None:
    ink = spectacles(unsteady=3)
    large = cv2.resize(ink, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    assert mirror_symmetry(large) == pytest.approx(mirror_symmetry(ink), abs=0.03)
    assert mirror_symmetry(cv2.copyMakeBorder(ink, 10, 70, 90, 0, cv2.BORDER_CONSTANT)) == pytest.approx(
        mirror_symmetry(ink)
    )
