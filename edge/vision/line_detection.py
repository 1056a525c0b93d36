"""Find thin long lines by the Hough transform (Duda and Hart, 1972), and follow them where they bend.

All functions look at about a hundred columns of the picture only, so the time does not depend on what it shows.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.components import MIN_SIDE

SAMPLES = 128
"""About this many columns of the picture are looked at."""
MOST_RUNS = 60
"""A picture with more thin runs of ink than this in each column, on average, shows a texture: no lines are sought."""
SHORTEST = 0.12
"""Shortest line, as a share of the picture's side along it."""
STEEPEST = 52
"""Largest angle between a line and the axis along which lines are sought, degrees."""
FINE = 3.0
"""Step of the Hough transform in distance, pixels."""
TURN = 1.5
"""Step of the Hough transform in angle, degrees."""
PEAKS = 300
"""At most this many of the strongest straight lines are looked at."""
CANDIDATES = 64
"""At most this many straight lines that are apart from each other are followed."""
STRETCH = 15
"""Length of a stretch of a line, in sampled columns, for HINT."""
HINT = 0.65
"""Share of ink in the best STRETCH of a line that it needs to be followed at all."""
STRIDE = 6
"""A line is followed in steps of this many sampled columns."""
STRAY = 3
"""At each step the line is found again at most this many pixels from where it is expected."""
FOLLOW = 0.65
"""Gain of the alpha-beta filter for the position: the share of a deviation by which the followed line moves at once."""
BEND = 0.2
"""Gain of the alpha-beta filter for the slope: the share of a deviation by which the followed line turns."""
SOLID_RULE = 0.6
"""A line is ink in at least this share of each WINDOW."""
THIN_RULE = 0.45
"""A line is no thicker than a printed one in at least this share of each WINDOW: nobody writes there."""
UNBROKEN = 0.8
"""SOLID_RULE holds for at least this share of a line's length: the bars of a row of 5s and 7s are not a line."""
WINDOW = 41
"""Length of the stretch in which SOLID_RULE and THIN_RULE are measured, pixels."""
THROUGH = 0.93
"""A line goes through the whole picture when it is there for more than this share of the picture's side."""
BESIDE = 4
"""Two lines nearer to each other than this many pixels are one."""

Floats = NDArray[np.float32]


class Line(NamedTuple):
    """A thin long line in a picture, printed or drawn, along its columns."""

    columns: NDArray[np.int64]
    """Some columns from its first one to its last one."""
    rows: Floats
    """The row of its upper edge in each of those columns."""
    ink: float
    """Which share of it is ink, 0 to 1."""
    through: bool
    """Whether it goes through the whole picture."""
    family: bool = False
    """Whether other lines are parallel to it, as on ruled paper."""

    @property
    def degrees(self) -> float:
        """The angle by which it falls to the right."""
        return float(np.degrees(np.arctan2(self.rows[-1] - self.rows[0], self.columns[-1] - self.columns[0])))

    @property
    def length(self) -> float:
        """From end to end, pixels."""
        return float(np.hypot(self.columns[-1] - self.columns[0], self.rows[-1] - self.rows[0]))


def thin_runs(mask: Pixels, thickest: int) -> Pixels:
    """Ink in runs of at most ``thickest`` pixels down the columns."""
    edge = thickest + 1
    padded = cv2.copyMakeBorder(mask, edge, edge, 0, 0, cv2.BORDER_CONSTANT)
    thick = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((thickest + 1, 1), np.uint8))
    return cv2.subtract(mask, thick[edge:-edge])


def find_lines(mask: Pixels, thickest: int) -> list[Line]:
    """Lines at most ``thickest`` pixels thick that are within STEEPEST degrees of horizontal, longest first.

    ``mask``: (height, width) uint8, 255 = ink.
    """
    height, width = mask.shape
    step = max(2, width // SAMPLES)
    if width < 48 or height < 2 * MIN_SIDE:
        return []
    ink = np.ascontiguousarray(mask[:, ::step])
    thin = thin_runs(ink, thickest)
    # The first pixel of each run.
    tops = thin.copy()
    tops[1:] = cv2.subtract(thin[1:], thin[:-1])
    if cv2.countNonZero(tops) > MOST_RUNS * tops.shape[1]:
        return []
    sparse = np.zeros(mask.shape, np.uint8)
    # Every other column is enough for straight lines.
    sparse[:, :: 2 * step] = tops[:, ::2]
    least = max(8, round(SHORTEST * tops.shape[1] / 2))
    normal, lean = np.radians(90), np.radians(STEEPEST)
    lines = cv2.HoughLines(sparse, FINE, np.radians(TURN), least, None, 0, 0, normal - lean, normal + lean)
    if lines is None:
        return []
    straight = _candidates(lines.reshape(-1, 2)[:PEAKS], tops, step)
    return _select_lines(follow_lines(tops, straight), ink, thin, step) if len(straight) else []


def _dilate_rows(part: Pixels, reach: int) -> Pixels:
    """Ink that reaches ``reach`` pixels further up and down."""
    return cv2.dilate(part, np.ones((2 * reach + 1, 1), np.uint8))


def _has_ink(part: Pixels, rows: Floats) -> NDArray[np.bool_]:
    """Where lines, given as (n, columns) rows, have ink: (n, columns)."""
    at = np.clip(np.rint(rows), 0, len(part) - 1).astype(np.int32)
    hits: NDArray[np.bool_] = (rows >= 0) & (rows < len(part) - 0.5) & (part[at, np.arange(part.shape[1])] > 0)
    return hits


def _without_duplicates(rows: Floats, there: NDArray[np.bool_], pixels: float, share: float) -> list[int]:
    """Which lines (n, columns) do not run beside an earlier one of the list; at most CANDIDATES of them.

    Beside: nearer than ``pixels`` for more than a ``share`` of the columns where the line is ``there``.
    """
    straight, there = rows[:, ::8].T, there[:, ::8].T
    along = np.zeros((len(rows), len(rows)), np.uint8)
    for row, on in zip(straight, there, strict=True):
        along += (np.abs(row[:, None] - row) < pixels) & on[:, None]
    least = share * np.count_nonzero(there, axis=0)
    beside = least < along.T
    gone = np.zeros(len(rows), bool)
    kept: list[int] = []
    for i in range(len(rows)):
        if not gone[i] and len(kept) < CANDIDATES:
            kept.append(i)
            gone |= beside[i]
    return kept


def _candidates(lines: Floats, tops: Pixels, step: int) -> Floats:
    """The strongest of these lines (n: distance from the origin, angle of the normal), as their rows in each column."""
    columns = np.arange(0, step * tops.shape[1], step, dtype=np.float32)
    rho, theta = lines[:, :1], lines[:, 1:]
    rows = ((rho - columns * np.cos(theta)) / np.sin(theta)).astype(np.float32)
    # Of lines that begin and end together, only the strongest one.
    ends = np.rint(rows[:, [0, -1]] / (2 * STRAY)).astype(np.int64)
    rows = rows[np.sort(np.unique(ends @ np.array([1 << 20, 1]), return_index=True)[1])]
    hits = _has_ink(_dilate_rows(tops, 1), rows).astype(np.float32)
    rows = rows[cv2.blur(hits, (STRETCH, 1)).max(axis=1) >= HINT][: 2 * CANDIDATES]
    if not len(rows):
        return rows
    # Two lines that cross may both follow one bent line, each at its own end: both are kept.
    return rows[_without_duplicates(rows, (rows >= 0) & (rows < len(tops)), 2 * STRAY, 0.4)]


def follow_lines(tops: Pixels, straight: Floats) -> Floats:
    """The rows (n, columns) of lines that may bend, from those of ``straight`` ones, by an alpha-beta filter.

    Each line is followed to both sides from the middle of its ink. ``tops``: (height, columns) uint8, where runs of ink
    begin.
    """
    height, samples = tops.shape
    count, knots = len(straight), -(-(samples - 1) // STRIDE) + 1
    seen = np.zeros((height, knots), np.uint8)
    seen[:, : -(-samples // STRIDE)] = tops[:, ::STRIDE]
    nearest = np.full(seen.shape, np.nan, np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    for off in sorted(range(-STRAY, STRAY + 1), key=abs, reverse=True):
        to, of = slice(max(0, -off), height - max(0, off)), slice(max(0, off), height - max(0, -off))
        np.copyto(nearest[to], rows[of], where=seen[of] > 0)
    share = np.cumsum(_has_ink(_dilate_rows(tops, 1), straight), axis=1)
    begin = np.argmax(share >= (share[:, -1:] + 1) // 2, axis=1) // STRIDE
    # To the right and to the left at once.
    line, at = np.tile(np.arange(count), 2), np.tile(begin, 2)
    turn = np.repeat([1, -1], count)
    slope = np.tile(straight[:, 1] - straight[:, 0], 2) * np.float32(STRIDE) * turn.astype(np.float32)
    row = np.tile(straight[np.arange(count), begin * STRIDE], 2)
    # A line that has reached the end of the picture goes on in an extra column beyond it.
    path = np.zeros((count, knots + 2), np.float32)
    path[line, at + 1] = row
    for _ in range(max(int(begin.max()), knots - 1 - int(begin.min()))):
        at = at + turn
        row = row + slope
        middle = np.minimum(np.maximum(row, 0), height - 1).astype(np.int32)
        off = nearest[middle, np.minimum(np.maximum(at, 0), knots - 1)] - row
        off[off != off] = 0
        row = row + np.float32(FOLLOW) * off
        slope = slope + np.float32(BEND) * off
        path[line, np.minimum(np.maximum(at, -1), knots) + 1] = row
    path = path[:, 1:-1]
    whole, part = np.divmod(np.arange(samples), STRIDE)
    after, part = path[:, np.minimum(whole + 1, knots - 1)], (part / STRIDE).astype(np.float32)
    return path[:, whole] * (1 - part) + after * part


def _select_lines(rows: Floats, ink: Pixels, thin: Pixels, step: int) -> list[Line]:
    """Those followed lines, (n, columns) rows, that are solid and thin, cut to their ends, without duplicates."""
    height, samples = ink.shape
    inside = (rows >= 0) & (rows < height)
    window = max(3, round(WINDOW / step)) | 1
    hits, fine = (_has_ink(_dilate_rows(part, 2), rows).astype(np.float32) for part in (ink, thin))
    solid, fine = cv2.blur(hits, (window, 1)) >= SOLID_RULE, cv2.blur(fine, (window, 1))
    good = solid & (fine >= THIN_RULE) & inside
    length = np.count_nonzero(good, axis=1)
    longest = np.argsort(-length, kind="stable")
    longest = longest[length[longest] >= max(24 / step, SHORTEST * samples)]
    longest = longest[_without_duplicates(rows[longest], good[longest], BESIDE, 0.5)]
    rows, hits, solid, good, inside = (one[longest] for one in (rows, hits, solid, good, inside))
    (first, last), (begin, end) = ((one.argmax(1), samples - one[:, ::-1].argmax(1)) for one in (good, inside))
    until = np.cumsum(solid, axis=1)
    solid_length = np.take_along_axis(until, last[:, None] - 1, 1) - np.take_along_axis(until, first[:, None], 1) + 1
    unbroken = solid_length[:, 0] >= UNBROKEN * (last - first)
    # At the end of a line half of the window is paper.
    through = np.count_nonzero(solid & inside, axis=1) + window > THROUGH * np.count_nonzero(inside, axis=1)
    first, last = np.maximum(begin, first - window // 2), np.minimum(end, last + window // 2)
    return [
        Line(np.arange(a, b) * step, rows[i, a:b], float(hits[i, a:b].mean()), bool(through[i]))
        for i, a, b in zip(range(len(rows)), first.tolist(), last.tolist(), strict=True)
        if unbroken[i] and b - a > 1
    ]
