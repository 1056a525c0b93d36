"""What lies at the border of a picture."""

from __future__ import annotations

from edge.vision.components import Part, Rect


def touches_border(box: Rect | Part, shape: tuple[int, ...]) -> bool:
    """Whether a box touches the border of a picture of this shape (height, width), or is one pixel away from it."""
    x, y, width, height = box[:4]
    return x <= 1 or y <= 1 or x + width >= shape[1] - 1 or y + height >= shape[0] - 1
