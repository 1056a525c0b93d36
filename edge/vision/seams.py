"""Seams: paths of least ink from top to bottom, along which two digits that touch are cut apart.

Each is the path of least ink near a more or less slanting line (dynamic programming, as in seam carving: Avidan and
Shamir 2007). Of paths that divide the ink in the same way the cheapest is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.masks import enclosed_regions

SLANTS = (-0.3, 0.0, 0.3, 0.6)
"""Slants of the lines that are tried, to the right, as a share of the height: writing slants to the right."""
SWAY = 3
"""Farthest distance of a path from its straight line to the left and right, pixels."""
SIDEWAYS = 0.15
"""Cost of a step to the side, in pixels of full ink."""
HOLE = 0.5
"""Cost of cutting through a pixel inside a loop, in pixels of full ink: a loop belongs to one digit."""
LOOP = 0.5
"""Longest way of a path through loops, as a share of the height: a larger loop is a 0, or a drawing."""
MARGIN = 0.1
"""Nearest distance of a path to the left and right end of the ink, in heights of the ink."""
DIFFERENT = 0.04
"""Two paths divide the ink differently where at least this much ink changes sides, in the ink of one digit."""
CUTS_AT_LEAST = 2
"""Number of paths that are kept, before CUTS_A_HEIGHT is added."""
CUTS_A_HEIGHT = 8.0
"""Number of paths that are kept in addition for each height that the ink is wide."""
LEAST_INK = 0.06
"""Least ink on each side of a path, in the ink of one digit."""
TALLEST = 0.5
"""Smallest share of the rows that have ink on each side of a path."""
INKED = 0.4
"""A row has ink where it has more than this many pixels of full ink."""


class Seams(NamedTuple):
    """Paths to cut along, from left to right."""

    columns: NDArray[np.int64]
    """(n, height): in each row, the first column on the right of the path."""
    costs: NDArray[np.float32]
    """(n,): the ink that each path goes through, steps aside and loops included, in pixels of full ink."""


def find_seams(ink: Pixels) -> Seams:
    """The cheapest paths through ink, (height, width) uint8; best on a small picture, about 32 pixels tall."""
    height, width = ink.shape
    small: NDArray[np.float32] = ink.astype(np.float32) / np.float32(255)
    margin = round(MARGIN * height)
    upwards = height / 2 - np.arange(height)
    lines = np.arange(margin, width - margin + 1)[:, None] + np.rint(np.multiply.outer(SLANTS, upwards))[:, None]
    loops = loop_mask(ink)
    cost, columns = cheapest_paths(np.maximum(small, HOLE * loops), lines.astype(np.int64).reshape(-1, height))
    before = ink_left_of(small)
    left = before[np.arange(height), np.clip(columns, 0, width)]
    right = before[:, -1] - left
    one = float(small.sum()) * min(1.0, height / width)
    free = np.minimum(left.sum(axis=1), right.sum(axis=1)) > LEAST_INK * one
    free &= np.minimum((left > INKED).sum(axis=1), (right > INKED).sum(axis=1)) >= TALLEST * height
    free &= loops[np.arange(height), np.clip(columns, 0, width - 1)].sum(axis=1) <= LOOP * height
    beside = np.pad(cost.reshape(len(SLANTS), -1), ((0, 0), (1, 1)), constant_values=np.inf)
    # A path between two digits that touch is cheaper than those beside it, though perhaps not cheaper than one through
    # the middle of a 0.
    valley = ((beside[:, 1:-1] <= beside[:, :-2]) & (beside[:, 1:-1] <= beside[:, 2:])).ravel()
    chosen: list[int] = []
    for i in np.lexsort((cost, ~valley)).tolist():
        if free[i] and len(chosen) < CUTS_AT_LEAST + CUTS_A_HEIGHT * width / height:
            chosen.append(i)
            free &= np.abs(left - left[i]).sum(axis=1) >= DIFFERENT * one
    chosen.sort(key=lambda i: float(left[i].sum()))
    return Seams(columns[chosen], cost[chosen])


def ink_left_of(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width + 1): the ink in each row to the left of each column."""
    return np.pad(np.cumsum(small, axis=1, dtype=np.float32), ((0, 0), (1, 0)))


def loop_mask(ink: Pixels) -> NDArray[np.float32]:
    """1 where paper is enclosed by ink, (height, width) float32, else 0."""
    paper = cv2.threshold(ink, 96, 255, cv2.THRESH_BINARY_INV)[1]
    return (enclosed_regions(paper) > 0).astype(np.float32)


def cheapest_paths(
    small: NDArray[np.float32], lines: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """For each line (n, height) of columns: the cost of the best path within SWAY of it, (n,), and its columns.

    Beyond the picture's sides there is no ink.
    """
    height, width = small.shape
    columns = lines.T[..., None] + np.arange(-SWAY, SWAY + 1)
    # One empty column stands for all columns beyond the sides.
    padded = np.pad(small, ((0, 0), (1, 1)))
    windows = padded[np.arange(height)[:, None, None], np.clip(columns + 1, 0, width + 1)]
    total = windows[0]
    steps = np.zeros(windows.shape, np.int8)
    sides = np.full((len(lines), 2 * SWAY + 3), np.inf, np.float32)
    for row in range(1, height):
        np.add(total, np.float32(SIDEWAYS), out=sides[:, 1:-1])
        aside = np.minimum(sides[:, :-2], sides[:, 2:])
        steps[row] = np.where(total <= aside, 0, np.where(sides[:, :-2] <= sides[:, 2:], -1, 1))
        total = np.minimum(total, aside) + windows[row]
    place = total.argmin(axis=1)
    cost = total.min(axis=1)
    n = np.arange(len(lines))
    paths = np.empty((len(lines), height), np.int64)
    for row in range(height - 1, -1, -1):
        paths[:, row] = columns[row, n, place]
        place = place + steps[row, n, place]
    return cost, paths
