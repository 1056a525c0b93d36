import cv2
import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.settings import VisionSettings
from edge.vision.weak_ink import find_weak_ink


def written(pen: int = 7) -> Pixels:
    """Two rows of strokes and rings, ink on black, softened as by a lens."""
    ink = np.zeros((480, 640), np.uint8)
    for x in (150, 260, 370):
        cv2.circle(ink, (x, 170), 32, 255, pen)
        cv2.line(ink, (x, 260), (x + 15, 330), 255, pen)
    return cv2.GaussianBlur(ink, (0, 0), 0.7)


def squared(level: int) -> Pixels:
    ink = np.zeros((480, 640), np.uint8)
    for at in range(11, 640, 23):
        cv2.line(ink, (at, 0), (at + 20, 479), level, 2)
        cv2.line(ink, (0, at), (639, at - 20), level, 2)
    return ink


def on_paper(ink: Pixels) -> Pixels:
    noise = np.random.default_rng(2).normal(0, 1.5, ink.shape)
    return np.clip(225 - 0.75 * ink + noise, 0, 255).astype(np.uint8)


def found(ink: Pixels) -> Pixels:
    cleaned = clean(on_paper(ink), VisionSettings(), light_ink=False)
    assert cleaned.reason is None
    assert cleaned.sure is not None
    # Parts without sure ink are left out by whoever reads the mask.
    labels = cv2.connectedComponents(cleaned.mask)[1]
    return np.isin(labels, np.unique(labels[cleaned.sure > 0])) & (cleaned.mask > 0)


@pytest.mark.parametrize("level", [90, 130])
def test_weak_squares_are_removed_and_the_writing_stays_whole(level: int) -> None:
    writing = found(written())
    both = found(cv2.max(written(), squared(level)))
    assert both[writing].mean() > 0.95
    near = cv2.dilate(writing.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.count_nonzero(both[~near]) < 20, "a speck at most"


def test_bleed_through_that_touches_the_writing_is_removed() -> None:
    behind = cv2.convertScaleAbs(cv2.GaussianBlur(np.roll(written(), (38, 20), (0, 1)), (0, 0), 1.5), alpha=0.35)
    writing = found(written())
    both = found(cv2.max(written(), behind))
    assert both[writing].mean() > 0.95
    near = cv2.dilate(writing.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.count_nonzero(both[~near]) < 20, "a speck at most"


def test_ink_of_one_pen_with_varying_pressure_stays() -> None:
    ink = cv2.convertScaleAbs(written(4), alpha=0.45)
    for x in (150, 260, 370):
        cv2.circle(ink, (x - 30, 170), 6, 255, cv2.FILLED)
    assert find_weak_ink(clean(on_paper(ink), VisionSettings(), light_ink=False).ink) is not None
    whole = ink > 60
    assert found(ink)[whole].mean() > 0.95


def test_ink_of_one_strength_has_no_weak_ink() -> None:
    for blur in (0.5, 2.0, 4.0):
        ink = cv2.GaussianBlur(written(11), (0, 0), blur)
        assert find_weak_ink(ink) is None
    assert find_weak_ink(np.zeros((480, 640), np.uint8)) is None
