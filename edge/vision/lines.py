"""Which digits stand in one line of writing: level, tilted or curved."""

from __future__ import annotations

from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from edge.vision.boxes import Boxes

MAX_TILT = 50.0
"""Lines of writing rise or fall by at most this many degrees; steeper ones are columns."""
NEXT = 3.0
"""The tilt shows in pairs of digits at most so many usual digits apart."""
STEP = 0.6
"""From one digit of a line to the next the line rises or falls by less than this share of the usual digit,"""
STEEP_STEP = 0.85
"""or by this one where it is also"""
STEEP = 0.8
"""less than this share of the way to the right."""


def line_tilt(boxes: Boxes, usual: float) -> float:
    """Degrees by which the lines of writing fall: the median over each digit and its next one to the right.

    0 where there are fewer than two such pairs, or where they do not agree.
    """
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    step = centre[None] - centre[:, None]
    angle = np.degrees(np.arctan2(step[..., 1], np.maximum(step[..., 0], 1e-6)))
    reachable = (step[..., 0] > 0) & (np.abs(angle) <= MAX_TILT)
    distance = np.where(reachable, np.hypot(step[..., 0], step[..., 1]), np.inf)
    nearest = distance.argmin(axis=1)
    rows = np.arange(len(boxes))
    pairs = distance[rows, nearest] < NEXT * usual
    if np.count_nonzero(pairs) < 2:
        return 0.0
    angles: list[float] = angle[rows, nearest][pairs].tolist()
    tilt = median(angles)
    return tilt if median(abs(angle - tilt) for angle in angles) < 12 else 0.0


def line_numbers(boxes: Boxes, tilt: float, usual: float) -> NDArray[np.int64]:
    """Which line, from 0, top to bottom, each box (n, 4) stands in.

    Lines grow from pairs: along the tilt the nearest ends that are level with each other are joined first, so that a
    line may curve from digit to digit; digits of one line never stand above each other.
    """
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    angle = np.radians(tilt)
    along = centre @ np.array([np.cos(angle), np.sin(angle)])
    down = centre @ np.array([-np.sin(angle), np.cos(angle)])
    lines = [[i] for i in range(len(boxes))]
    where = list(range(len(boxes)))
    first, second = np.nonzero(along[None] > along[:, None])
    rise = np.abs(down[second] - down[first])
    run = along[second] - along[first]
    level = (rise < STEP * usual) | ((rise < STEEP_STEP * usual) & (rise < STEEP * run))
    nearest = np.argsort((run + 2 * rise)[level], kind="stable")
    for before, after in zip(first[level][nearest].tolist(), second[level][nearest].tolist(), strict=True):
        left, right = where[before], where[after]
        # Only the end of one line and the start of another can meet.
        if left != right and lines[left][-1] == before and lines[right][0] == after:
            lines[left] += lines[right]
            for i in lines[right]:
                where[i] = left
            lines[right] = []
    numbers = np.zeros(len(boxes), np.int64)
    heights: list[float] = down.tolist()
    for number, line in enumerate(sorted(filter(None, lines), key=lambda line: fmean(heights[i] for i in line))):
        numbers[line] = number
    return numbers
