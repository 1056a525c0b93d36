"""Digits that touch: the ways to cut their ink apart, from which the classifier then takes the best.

Heuristic over-segmentation, after LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition" (1998), section VII: more cuts than needed are made, the ink between two cuts is a candidate digit, and the
best path through the candidates is the reading. Here two neighbours may also share ink, between a cut on the right of
the first and one on the left of the second: of strokes that run into one another both digits keep the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels
from edge.vision.normalise import stroke_width
from edge.vision.seams import LEAST_INK, seams

HEIGHT = 32
"""Digits are told apart on the ink reduced to this height, pixels."""
STROKE = 1.5
"""Strokes that are thinner than this then, in pixels, are made darker by as much."""
NARROWEST = 0.6
"""Two digits that touch are together at least so wide, and"""
MOST_HEIGHTS = 8.0
"""a row of them at most so wide, in heights of the ink."""
SHORTEST = 0.5
"""A digit of a clump is at least this tall, and"""
WIDEST = 1.45
"""at most this wide, in heights of the ink."""
CRUMB = 0.15
"""Parts of a piece smaller than this share of it belong to the neighbour that was cut off."""
SHARED = 0.3
"""Two neighbours share at most this much ink,"""
LOST = 0.03
"""and lose at most this much between them, in the ink of one digit."""


class Piece(NamedTuple):
    """The ink between two cuts."""

    start: int
    """The cut on its left; 0 is the ink's left end."""
    end: int
    """The cut on its right; the highest one is the ink's right end."""
    ink: Pixels
    """(height, width) uint8: this piece's ink alone, in its box."""
    box: Box
    """Where the piece's ink stands in the clump, pixels."""


class Ways(NamedTuple):
    """All ways to cut a clump; cut 0 is its left end, and ``last`` its right end."""

    ink: Pixels
    """(height, width) uint8: the whole clump."""
    small: Pixels
    """The same at most HEIGHT pixels tall: digits are told apart on this."""
    before: NDArray[np.bool_]
    """(cuts, height, width) of ``small``: what is on the left of each cut."""
    costs: tuple[float, ...]
    """How much ink each cut goes through, in heights of the ink."""
    shared: NDArray[np.float32]
    """(cuts, cuts): the ink on the left of the first and on the right of the second, in the ink of one digit."""

    @property
    def last(self) -> int:
        """The highest cut: the ink's right end."""
        return len(self.costs) - 1

    def ends(self, start: int) -> list[int]:
        """Where a piece that starts at a cut may end."""
        enough = (self.shared[start + 1 :, start] >= LEAST_INK) & (self.shared[start, start + 1 :] <= LOST)
        return [start + 1 + end for end in np.flatnonzero(enough).tolist() if start or start + 1 + end < self.last]

    def piece(self, start: int, end: int) -> Piece | None:
        """The ink between two cuts, in pixels of ``small``, if it may be a digit."""
        piece = _piece(self.small, self.before[end] & ~self.before[start], start, end)
        height = self.small.shape[0]
        return piece if piece.box.height >= SHORTEST * height and piece.box.width <= WIDEST * height else None

    def onwards(self, end: int) -> dict[int, float]:
        """Where the next piece may start when one ends, and how much ink they then share, in the ink of one digit."""
        if end in (0, self.last):
            return {end: 0.0}
        starts = np.flatnonzero((self.shared[end, : end + 1] <= SHARED) & (self.shared[: end + 1, end] <= LOST))
        return {start: float(self.shared[end, start]) for start in starts.tolist() if start}

    def whole(self, piece: Piece) -> Piece:
        """A piece as it is in the clump's own pixels."""
        inside = (self.before[piece.end] & ~self.before[piece.start]).astype(np.uint8) * 255
        mask = cv2.resize(inside, self.ink.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
        return _piece(self.ink, mask, piece.start, piece.end)


def split(ink: Pixels) -> Ways | None:
    """The ways to cut a clump of ink, (height, width) uint8, 255 = ink; None where it has no cut.

    None either where it is as narrow as one digit, or so wide that it is no row of digits but a scribble or a line.
    """
    height, width = ink.shape
    if not NARROWEST * height <= width <= MOST_HEIGHTS * height:
        return None
    small = reduced(ink)
    found = seams(small)
    if not len(found.costs):
        return None
    height, width = small.shape
    sides = np.array([[0], [width]]).repeat(height, axis=1)
    before = np.arange(width) < np.concatenate([sides[:1], found.columns, sides[1:]])[:, :, None]
    left = before.reshape(len(before), -1).astype(np.float32)
    one = float(small.sum(dtype=np.int64)) * min(1.0, height / width)
    shared = ((left * small.reshape(-1)) @ (1 - left).T / np.float32(one)).astype(np.float32)
    return Ways(ink, small, before, (0.0, *(found.costs / height).tolist(), 0.0), shared)


def reduced(ink: Pixels) -> Pixels:
    """Ink, (height, width) uint8, at most HEIGHT pixels tall; thin strokes keep their contrast."""
    height, width = ink.shape
    if height <= HEIGHT:
        return ink
    small = cv2.resize(ink, (max(1, round(width * HEIGHT / height)), HEIGHT), interpolation=cv2.INTER_AREA)
    stroke = stroke_width(ink) * HEIGHT / height
    return cv2.convertScaleAbs(small, alpha=max(1.0, STROKE / max(stroke, 0.1)))


def _piece(ink: Pixels, mask: NDArray[np.bool_], start: int, end: int) -> Piece:
    """What is under a mask, less its crumbs."""
    x, y, w, h = cv2.boundingRect(mask.view(np.uint8))
    part = whole_parts(ink[y : y + h, x : x + w] * mask[y : y + h, x : x + w])
    left, top, w, h = cv2.boundingRect(part)
    return Piece(start, end, part[top : top + h, left : left + w], Box(x + left, y + top, w, h))


def best_path(
    last: int,
    ahead: Callable[[int], Mapping[int, float]],
    score: Callable[[int, int], float],
    onwards: Callable[[int], Mapping[int, float]],
    least: float,
) -> list[tuple[int, int]]:
    """The steps (start, end) from 0 to ``last`` with the greatest sum of scores; empty where that is below ``least``.

    Scores are at most 0. ``ahead`` gives where a step from a start may end, and the most that it and all after it may
    score; ``score`` its own score, and is asked for as few steps as possible (A*: Hart, Nilsson and Raphael 1968);
    ``onwards`` at which starts up to an end the next step may begin, and what that scores.
    """
    known: dict[tuple[int, int], float] = {}
    best: dict[tuple[int, int], float] = {}
    # What a path scores at most, and so far; where it has come to; its next step; its steps.
    paths: list[tuple[float, float, int, int, int, tuple[tuple[int, int], ...]]] = []

    def go_on(total: float, node: int, path: tuple[tuple[int, int], ...]) -> None:
        for start, change in onwards(node).items():
            if total + change > best.get((node, start), -np.inf):
                best[node, start] = total + change
                for end, most in ahead(start).items():
                    if end > node and total + change + most >= least:
                        paths.append((total + change + most, total + change, node, start, end, path))

    go_on(0.0, 0, ())
    while paths:
        most = max(paths)
        paths.remove(most)
        _, total, node, start, end, path = most
        if node == last:
            return list(path)
        if (start, end) not in known:
            known[start, end] = score(start, end)
        total += known[start, end]
        path = (*path, (start, end))
        if end == last and total >= least:
            paths.append((total, total, last, last, last, path))
        elif total >= least:
            go_on(total, end, path)
    return []


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
