from edge.vision.border import touches_border


def test_a_box_touches_the_border_from_one_pixel_away_on() -> None:
    shape = (100, 200)
    assert touches_border((1, 40, 10, 20), shape) and touches_border((189, 40, 10, 20), shape)
    assert touches_border((40, 1, 10, 20), shape) and touches_border((40, 79, 10, 20), shape)
    assert not touches_border((2, 2, 196, 96), shape)
