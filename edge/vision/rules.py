"""Remove rules that touch writing: ruled and squared paper, margins, underlines, form boxes, combs, tables.

A rule is a chain of thin runs of ink in one line. Rules that touch nothing stay: they are marks of their own. Where ink
is thicker than the rule, or goes on above and below it, a stroke of writing crosses it, and the ink stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.components import MIN_SIDE, Part, Window, connected_components
from edge.vision.normalise import stroke_width
from edge.vision.statistics import median

THICKER = 1.6
"""A rule is at most this many times as thick as the strokes of its part are on average."""
GAP = 8.0
"""A rule goes on behind a stroke or a flat foot that hides it for at most this many times its thickness."""
SOLID = 0.55
"""At least this share of a rule is ink that nothing else hides."""
LONG = 2.0
"""A level rule is at least this many times as long as its part is tall."""
ACROSS = 0.65
"""A rule of a box, a table or a comb goes through at least this share of its part."""
CORNER = 0.15
"""The outermost upright rules of a box or table are at most this share of its width from its ends."""
THROUGH = 0.8
"""A rule goes through the picture if it is at least this share of its side."""
HELD = 0.5
"""What a box around one digit holds is at least this share of its longer side: else the box is a digit itself."""
SEVERAL = 3
"""In a picture with fewer parts than this, a stroke that goes through it may be a digit."""
STRAIGHT = 0.7
"""A side of a part is straight if its outline is near its box for at least this share of that side."""
NEAR = 0.1
"""An outline is near its box if it is at most this share of the part's side away from it."""
LARGE = 2.2
"""A part may be a table if it is at least this many times as large as the median part."""
MOST_PIECES = 600
"""A part with more pieces of thin ink than this is a texture, and is left as it is."""


class Rule(NamedTuple):
    """A chain of thin ink along the columns of a part."""

    x: list[float]
    """Columns, from its first to its last."""
    y: list[float]
    """Its middle in each of those columns."""
    inked: float
    """How many of its columns are thin ink."""

    @property
    def length(self) -> float:
        """From its first to its last column, pixels."""
        return self.x[-1] - self.x[0]


def remove_rules(mask: Pixels, labels: NDArray[np.int32], parts: Sequence[Part], window: Window) -> Pixels:
    """The mask without the rules that touch writing; the mask itself where there are none.

    ``mask``: (height, width) uint8, 255 = ink. ``labels`` are those of the ``window``, and label n is part n - 1.
    """
    sides = [max(part[2:4]) for part in parts if max(part[2:4]) >= MIN_SIDE]
    usual = median(sides) if sides else 0.0
    # A digit may fill the picture, but not among others.
    through = THROUGH if len(sides) >= SEVERAL else np.inf
    left = mask
    for i, part in enumerate(parts):
        x, y, width, height, _ = part
        if max(width, height) < 3 * MIN_SIDE or min(width, height) < MIN_SIDE:
            continue
        here = labels[y - window[0].start :, x - window[1].start :][:height, :width]
        own = cv2.compare(here, i + 1, cv2.CMP_EQ)
        large = _is_long(part, mask.shape) or (len(sides) >= SEVERAL and max(width, height) > LARGE * usual)
        if not large and straight_sides(own) <= 1:
            continue
        size = stroke_width(own)
        level, upright = (find_rules(way, THICKER * size + 1) for way in (own, cv2.transpose(own)))
        level, upright = select_rules(level, upright, part, (through * mask.shape[0], through * mask.shape[1]), large)
        if not level and not upright:
            continue
        rest = erase_rules(own, level) if level else own
        if upright:
            rest = cv2.transpose(erase_rules(cv2.transpose(rest), upright))
        if _largest(rest) < (MIN_SIDE if large else HELD * max(width, height)):
            continue
        if left is mask:
            left = mask.copy()
        view = left[y : y + height, x : x + width]
        view[(own > 0) & (rest == 0)] = 0
    return left


def _largest(part: Pixels) -> int:
    """The longer side of the largest component of a part, (height, width) uint8."""
    _, stats = connected_components(part)
    return int(stats[:, 2:4].max())


def _is_long(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether a part is level and long, or goes through the picture."""
    _, _, width, height, _ = part
    return width >= LONG * height or width >= THROUGH * shape[1] or height >= THROUGH * shape[0]


def straight_sides(part: Pixels) -> int:
    """How many of the four sides of a part, (height, width) uint8, are straight."""
    height, width = part.shape
    ink = part > 0
    count = 0
    for way, side, across in ((ink, height, width), (ink.T, width, height)):
        reach = max(2, round(NEAR * side))
        count += int(np.count_nonzero(way[:reach].any(axis=0)) >= STRAIGHT * across)
        count += int(np.count_nonzero(way[-reach:].any(axis=0)) >= STRAIGHT * across)
    return count


def thin_runs(mask: Pixels, thickest: int) -> Pixels:
    """Ink in runs of at most ``thickest`` pixels down the columns."""
    edge = thickest + 1
    padded = cv2.copyMakeBorder(mask, edge, edge, 0, 0, cv2.BORDER_CONSTANT)
    thick = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((thickest + 1, 1), np.uint8))
    return cv2.subtract(mask, thick[edge:-edge])


def find_rules(part: Pixels, thickest: float) -> list[Rule]:
    """Chains of thin ink along the columns of a part, (height, width) uint8, 255 = ink."""
    labels, stats = connected_components(thin_runs(part, round(thickest)))
    chosen = (stats[:, 2] >= 3) & (stats[:, 2] >= stats[:, 3])
    chosen[0] = False
    count = int(np.count_nonzero(chosen))
    if not 0 < count <= MOST_PIECES:
        return []
    number = np.cumsum(chosen) - 1
    ys, xs = np.nonzero(chosen[labels])
    n = number[labels[ys, xs]]
    size = np.bincount(n, minlength=count)
    mx, my = np.bincount(n, xs, count) / size, np.bincount(n, ys, count) / size
    xx, xy = (np.bincount(n, one, count) / size for one in (xs * xs, xs * ys))
    # A short piece has no direction of its own.
    slope = (xy - mx * my) / (xx - mx * mx + thickest * thickest)
    x0 = stats[chosen, 0]
    x1 = x0 + stats[chosen, 2] - 1
    pieces = sorted(zip(x0.tolist(), x1.tolist(), mx.tolist(), my.tolist(), slope.tolist(), strict=True))
    done: list[Rule] = []
    rules: list[Rule] = []
    for first, last, x, y, lean in pieces:
        start, end = y + (first - x) * lean, y + (last - x) * lean
        done += [rule for rule in rules if first - rule.x[-1] > GAP * thickest]
        rules = [rule for rule in rules if first - rule.x[-1] <= GAP * thickest]
        best, nearest = -1, 0.0
        for n, rule in enumerate(rules):
            gap = first - rule.x[-1]
            # Most rules are far above or below.
            if gap < -3 or last <= rule.x[-1] or abs(start - rule.y[-1]) > 2 * GAP * thickest:
                continue
            turn = (rule.y[-1] - rule.y[0]) / (rule.length + 2 * thickest)
            off = abs(start - rule.y[-1] - turn * gap)
            if off <= 0.6 * thickest + 0.05 * gap and (best < 0 or off + gap < nearest):
                best, nearest = n, off + gap
        if best < 0:
            rules.append(Rule([first, last], [start, end], last - first + 1))
        else:
            rule = rules[best]
            rule.x.extend((max(first, rule.x[-1] + 1), last))
            rule.y.extend((start, end))
            rules[best] = rule._replace(inked=rule.inked + last - first + 1)
    return [rule for rule in done + rules if rule.inked >= SOLID * rule.length]


def select_rules(
    level: list[Rule], upright: list[Rule], part: Part, through: tuple[float, float], large: bool
) -> tuple[list[Rule], list[Rule]]:
    """Which chains of a part are rules and not strokes of writing.

    ``through``: from this length on, pixels, upright and level chains are rules in any case. ``large``: whether the
    part is larger than a digit.
    """
    _, _, width, height, _ = part
    across = [rule for rule in level if rule.length >= ACROSS * width]
    down = [rule for rule in upright if rule.length >= ACROSS * height]
    # The stems of digits on a ruled line are no frame: a frame has a side on the left and on the right.
    middles = [sum(rule.y) / len(rule.y) for rule in down]
    sides = min(middles, default=width) <= CORNER * width and max(middles, default=0.0) >= (1 - CORNER) * width
    frame = len(across) >= 2 and sides
    ruled = frame or (large and len(across) > 2)
    return (
        [
            rule
            for rule in level
            if rule.length >= min(through[1], LONG * height) or (ruled and rule.length >= ACROSS * width)
        ],
        [rule for rule in upright if rule.length >= through[0] or (frame and rule.length >= ACROSS * height)],
    )


def erase_rules(part: Pixels, rules: Sequence[Rule]) -> Pixels:
    """The part, (height, width) uint8, without the runs of ink that the rules along its columns consist of."""
    height = len(part)
    band = np.zeros_like(part)
    columns = [np.arange(round(rule.x[0]), round(rule.x[-1]) + 1) for rule in rules]
    rows = [np.interp(x, rule.x, rule.y) for x, rule in zip(columns, rules, strict=True)]
    # How thick the rules are.
    x = np.concatenate([one[::4] for one in columns])
    y = np.rint(np.concatenate([one[::4] for one in rows])).astype(int)
    reach = np.arange(-12, 13)
    at = y[:, None] + reach
    inked = (part[np.clip(at, 0, height - 1), x[:, None]] > 0) & (at >= 0) & (at < height)
    up = np.cumprod(inked[:, 12::-1], axis=1).sum(axis=1)
    down = np.cumprod(inked[:, 12:], axis=1).sum(axis=1)
    runs = (up + down - 1)[(up > 0) & (down > 0)]
    size = median(runs) if len(runs) else 1.0
    for one, row in zip(columns, rows, strict=True):
        points = np.stack([one, np.rint(row)], axis=1).astype(np.int32)
        cv2.polylines(band, [points], False, 255)
    band = cv2.dilate(band, np.ones((round(size / 2 + 2) * 2 + 1, 3), np.uint8))
    most = round(1.4 * size + 1)
    gone = cv2.bitwise_and(band, thin_runs(part, most))
    left = cv2.subtract(part, gone)
    # Where a stroke continues above and below the rule, the ink between belongs to the stroke, and stays.
    stroke = cv2.morphologyEx(left, cv2.MORPH_CLOSE, np.ones((most + 3, 3), np.uint8))
    left = cv2.bitwise_or(left, cv2.bitwise_and(gone, stroke))
    # What is left within the band alone is a remainder of the rule.
    labels, stats = connected_components(left)
    inside = np.bincount(labels[band > 0], minlength=len(stats))
    remains = inside >= 0.8 * np.maximum(stats[:, 4], 1)
    remains[0] = False
    return np.where(remains[labels], 0, left).astype(np.uint8) if remains.any() else left
