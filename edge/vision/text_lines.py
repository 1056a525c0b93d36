"""Which digits stand in one line of writing: level, tilted or curved.

In plain Python: a page has few digits, and each of NumPy's calls takes longer than all that is to be done for six.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, degrees, hypot, inf, radians, sin

from edge.vision.components import Corners
from edge.vision.statistics import median

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


def line_tilt(boxes: Sequence[Corners], usual: float) -> float:
    """Degrees by which the lines of writing fall: the median over each digit and its next one to the right.

    0 where there are fewer than two such pairs, or where they do not agree.
    """
    middles = sorted((x + width / 2, y + height / 2) for x, y, width, height in boxes)
    reach = NEXT * usual
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
        return 0.0
    tilt = median(angles)
    return tilt if median([abs(angle - tilt) for angle in angles]) < 12 else 0.0


def line_numbers(boxes: Sequence[Corners], tilt: float, usual: float) -> list[int]:
    """Which line, from 0, top to bottom, each box stands in.

    Lines grow from pairs: along the tilt the nearest ends that are level with each other are joined first, so that a
    line may curve from digit to digit; digits of one line never stand above each other.
    """
    across, upright = cos(radians(tilt)), sin(radians(tilt))
    middles = [(x + width / 2, y + height / 2) for x, y, width, height in boxes]
    along = [x * across + y * upright for x, y in middles]
    down = [y * across - x * upright for x, y in middles]
    lines = [[i] for i in range(len(boxes))]
    where = list(range(len(boxes)))
    for _, before, after in sorted(_level_pairs(along, down, usual)):
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


def _level_pairs(along: list[float], down: list[float], usual: float) -> list[tuple[float, int, int]]:
    """Pairs of which the second may follow the first: how far apart they are, and which."""
    order = sorted(range(len(down)), key=down.__getitem__)
    step, steepest = STEP * usual, max(STEP, STEEP_STEP) * usual
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
