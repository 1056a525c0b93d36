import numpy as np

from edge.vision.filters import gaussian_filter, median_filter, morphology
from edge.vision.settings import VisionSettings


def test_filters_are_opencvs_own() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (50, 60)).astype(np.uint8)
    assert median_filter(grey, 3)[10, 10] == np.median(grey[9:12, 9:12])
    assert gaussian_filter(grey, 5).std() < grey.std()


def test_morphology_does_what_the_settings_choose() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 255
    mask[3, 3] = 255
    mask[20, 20] = 0
    assert morphology(mask, VisionSettings())[3, 3], "nothing chosen, nothing done"
    assert not morphology(mask, VisionSettings(opening=3))[3, 3]
    assert morphology(mask, VisionSettings(closing=3))[20, 20]
    assert np.count_nonzero(morphology(mask, VisionSettings(erosion=3))) < np.count_nonzero(mask)
    assert np.count_nonzero(morphology(mask, VisionSettings(dilation=3))) > np.count_nonzero(mask)
