from edge.vision.components import bounding_box


def test_the_box_around_some_boxes() -> None:
    assert bounding_box([(1, 2, 3, 4), (10, 0, 2, 2)]) == (1, 0, 11, 6)
