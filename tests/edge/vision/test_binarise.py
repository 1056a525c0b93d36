import numpy as np

from edge.vision.binarise import binarise
from edge.vision.settings import VisionSettings


def test_hysteresis_keeps_faint_ink_apart_from_sure_ink() -> None:
    ink = np.array([[0, 30, 60, 200]], np.uint8)
    faint, sure = binarise(ink, VisionSettings(level=90, faint=45))
    assert faint.tolist() == [[0, 0, 255, 255]]
    assert sure is not None
    assert sure.tolist() == [[0, 0, 0, 255]]
    noisy, _ = binarise(ink, VisionSettings(level=90, faint=45), spread=15.0)
    assert noisy.tolist() == [[0, 0, 0, 255]], "never within the noise"
