"""Cut touching digits apart: the possible cuts of their ink, from which the classifier takes the best.

Heuristic over-segmentation, after LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition" (1998), section VII: more cuts than needed are made, the ink between two cuts is a candidate digit, and the
best path through the candidates is the reading. Here two neighbours may also share ink, between a cut on the right of
the first and one on the left of the second: where strokes run into one another, both digits keep the whole stroke.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels
from edge.vision.normalise import THINNEST, stroke_width, with_contrast
from edge.vision.seams import LEAST_INK, find_seams

HEIGHT = 32
"""Height to which the ink is reduced before it is cut, pixels."""
NARROWEST = 0.45
"""Smallest width of two digits that touch, in heights of the ink."""
MOST_HEIGHTS = 8.0
"""Largest width of a row of digits that touch, in heights of the ink."""
SHORTEST = 0.5
"""Smallest height of a digit that is cut off, in heights of the ink."""
WIDEST = 1.45
"""Largest width of a digit that is cut off, in heights of the ink."""
CRUMB = 0.15
"""A component of a piece smaller than this share of the piece belongs to the neighbour, and is removed."""
SHARED = 0.3
"""Most ink that two neighbours share, in the ink of one digit."""
MOST_STEPS = 300
"""Where the best path needs more pieces classified than this, it is no row of digits."""
ALTERNATIVES = 3
"""Ways to cut the ink up to a place that are gone on with."""
LOST = 0.05
"""Most ink that is lost between two neighbours, in the ink of one digit."""


class Piece(NamedTuple):
    """The ink between two cuts."""

    start: int
    """Number of the cut on its left; 0 is the left end of the ink."""
    end: int
    """Number of the cut on its right; the highest one is the right end of the ink."""
    ink: Pixels
    """(height, width) uint8: the ink of this piece alone, in its box."""
    box: Box
    """Where the piece stands in the whole ink, pixels."""


class Cuts(NamedTuple):
    """The possible cuts of the ink of touching digits; cut 0 is its left end, and cut ``last`` its right end."""

    ink: Pixels
    """(height, width) uint8: the whole ink."""
    small: Pixels
    """The same, at most HEIGHT pixels tall: cuts and pieces are found on this."""
    before: NDArray[np.bool_]
    """(cuts, height, width) of ``small``: the pixels on the left of each cut."""
    costs: tuple[float, ...]
    """The ink that each cut goes through, in heights of the ink."""
    shared: NDArray[np.float32]
    """(cuts, cuts): the ink on the left of the first and on the right of the second, in the ink of one digit."""

    @property
    def last(self) -> int:
        """The highest cut: the ink's right end."""
        return len(self.costs) - 1

    def ends_after(self, start: int) -> list[int]:
        """The cuts at which a piece that starts at cut ``start`` may end."""
        enough = (self.shared[start + 1 :, start] >= LEAST_INK) & (self.shared[start, start + 1 :] <= LOST)
        return [start + 1 + end for end in np.flatnonzero(enough).tolist() if start or start + 1 + end < self.last]

    def piece(self, start: int, end: int) -> Piece | None:
        """The ink between two cuts, in pixels of ``small``, if it may be a digit; else None."""
        piece = _piece(self.small, self.before[end] & ~self.before[start], start, end)
        height = self.small.shape[0]
        return piece if piece.box.height >= SHORTEST * height and piece.box.width <= WIDEST * height else None

    def next_starts(self, end: int) -> dict[int, float]:
        """The cuts at which the next piece may start when one ends at cut ``end``.

        And for each the ink that both pieces then share, in the ink of one digit.
        """
        if end in (0, self.last):
            return {end: 0.0}
        starts = np.flatnonzero((self.shared[end, : end + 1] <= SHARED) & (self.shared[: end + 1, end] <= LOST))
        return {start: float(self.shared[end, start]) for start in starts.tolist() if start}

    def full_size(self, piece: Piece) -> Piece:
        """A piece of ``small`` in the pixels of ``ink``."""
        inside = (self.before[piece.end] & ~self.before[piece.start]).astype(np.uint8) * 255
        mask = cv2.resize(inside, self.ink.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
        return _piece(self.ink, mask, piece.start, piece.end)


def find_cuts(ink: Pixels) -> Cuts | None:
    """The possible cuts of touching digits, (height, width) uint8, 255 = ink; None where there is no cut.

    Also None where the ink is as narrow as one digit, or so wide that it is a scribble or a line.
    """
    height, width = ink.shape
    if not NARROWEST * height <= width <= MOST_HEIGHTS * height:
        return None
    small = reduce_to_height(ink)
    found = find_seams(small)
    if not len(found.costs):
        return None
    height, width = small.shape
    sides = np.array([[0], [width]]).repeat(height, axis=1)
    before = np.arange(width) < np.concatenate([sides[:1], found.columns, sides[1:]])[:, :, None]
    left = before.reshape(len(before), -1).astype(np.float32)
    one = float(small.sum(dtype=np.int64)) * min(1.0, height / width)
    shared = ((left * small.reshape(-1)) @ (1 - left).T / np.float32(one)).astype(np.float32)
    return Cuts(ink, small, before, (0.0, *(found.costs / height).tolist(), 0.0), shared)


def reduce_to_height(ink: Pixels) -> Pixels:
    """Ink, (height, width) uint8, at most HEIGHT pixels tall; thin strokes keep their contrast."""
    height, width = ink.shape
    if height <= HEIGHT:
        return ink
    small = cv2.resize(ink, (max(1, round(width * HEIGHT / height)), HEIGHT), interpolation=cv2.INTER_AREA)
    return with_contrast(small, max(stroke_width(ink) * HEIGHT / height, THINNEST))


def _piece(ink: Pixels, mask: NDArray[np.bool_], start: int, end: int) -> Piece:
    """The ink under a mask, without crumbs."""
    x, y, w, h = cv2.boundingRect(mask.view(np.uint8))
    part = remove_crumbs(ink[y : y + h, x : x + w] * mask[y : y + h, x : x + w])
    left, top, w, h = cv2.boundingRect(part)
    return Piece(start, end, part[top : top + h, left : left + w], Box(x + left, y + top, w, h))


def best_paths(
    last: int,
    bounds: Callable[[int], Mapping[int, float]],
    score: Callable[[int, int], float],
    next_starts: Callable[[int], Mapping[int, float]],
    least: float,
) -> Iterator[tuple[tuple[int, int], ...]]:
    """The steps (start, end) from 0 to ``last`` with the greatest sum of scores, then other ways with less.

    At most ALTERNATIVES come to a place by the same way; all have at least ``least`` in sum.
    Scores are at most 0. ``bounds(start)``: the ends of a step from there, each with an upper bound of what it and all
    steps after it score. ``score(start, end)``: the score of one step; called for as few steps as possible (A*: Hart,
    Nilsson and Raphael 1968). ``next_starts(end)``: the starts of the next step, each with what that scores.
    """
    known: dict[tuple[int, int], float] = {}
    reached: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    # Each: -(upper bound of its score), score so far, where it has come to, start and end of its next step, its steps.
    paths: list[tuple[float, float, int, int, int, tuple[tuple[int, int], ...]]] = []

    def extend(total: float, node: int, path: tuple[tuple[int, int], ...]) -> None:
        for start, change in next_starts(node).items():
            others = reached[node, start]
            if len(others) < ALTERNATIVES or total + change > others[0]:
                (heapq.heappush if len(others) < ALTERNATIVES else heapq.heapreplace)(others, total + change)
                for end, most in bounds(start).items():
                    if end > node and total + change + most >= least:
                        heapq.heappush(paths, (-total - change - most, total + change, node, start, end, path))

    extend(0.0, 0, ())
    while paths:
        _, total, node, start, end, path = heapq.heappop(paths)
        if node == last:
            yield path
            continue
        if (start, end) not in known:
            if len(known) >= MOST_STEPS:
                return
            known[start, end] = score(start, end)
        total += known[start, end]
        path = (*path, (start, end))
        if end == last and total >= least:
            heapq.heappush(paths, (-total, total, last, last, last, path))
        elif total >= least:
            extend(total, end, path)


def remove_crumbs(ink: Pixels) -> Pixels:
    """The ink without the small parts of its neighbours that a cut left."""
    mask = cv2.threshold(ink, 64, 255, cv2.THRESH_BINARY)[1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return ink
    areas = stats[:, cv2.CC_STAT_AREA]
    crumb = areas < CRUMB * areas[1:].sum()
    crumb[0] = False
    return np.where(crumb[labels], 0, ink).astype(np.uint8) if crumb.any() else ink
