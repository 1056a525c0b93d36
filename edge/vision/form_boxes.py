"""Find form boxes: drawn and printed boxes around digits, cells and tables. The box is removed, its digits stay."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.border import touches_border
from edge.vision.components import MIN_SIDE, Part, Window

FULL_FRAME = 0.45
"""A form box fills less than this share of its own bounding box with ink."""
CONTENT = 0.35
"""What stands in a form box is at least this share of the box's shorter side."""
RECTANGULAR = 0.92
"""The convex hull of a form box is at least this share of a rectangle: an ellipse is 0.79 of one."""
CELL = 0.88
"""A cell of a table fills at least this share of the smallest rectangle around it."""
CELLS = 0.4
"""All cells of a table fill more than this share of the table."""
MAX_FRAMES = 60
"""At most this many parts of a picture are checked for being a form box."""


def find_form_boxes(
    labels: NDArray[np.int32], parts: Sequence[Part], window: Window, shape: tuple[int, ...]
) -> frozenset[int]:
    """Which parts are a box, a row of cells or a table: sparse, around another part, and rectangular.

    A 0 around something is none: its hull leaves the corners of its rectangle empty. ``labels`` are those of the
    ``window`` of a picture of this ``shape``, and label n is part n - 1.
    """
    sparse = [
        i
        for i, (_, _, width, height, area) in enumerate(parts)
        if width >= 2 * MIN_SIDE and height >= 2 * MIN_SIDE and area < FULL_FRAME * width * height
    ]
    large = [(x, y, x + w, y + h, max(w, h)) for x, y, w, h, _ in parts if w >= MIN_SIDE or h >= MIN_SIDE]
    found = []
    for i in sparse[:MAX_FRAMES]:
        x, y, width, height, _ = parts[i]
        right, bottom = x + width, y + height
        inside = [side for x0, y0, x1, y1, side in large if x0 > x and x1 < right and y0 > y and y1 < bottom]
        if not inside:
            continue
        here = labels[y - window[0].start :, x - window[1].start :][:height, :width]
        # Cells that reach the border are squared paper: its lines are removed one by one in ruled_lines.
        if _is_form_box((here == i + 1).astype(np.uint8), max(inside), not touches_border(parts[i], shape)):
            found.append(i)
    return frozenset(found)


def _is_form_box(part: Pixels, content: int, cells_too: bool) -> bool:
    """Whether a part is rectangular or, with ``cells_too``, made of rectangular cells.

    ``part`` is (height, width) uint8, 1 where the part has ink; ``content``: the longer side of what it holds, pixels.
    """
    hull = cv2.convexHull(cv2.findNonZero(part))
    if content >= CONTENT * min(part.shape) and cv2.contourArea(hull) >= RECTANGULAR * _rectangle_area(hull):
        return True
    if not cells_too:
        return False
    contours, tree = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cells = [contour for contour, (_, _, _, outer) in zip(contours, tree.reshape(-1, 4), strict=True) if outer >= 0]
    areas = np.array([cv2.contourArea(cell) for cell in cells])
    square = np.array([area >= CELL * _rectangle_area(cell) for area, cell in zip(areas, cells, strict=True)], bool)
    all_cells = areas.sum()
    return bool(
        all_cells > CELLS * cv2.contourArea(hull)
        and areas[square].sum() > 0.5 * all_cells
        and content >= CONTENT * np.sqrt(areas[square].max())
    )


def _rectangle_area(points: NDArray[np.int32]) -> float:
    """The area of the smallest rectangle around points."""
    _, (long, short), _ = cv2.minAreaRect(points)
    return float(long * short)
