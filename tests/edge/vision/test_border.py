import numpy as np

from edge.vision.border import share_of_border, touches_border


def test_a_box_touches_the_border_from_one_pixel_away_on() -> None:
    shape = (100, 200)
    assert touches_border((1, 40, 10, 20), shape) and touches_border((189, 40, 10, 20), shape)
    assert touches_border((40, 1, 10, 20), shape) and touches_border((40, 79, 10, 20), shape)
    assert not touches_border((2, 2, 196, 96), shape)


def test_the_share_of_the_border_is_that_of_its_pixels() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[0] = 255
    assert share_of_border(mask) == 32 / 100
