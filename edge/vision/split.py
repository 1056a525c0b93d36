"""Digits that touch: every sensible way to cut the ink apart, from which the classifier then takes the best.

Heuristic over-segmentation, after LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition" (1998), section VII: more cuts than needed are made, each run of pieces between two cuts is a candidate
digit, and the best path through the candidates is the reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels

HEIGHT = 32
"""Cuts are looked for on the ink reduced to this height, pixels."""
SLANTS = (-0.3, 0.0, 0.3, 0.6)
"""Cuts are tried leaning to the right by so much of their height, as writing does,"""
SWAY = 3
"""and go at most so many of these pixels to the left and right of a straight line."""
STEP = 2
"""Between two cuts that are tried."""
SIDEWAYS = 0.3
"""What a step to the side costs, in pixels of full ink."""
HOLE = 0.5
"""What it costs to cut through a pixel of a loop's inside, in pixels of full ink: loops belong to one digit."""
APART = 3
"""Cuts are at least so many of these pixels apart."""
CUTS_AT_LEAST = 2
"""As many cuts are kept as this, and"""
CUTS_A_HEIGHT = 5.0
"""so many more for each height that the ink is wide."""
LEAST_INK = 0.06
"""A piece holds at least this share of the ink that one digit of the clump has on average, else it is no digit."""
NARROWEST = 0.7
"""Two digits that touch are together at least so wide, and"""
MOST_HEIGHTS = 8.0
"""a row of them at most so wide, in heights of the ink."""
SHORTEST = 0.5
"""A digit of a clump is at least this tall, and"""
WIDEST = 1.45
"""at most this wide, in heights of the ink."""
CRUMB = 0.15
"""Parts of a piece smaller than this share of it belong to the neighbour that was cut off."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The ink between two cuts."""

    start: int
    """The cut on its left; 0 is the ink's left end."""
    end: int
    """The cut on its right; the highest one is the ink's right end."""
    ink: Pixels
    """(height, width) uint8: this piece's ink alone, in its box."""
    box: Box
    """Where the piece's ink stands in the clump, pixels."""


def split(ink: Pixels) -> list[Piece]:
    """All pieces of a clump of ink, (height, width) uint8, 255 = ink, that may be a digit; none where it has no cut.

    None either where it is as narrow as one digit, or so wide that it is no row of digits but a scribble or a line.
    """
    height, width = ink.shape
    if not NARROWEST * height <= width <= MOST_HEIGHTS * height:
        return []
    seams = cuts(ink)
    ends = [np.zeros(height), *seams, np.full(height, width)]
    middles = [float(seam.mean()) for seam in ends]
    columns = np.arange(width)
    share = LEAST_INK * float(ink.sum(dtype=np.int64)) * min(1.0, height / width)
    found = []
    for start in range(len(ends) - 1):
        for end in range(start + 1, len(ends)):
            if start == 0 and end == len(ends) - 1:
                continue
            if middles[end] - middles[start] > WIDEST * height:
                break
            left, right = max(0, int(ends[start].min())), min(width, int(ends[end].max()) + 1)
            inside = (columns[left:right] >= ends[start][:, None]) & (columns[left:right] < ends[end][:, None])
            piece = whole_parts(ink[:, left:right] * inside)
            x, y, w, h = cv2.boundingRect(piece)
            if h < SHORTEST * height or w > WIDEST * height or float(cv2.sumElems(piece)[0]) < share:
                continue
            found.append(Piece(start, end, piece[y : y + h, x : x + w], Box(left + x, y, w, h)))
    return found if seams else []


def best_path(scores: Mapping[tuple[int, int], float], ends: int) -> list[tuple[int, int]]:
    """The steps (start, end) from 0 to ``ends`` with the greatest sum of scores; empty where no path leads there."""
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for node in range(1, ends + 1):
        for (start, end), score in scores.items():
            if end == node and start in best:
                total = best[start][0] + score
                if node not in best or total > best[node][0]:
                    best[node] = total, [*best[start][1], (start, end)]
    return best[ends][1] if ends in best else []


def whole_parts(ink: Pixels) -> Pixels:
    """The ink without the crumbs that a cut left of its neighbours."""
    mask = cv2.threshold(ink, 64, 255, cv2.THRESH_BINARY)[1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return ink
    areas = stats[:, cv2.CC_STAT_AREA]
    crumb = areas < CRUMB * areas[1:].sum()
    crumb[0] = False
    return np.where(crumb[labels], 0, ink).astype(np.uint8) if crumb.any() else ink


def cuts(ink: Pixels) -> list[NDArray[np.float64]]:
    """Where the ink is cut most cheaply from top to bottom: for each cut the column of each row, left to right.

    Each is the path of least ink along a more or less slanting line (dynamic programming, as in seam carving: Avidan
    and Shamir 2007); of those that are close to each other the cheapest is taken.
    """
    height, width = ink.shape
    reduced_width = max(1, round(width * HEIGHT / height))
    reduced = cv2.resize(ink, (reduced_width, HEIGHT), interpolation=cv2.INTER_AREA)
    small = reduced.astype(np.float32) / 255
    middles = np.arange(STEP, reduced_width - STEP, STEP)
    if len(middles) == 0:
        return []
    upwards = HEIGHT / 2 - np.arange(HEIGHT)
    lines = middles[:, None] + np.rint(np.multiply.outer(SLANTS, upwards)).astype(np.int64)[:, None]
    cost, seams = cheapest(np.maximum(small, HOLE * holes(reduced)), lines.reshape(-1, HEIGHT))
    by_slant = cost.reshape(len(SLANTS), -1)
    best = by_slant.argmin(axis=0) * len(middles) + np.arange(len(middles))
    cost, seams = cost[best], seams[best]
    before = np.pad(np.cumsum(small, axis=1), ((0, 0), (1, 0)))
    left = before[np.arange(HEIGHT), np.clip(seams, 0, reduced_width)].sum(axis=1) / max(float(small.sum()), 1e-6)
    least = LEAST_INK * min(1.0, height / width)
    centre = seams.mean(axis=1)
    # A way between two that touch is cheaper than those beside it, if not than one through the middle of a 0.
    around = np.pad(cost, 1, constant_values=np.inf)
    valley = (cost <= around[:-2]) & (cost <= around[2:])
    chosen: list[int] = []
    for i in np.lexsort((cost, ~valley)):
        apart = all(abs(centre[i] - centre[other]) >= APART for other in chosen)
        if apart and least < left[i] < 1 - least and len(chosen) < CUTS_AT_LEAST + CUTS_A_HEIGHT * width / height:
            chosen.append(int(i))
    rows = np.linspace(0, HEIGHT - 1, height)
    scale = width / reduced_width
    return [np.interp(rows, np.arange(HEIGHT), seams[i]) * scale for i in sorted(chosen, key=lambda i: centre[i])]


def holes(ink: Pixels) -> NDArray[np.float32]:
    """1 where the paper is enclosed by ink, (height, width) float32, else 0."""
    paper = cv2.threshold(ink, 96, 1, cv2.THRESH_BINARY_INV)[1]
    paper = cv2.copyMakeBorder(paper, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    # From outside, all paper that can be reached is painted over.
    cv2.floodFill(paper, None, (0, 0), 0)
    return paper[1:-1, 1:-1].astype(np.float32)


def cheapest(small: NDArray[np.float32], lines: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """For each line (n, height) of columns the ink on the best way down within SWAY of it, (n,), and its columns.

    Beyond the picture's sides there is no ink.
    """
    height, width = small.shape
    columns = lines[..., None] + np.arange(-SWAY, SWAY + 1)
    # One empty column stands for all beyond the sides.
    padded = np.pad(small, ((0, 0), (1, 1)))
    windows = padded[np.arange(height)[:, None], np.clip(columns + 1, 0, width + 1)]
    total = windows[:, 0]
    steps = np.zeros(windows.shape, np.int8)
    sides = np.full((len(lines), 2 * SWAY + 3), np.inf, np.float32)
    for row in range(1, height):
        sides[:, 1:-1] = total + np.float32(SIDEWAYS)
        ways = np.stack([sides[:, :-2], total, sides[:, 2:]])
        steps[:, row] = ways.argmin(axis=0) - 1
        total = ways.min(axis=0) + windows[:, row]
    place = total.argmin(axis=1)
    cost = total.min(axis=1)
    n = np.arange(len(lines))
    seams = np.empty((len(lines), height), np.int64)
    for row in range(height - 1, -1, -1):
        seams[:, row] = columns[n, row, place]
        place = place + steps[n, row, place]
    return cost, seams
