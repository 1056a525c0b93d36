"""Drawn and printed frames around digits: the frame goes, what it holds stays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.boxes import MIN_SIDE, Boxes, Window, cut_off

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


def is_frame(labels: NDArray[np.int32], parts: Boxes, window: Window, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which parts are frames of a cell, a row of cells or a table: sparse, around another part, and rectangular.

    A 0 around something is none: its hull leaves the corners of its rectangle empty. ``labels`` are those of the
    ``window`` of a picture of this ``shape``.
    """
    frame = np.zeros(len(parts), bool)
    x, y, width, height, area = parts.T
    sparse = (area < FULL_FRAME * width * height) & (np.minimum(width, height) >= 2 * MIN_SIDE)
    outer = np.flatnonzero(sparse)[:MAX_FRAMES]
    if not len(outer):
        return frame
    side, right, bottom = np.maximum(width, height), x + width, y + height
    inside = (x > x[outer, None]) & (right < right[outer, None]) & (y > y[outer, None]) & (bottom < bottom[outer, None])
    content = np.where(inside & (side >= MIN_SIDE), side, 0).max(axis=1)
    if not content.any():
        return frame
    cut = cut_off(parts, shape)
    for i, held in zip(outer[content > 0], content[content > 0], strict=True):
        x, y, width, height = parts[i, :4]
        y, x = y - window[0].start, x - window[1].start
        part = (labels[y : y + height, x : x + width] == i + 1).astype(np.uint8)
        # Cells that go on to the border are squared paper, whose rules go one by one.
        frame[i] = _is_frame(part, int(held), not cut[i])
    return frame


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
