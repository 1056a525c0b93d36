"""Printed and drawn lines go, digits on them stay: ruled and squared paper, margins, tables, underlines.

A rule is found by the Hough transform (Duda and Hart, 1972) of thin runs of ink across it, followed where it bends,
and taken away run by run; where ink is thicker than the rule a stroke of writing crosses it, and stays whole.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.components import MIN_SIDE, Part, at_border, labelled, typical, union
from edge.vision.line_detection import STRAY, Rule, find, thin_runs
from edge.vision.statistics import median

LONG_PART = 0.2
"""A part that takes so much of the picture's side, and"""
FULL_PART = 0.3
"""less than this share of its own box, may hold a rule where it goes to the border,"""
LEVEL_PART = 2.0
"""or is so many times wider than tall."""
THICKEST = 0.016
"""A rule is at most so thick, in longer sides of the picture, and at least 5 pixels may be."""
ALONE = 0.15
"""One without a family is at least so long, in sides of the picture along it."""
SPARSE = 0.05
"""What fills less of its box than this,"""
NARROW = 8.0
"""or is so many times longer than wide, is no digit."""
THICKER = 1.3
"""What is left of a rule is at most so many times as thick as the others."""
DENSE = 0.4
"""Where more than this share of the picture is ink nobody writes on rules."""
LONG = 2.5
"""A rule is longer than this many of the usual digit."""
LEVEL = 25.0
"""A line that is alone leans by at most so many degrees: an underline."""
DRAWN = 0.85
"""At least so much of it is ink: a row of 2s stands on a dashed one."""
RIGHT = 0.8
"""Or it goes through the whole picture: through so much of its side."""
HEAD = 0.25
"""It ends halfway up another part where it is this share of its height away from its top and bottom."""
PARALLEL = 6.0
"""Rules of a family differ by at most so many degrees, and"""
FAMILY = 3
"""it has at least so many members,"""
HALF = 0.5
"""which go through the picture or at least through so much of its side."""


def may_have_rules(parts: Iterable[Part], shape: tuple[int, ...]) -> bool:
    """Whether a part is as long and sparse as a rule; other pages are not searched."""
    return any(
        is_level(part, shape) or (goes_out(part, shape) and part[4] < FULL_PART * part[2] * part[3]) for part in parts
    )


def is_level(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether a part is as long as a rule of a picture of this shape, and level."""
    return part[2] >= LONG_PART * shape[1] and part[2] > LEVEL_PART * part[3]


def goes_out(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether a part is as long as a rule, and goes to the picture's border."""
    return (part[2] >= LONG_PART * shape[1] or part[3] >= LONG_PART * shape[0]) and at_border(part, shape)


def without_rules(mask: Pixels) -> Pixels:
    """The mask, (height, width) uint8, 255 = ink, without its rules; the mask itself where it has none."""
    if cv2.countNonZero(mask) > DENSE * mask.size:
        return mask
    thickest = max(5, round(THICKEST * max(mask.shape)))
    level = certain(find(mask, thickest), mask.shape[1], LEVEL)
    upright = certain(find(mask.T, thickest), mask.shape[0], 0, squared=len(level) > 2)
    if not level and not upright:
        return mask
    sizes = _thickness(mask, level, thickest), _thickness(mask.T, upright, thickest)
    left = _erased(mask, level, upright, sizes)
    labels, stats = labelled(left)
    usual = _usual(stats)
    if not usual:
        return mask
    found = len(level) + len(upright)
    level, upright = (
        [rule for rule in rules if rule.family or rule.length > LONG * usual] for rules in (level, upright)
    )
    level = [rule for rule in level if rule.family or not is_shaft(rule, mask, stats[1:])]
    if len(level) + len(upright) < found:
        left = _erased(mask, level, upright, sizes)
        labels, stats = labelled(left)
    leans = [median([r.degrees for r in rules if r.family] or [np.nan]) for rules in (level, upright)]
    across = np.cos(np.radians(leans)) * sizes
    return without_remains(left, labels, stats, np.array([leans[0], 90 - leans[1]]), across)


def is_shaft(rule: Rule, mask: Pixels, parts: NDArray[np.int32]) -> bool:
    """Whether a nearly level line ends halfway up something of what is left: an arrow, a cross-beam.

    An underline ends below what stands on it. ``mask``: where there is ink, (height, width) uint8; ``parts``: what is
    left without the line, (n, 5): x, y, width, height, area.
    """
    rows = np.clip(np.rint(rule.rows).astype(int) + 1, 0, len(mask) - 1)
    inked = np.flatnonzero(mask[rows, rule.columns])
    start, stop = parts[:, :2] - STRAY, parts[:, :2] + parts[:, 2:4] + STRAY
    for at in inked[[0, -1]] if len(inked) else ():
        end = np.array([rule.columns[at], rule.rows[at]])
        # What it went through may have come apart.
        near = ((start <= end) & (end <= stop)).all(axis=1)
        if near.any():
            _, top, _, height = union(parts[near, :4])
            if height >= MIN_SIDE and HEAD <= (end[1] - top) / height <= 1 - HEAD:
                return True
    return False


def _usual(stats: NDArray[np.int32]) -> float:
    """The longer side of the usual part, pixels; 0 where nothing is as large as a digit."""
    width, height, area = stats[1:, 2:].T.astype(np.float64)
    # Rules that were missed are sparse, or narrow.
    whole = (area > SPARSE * width * height) & (np.maximum(width, height) < NARROW * np.minimum(width, height))
    side = np.maximum(width, height)[whole]
    return typical(side[side >= MIN_SIDE].tolist())


def without_remains(
    left: Pixels,
    labels: NDArray[np.int32],
    stats: NDArray[np.int32],
    degrees: NDArray[np.float64],
    across: NDArray[np.float64],
) -> Pixels:
    """The mask without parts that run as a family of rules does, and are no thicker.

    ``degrees`` and ``across`` (pixels) of each family; not a number where there is none.
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
    # Of a pixel itself, 1/12.
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


def _erased(mask: Pixels, level: list[Rule], upright: list[Rule], sizes: tuple[float, float]) -> Pixels:
    left = erase(mask, level, sizes[0])
    return cv2.transpose(erase(cv2.transpose(left), upright, sizes[1])) if upright else left


def certain(rules: list[Rule], side: int, level: float, squared: bool = False) -> list[Rule]:
    """Those that are no strokes of writing: members of a family, nearly level ones, or such as go right through.

    ``side``: pixels of the picture along them; ``level``: degrees by which one alone may lean; ``squared``: whether
    others cross them, so that they may begin and end within the picture.
    """
    degrees = np.array([rule.degrees for rule in rules])
    length = np.array([rule.length for rule in rules])
    through = np.array([rule.through for rule in rules], bool)
    near = np.abs(degrees[:, None] - degrees) <= PARALLEL
    related = np.count_nonzero(near & (through | (length >= HALF * side)), axis=1) >= FAMILY
    if not squared:
        related &= np.count_nonzero(near & through, axis=1) > 0.5 * np.count_nonzero(near, axis=1)
    drawn = np.array([rule.ink >= DRAWN for rule in rules], bool)
    alone = (np.abs(degrees) <= level) & (length >= ALONE * side) & drawn
    return [
        rule._replace(family=bool(related[i]))
        for i, rule in enumerate(rules)
        if related[i] or alone[i] or (through[i] and length[i] >= RIGHT * side)
    ]


def erase(mask: Pixels, rules: list[Rule], size: float) -> Pixels:
    """The mask without the runs of ink, usually of ``size`` pixels, that rules along its columns are made of."""
    if not rules:
        return mask
    band = np.zeros_like(mask)
    lines = [np.stack([r.columns, np.rint(r.rows + (size - 1) / 2)], axis=1).astype(np.int32) for r in rules]
    # On to the next column that was looked at.
    lines = [np.concatenate([points[::4], [2 * points[-1] - points[-2]]]) for points in lines]
    cv2.polylines(band, lines, False, 255)
    band = cv2.dilate(band, np.ones((round(size / 2 + 2) * 2 + 1, 1), np.uint8))
    most = round(1.6 * size + 1)
    gone = cv2.bitwise_and(band, thin_runs(mask, most))
    left = cv2.subtract(mask, gone)
    # Where a stroke goes on above and below, the gap was its own.
    stroke = cv2.morphologyEx(left, cv2.MORPH_CLOSE, np.ones((most + 3, 3), np.uint8))
    return cv2.bitwise_or(left, cv2.bitwise_and(gone, stroke))


def _thickness(mask: Pixels, rules: list[Rule], thickest: int) -> float:
    """The usual length of the runs of ink down the columns, on these rules, pixels."""
    if not rules:
        return 0.0
    columns = np.concatenate([rule.columns[::8] for rule in rules])
    rows = np.rint(np.concatenate([rule.rows[::8] for rule in rules])).astype(int)[:, None]
    rows = rows + np.arange(-STRAY, thickest + STRAY)
    ink = (mask[np.clip(rows, 0, len(mask) - 1), columns[:, None]] > 0) & (rows >= 0) & (rows < len(mask))
    sizes = np.count_nonzero(ink, axis=1)
    return median(sizes[sizes > 0]) if sizes.any() else 1.0
