"""Drawn and printed frames around digits: the frame goes, what it holds stays."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.components import MIN_SIDE, Part, Window, at_border

FULL_FRAME = 0.45
"""A frame fills less than this share of its own box with ink,"""
CONTENT = 0.35
"""what it holds is at least this share of its shorter side,"""
RECTANGULAR = 0.92
"""and its hull is at least this share of a rectangle: an ellipse is 0.79 of one."""
CELL = 0.88
"""A cell fills so much of the smallest rectangle around it,"""
CELLS = 0.4
"""and all of them so much of the frame."""
MAX_FRAMES = 60
"""Not more parts are looked at for frames."""


def frames(labels: NDArray[np.int32], parts: Sequence[Part], window: Window, shape: tuple[int, ...]) -> frozenset[int]:
    """Which parts are frames of a cell, a row of cells or a table: sparse, around another part, and rectangular.

    A 0 around something is none: its hull leaves the corners of its rectangle empty. ``labels`` are those of the
    ``window`` of a picture of this ``shape``, one more than the parts' places.
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
        held = [side for x0, y0, x1, y1, side in large if x0 > x and x1 < right and y0 > y and y1 < bottom]
        if not held:
            continue
        here = labels[y - window[0].start :, x - window[1].start :][:height, :width]
        # Cells that go on to the border are squared paper, whose rules go one by one.
        if _is_frame((here == i + 1).astype(np.uint8), max(held), not at_border(parts[i], shape)):
            found.append(i)
    return frozenset(found)


def _is_frame(part: Pixels, content: int, cells_too: bool) -> bool:
    """Whether a part, 1 where it is, around ``content`` pixels, is rectangular or (``cells_too``) of such cells."""
    hull = cv2.convexHull(cv2.findNonZero(part))
    if content >= CONTENT * min(part.shape) and cv2.contourArea(hull) >= RECTANGULAR * _around(hull):
        return True
    if not cells_too:
        return False
    contours, tree = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cells = [contour for contour, (_, _, _, outer) in zip(contours, tree.reshape(-1, 4), strict=True) if outer >= 0]
    areas = np.array([cv2.contourArea(cell) for cell in cells])
    square = np.array([area >= CELL * _around(cell) for area, cell in zip(areas, cells, strict=True)], bool)
    all_of_them = areas.sum()
    return bool(
        all_of_them > CELLS * cv2.contourArea(hull)
        and areas[square].sum() > 0.5 * all_of_them
        and content >= CONTENT * np.sqrt(areas[square].max())
    )


def _around(points: NDArray[np.int32]) -> float:
    """The area of the smallest rectangle around points."""
    _, (long, short), _ = cv2.minAreaRect(points)
    return float(long * short)
