"""Find lines of writing: which digits stand in one line, be it level, tilted or curved.

In plain Python: a page has few digits, and each call of NumPy takes longer than all that has to be done for six.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, degrees, hypot, inf, radians, sin

from edge.vision.components import Rect
from edge.vision.statistics import median

MAX_TILT = 50.0
"""Largest angle by which a line of writing rises or falls, degrees; steeper ones are columns."""
NEXT = 3.0
"""The tilt is measured on pairs of digits at most this many typical digits apart."""
STEP = 0.6
"""From one digit to the next a line rises or falls by less than this share of a typical digit."""
STEEP_STEP = 0.85
"""The limit instead of STEP where the line is no steeper than STEEP, as a share of a typical digit."""
STEEP = 0.8
"""Largest rise or fall from one digit to the next for STEEP_STEP, as a share of the distance to the right."""


def line_tilt(boxes: Sequence[Rect], digit_side: float) -> float:
    """Degrees by which the lines of writing fall, as ``measured_tilt``; 0 where that is unknown."""
    return measured_tilt(boxes, digit_side) or 0.0


def measured_tilt(boxes: Sequence[Rect], digit_side: float) -> float | None:
    """Degrees by which the lines of writing fall: the median over each digit and the next one to its right.

    None where there are fewer than two such pairs, or where they do not agree. ``boxes`` are x, y, width, height;
    ``digit_side`` is a typical digit's longer side, pixels.
    """
    middles = sorted((x + width / 2, y + height / 2) for x, y, width, height in boxes)
    reach = NEXT * digit_side
    angles = []
    for i, (x, y) in enumerate(middles):
        nearest, tilt = inf, 0.0
        for right, down in middles[i + 1 :]:
            run, fall = right - x, down - y
            if run >= min(reach, nearest):
                break
            if run > 0 and (far := hypot(run, fall)) < nearest:
                angle = degrees(atan2(fall, run))
                if abs(angle) <= MAX_TILT:
                    nearest, tilt = far, angle
        if nearest < reach:
            angles.append(tilt)
    if len(angles) < 2:
        return None
    tilt = median(angles)
    return tilt if median([abs(angle - tilt) for angle in angles]) < 12 else None


def line_numbers(boxes: Sequence[Rect], tilt: float, digit_side: float) -> list[int]:
    """The line of writing, from 0, top to bottom, that each box stands in.

    Lines are built from pairs: along the tilt, the nearest ends that are level with each other are joined first, so
    that a line may curve from digit to digit. Digits of one line never stand above each other.
    """
    across, upright = cos(radians(tilt)), sin(radians(tilt))
    middles = [(x + width / 2, y + height / 2) for x, y, width, height in boxes]
    along = [x * across + y * upright for x, y in middles]
    down = [y * across - x * upright for x, y in middles]
    lines = [[i] for i in range(len(boxes))]
    where = list(range(len(boxes)))
    for _, before, after in sorted(_level_pairs(along, down, digit_side)):
        left, right = where[before], where[after]
        # Only the end of one line and the start of another can meet.
        if left != right and lines[left][-1] == before and lines[right][0] == after:
            lines[left] += lines[right]
            for i in lines[right]:
                where[i] = left
            lines[right] = []
    numbers = [0] * len(boxes)
    whole = [line for line in lines if line]
    for number, line in enumerate(sorted(whole, key=lambda line: sum(down[i] for i in line) / len(line))):
        for i in line:
            numbers[i] = number
    return numbers


def reading_order(boxes: Sequence[Rect], tilt: float, digit_side: float) -> list[tuple[int, int]]:
    """The places of the boxes as they are read, and the line of each, from 0: line by line, each from left to right.

    ``tilt`` and ``digit_side`` as in ``line_numbers``.
    """
    lines = line_numbers(boxes, tilt, digit_side)
    return sorted(enumerate(lines), key=lambda one: (one[1], boxes[one[0]][0] + boxes[one[0]][2] / 2))


def _level_pairs(along: list[float], down: list[float], digit_side: float) -> list[tuple[float, int, int]]:
    """Pairs of digits of which the second may follow the first in a line: their distance, the first, the second."""
    order = sorted(range(len(down)), key=down.__getitem__)
    step, steepest = STEP * digit_side, max(STEP, STEEP_STEP) * digit_side
    pairs = []
    for n, i in enumerate(order):
        for j in order[n + 1 :]:
            rise = down[j] - down[i]
            if rise >= steepest:
                break
            before, after = (i, j) if along[i] < along[j] else (j, i)
            run = along[after] - along[before]
            if run > 0 and (rise < step or rise < STEEP * run):
                pairs.append((run + 2 * rise, before, after))
    return pairs
