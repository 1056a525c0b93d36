"""Remove ruled lines: ruled and squared paper, margins, tables, underlines. Digits on them stay whole.

A line is found by the Hough transform (Duda and Hart, 1972) of thin runs of ink across it, followed where it bends, and
removed run by run. Where ink is thicker than the line, a stroke of writing crosses it, and the ink stays.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.border import touches_border
from edge.vision.components import MIN_SIDE, Part, bounding_box_of_array, connected_components, typical_side
from edge.vision.line_detection import STRAY, Line, find_lines, thin_runs
from edge.vision.statistics import median

LONG_PART = 0.2
"""A part may hold a ruled line if it is at least this share of the picture's side along it."""
FULL_PART = 0.3
"""A part that reaches the border may hold a ruled line if it fills less than this share of its own box."""
LEVEL_PART = 2.0
"""A part that does not reach the border may hold a ruled line if it is more than this many times wider than tall."""
THICKEST = 0.016
"""Thickest ruled line, as a share of the picture's longer side; 5 pixels are always allowed."""
ALONE = 0.15
"""Shortest line that is not one of a family of parallel lines, as a share of the picture's side along it."""
SPARSE = 0.05
"""A part that fills at most this share of its box is not a digit."""
NARROW = 8.0
"""A part that is at least this many times longer than wide is not a digit."""
THICKER = 1.3
"""Remains of a ruled line are at most this many times as thick as the other lines of the family."""
DENSE = 0.4
"""Where more than this share of the picture is ink, no ruled lines are sought."""
LONG = 2.5
"""A ruled line without a family is longer than this many typical digits."""
LEVEL = 25.0
"""Largest angle from the horizontal of a line without a family, degrees: it is an underline."""
DRAWN = 0.85
"""Smallest share of ink in an underline: a dashed line on which a row of 2s stands has less."""
RIGHT = 0.8
"""A line that goes through the picture is a ruled line if it is at least this share of the picture's side."""
HEAD = 0.25
"""A line ends halfway up another part where it is at least this share of the part's height from its top and bottom."""
PARALLEL = 6.0
"""Lines of a family differ by at most this many degrees."""
FAMILY = 3
"""A family of ruled lines has at least this many members."""
HALF = 0.5
"""Lines that count for a family go through the picture, or through at least this share of its side."""


def may_have_ruled_lines(parts: Iterable[Part], shape: tuple[int, ...]) -> bool:
    """Whether a part is as long and sparse as a ruled line; pages without such a part are not searched."""
    return any(
        is_long_and_level(part, shape) or (is_long_at_border(part, shape) and part[4] < FULL_PART * part[2] * part[3])
        for part in parts
    )


def is_long_and_level(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether a part is as long as a ruled line in a picture of this shape, and about horizontal."""
    return part[2] >= LONG_PART * shape[1] and part[2] > LEVEL_PART * part[3]


def is_long_at_border(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether a part is as long as a ruled line, and reaches the picture's border."""
    return (part[2] >= LONG_PART * shape[1] or part[3] >= LONG_PART * shape[0]) and touches_border(part, shape)


def remove_ruled_lines(mask: Pixels) -> Pixels:
    """The mask, (height, width) uint8, 255 = ink, without its ruled lines; the mask itself where it has none."""
    if cv2.countNonZero(mask) > DENSE * mask.size:
        return mask
    thickest = max(5, round(THICKEST * max(mask.shape)))
    level = select_ruled_lines(find_lines(mask, thickest), mask.shape[1], LEVEL)
    upright = select_ruled_lines(find_lines(mask.T, thickest), mask.shape[0], 0, squared=len(level) > 2)
    if not level and not upright:
        return mask
    sizes = _thickness(mask, level, thickest), _thickness(mask.T, upright, thickest)
    left = _erase_both(mask, level, upright, sizes)
    labels, stats = connected_components(left)
    digit_side = _digit_side(stats)
    if not digit_side:
        return mask
    found = len(level) + len(upright)
    level, upright = (
        [line for line in lines if line.family or line.length > LONG * digit_side] for lines in (level, upright)
    )
    level = [line for line in level if line.family or not is_arrow_shaft(line, mask, stats[1:])]
    if len(level) + len(upright) < found:
        left = _erase_both(mask, level, upright, sizes)
        labels, stats = connected_components(left)
    leans = [median([line.degrees for line in lines if line.family] or [np.nan]) for lines in (level, upright)]
    across = np.cos(np.radians(leans)) * sizes
    return remove_remains(left, labels, stats, np.array([leans[0], 90 - leans[1]]), across)


def is_arrow_shaft(line: Line, mask: Pixels, parts: NDArray[np.int32]) -> bool:
    """Whether a nearly horizontal line ends halfway up another part, as an arrow's shaft or a cross-beam does.

    An underline ends below what stands on it. ``mask``: where there is ink, (height, width) uint8; ``parts``: what is
    left without the line, (n, 5): x, y, width, height, area.
    """
    rows = np.clip(np.rint(line.rows).astype(int) + 1, 0, len(mask) - 1)
    inked = np.flatnonzero(mask[rows, line.columns])
    start, stop = parts[:, :2] - STRAY, parts[:, :2] + parts[:, 2:4] + STRAY
    for at in inked[[0, -1]] if len(inked) else ():
        end = np.array([line.columns[at], line.rows[at]])
        # The part that the line went through may have come apart.
        near = ((start <= end) & (end <= stop)).all(axis=1)
        if near.any():
            _, top, _, height = bounding_box_of_array(parts[near, :4])
            if height >= MIN_SIDE and HEAD <= (end[1] - top) / height <= 1 - HEAD:
                return True
    return False


def _digit_side(stats: NDArray[np.int32]) -> float:
    """A typical digit's longer side, pixels; 0 where nothing is as large as a digit."""
    width, height, area = stats[1:, 2:].T.astype(np.float64)
    # Ruled lines that were missed are sparse, or narrow.
    whole = (area > SPARSE * width * height) & (np.maximum(width, height) < NARROW * np.minimum(width, height))
    side = np.maximum(width, height)[whole]
    return typical_side(side[side >= MIN_SIDE].tolist())


def remove_remains(
    left: Pixels,
    labels: NDArray[np.int32],
    stats: NDArray[np.int32],
    degrees: NDArray[np.float64],
    across: NDArray[np.float64],
) -> Pixels:
    """The mask without remains of removed lines: parts in the direction of a family of lines, and no thicker.

    ``left`` is the mask without the lines, ``labels`` and ``stats`` its components. ``degrees`` and ``across``: the
    direction and thickness (pixels) of each family; not a number where there is none.
    """
    if np.isnan(degrees).all():
        return left
    narrow = stats[:, cv2.CC_STAT_AREA] < 2 * np.nanmax(across) * stats[:, 2:4].max(axis=1)
    narrow[0] = False
    points = cv2.findNonZero(left)
    if points is None or not narrow.any():
        return left
    x, y = points.reshape(-1, 2).T
    label = labels[y, x]
    x, y, label = (one[narrow[label]] for one in (x, y, label))
    n = np.maximum(np.bincount(label, minlength=len(stats)), 1)
    dx, dy = x - stats[label, 0], y - stats[label, 1]
    sums = (np.bincount(label, one, len(stats)) / n for one in (dx, dy, dx * dx, dy * dy, dx * dy))
    middle_x, middle_y, xx, yy, xy = sums
    # A pixel itself has a variance of 1/12.
    xx, yy, xy = xx - middle_x**2 + 1 / 12, yy - middle_y**2 + 1 / 12, xy - middle_x * middle_y
    half, root = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    # A bar of thickness t has a variance of t t / 12 across it.
    thickness, length = np.sqrt(12 * np.maximum(half - root, 0)), np.sqrt(12 * (half + root))
    along = np.degrees(np.arctan2(2 * xy, xx - yy)) / 2
    parallel = np.abs((along[:, None] - degrees + 90) % 180 - 90) < PARALLEL + 2
    thin = thickness[:, None] < THICKER * across + 1
    gone = (parallel & thin).any(axis=1) & (length > 2 * thickness) & (n > 2)
    left = left.copy()
    left[y[gone[label]], x[gone[label]]] = 0
    return left


def _erase_both(mask: Pixels, level: list[Line], upright: list[Line], sizes: tuple[float, float]) -> Pixels:
    left = erase_lines(mask, level, sizes[0])
    return cv2.transpose(erase_lines(cv2.transpose(left), upright, sizes[1])) if upright else left


def select_ruled_lines(lines: list[Line], side: int, level: float, squared: bool = False) -> list[Line]:
    """The lines that are not strokes of writing: members of a family, nearly level ones, or those through the picture.

    ``side``: the picture's side along the lines, pixels; ``level``: degrees by which a line without a family may lean;
    ``squared``: whether other lines cross them, so that they may begin and end within the picture.
    """
    degrees = np.array([line.degrees for line in lines])
    length = np.array([line.length for line in lines])
    through = np.array([line.through for line in lines], bool)
    near = np.abs(degrees[:, None] - degrees) <= PARALLEL
    related = np.count_nonzero(near & (through | (length >= HALF * side)), axis=1) >= FAMILY
    if not squared:
        related &= np.count_nonzero(near & through, axis=1) > 0.5 * np.count_nonzero(near, axis=1)
    drawn = np.array([line.ink >= DRAWN for line in lines], bool)
    alone = (np.abs(degrees) <= level) & (length >= ALONE * side) & drawn
    return [
        line._replace(family=bool(related[i]))
        for i, line in enumerate(lines)
        if related[i] or alone[i] or (through[i] and length[i] >= RIGHT * side)
    ]


def erase_lines(mask: Pixels, lines: list[Line], size: float) -> Pixels:
    """The mask without the runs of ink, typically of ``size`` pixels, that the lines consist of."""
    if not lines:
        return mask
    band = np.zeros_like(mask)
    paths = [np.stack([one.columns, np.rint(one.rows + (size - 1) / 2)], axis=1).astype(np.int32) for one in lines]
    # Each path goes on to the next column after the last one that was looked at.
    paths = [np.concatenate([points[::4], [2 * points[-1] - points[-2]]]) for points in paths]
    cv2.polylines(band, paths, False, 255)
    band = cv2.dilate(band, np.ones((round(size / 2 + 2) * 2 + 1, 1), np.uint8))
    most = round(1.6 * size + 1)
    gone = cv2.bitwise_and(band, thin_runs(mask, most))
    left = cv2.subtract(mask, gone)
    # Where a stroke continues above and below the line, the ink between belongs to the stroke, and stays.
    stroke = cv2.morphologyEx(left, cv2.MORPH_CLOSE, np.ones((most + 3, 3), np.uint8))
    return cv2.bitwise_or(left, cv2.bitwise_and(gone, stroke))


def _thickness(mask: Pixels, lines: list[Line], thickest: int) -> float:
    """The median length of the runs of ink down the columns, on these lines, pixels; 0 where there are none."""
    if not lines:
        return 0.0
    columns = np.concatenate([line.columns[::8] for line in lines])
    rows = np.rint(np.concatenate([line.rows[::8] for line in lines])).astype(int)[:, None]
    rows = rows + np.arange(-STRAY, thickest + STRAY)
    ink = (mask[np.clip(rows, 0, len(mask) - 1), columns[:, None]] > 0) & (rows >= 0) & (rows < len(mask))
    sizes = np.count_nonzero(ink, axis=1)
    return median(sizes[sizes > 0]) if sizes.any() else 1.0
