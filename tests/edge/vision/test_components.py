import numpy as np

from edge.vision.components import bounding_box, bounding_box_of_array


def test_the_box_around_some_boxes() -> None:
    boxes = [(1, 2, 3, 4), (10, 0, 2, 2)]
    assert bounding_box_of_array(np.array(boxes, np.int32)).tolist() == [1, 0, 11, 6]
    assert bounding_box(boxes) == (1, 0, 11, 6)
