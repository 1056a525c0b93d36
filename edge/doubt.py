"""A second look at marks that read as no digit: cut apart what touches, put together what fell apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

import numpy as np

from edge.candidates import Candidate
from edge.types import Box, Pixels
from edge.vision.split import best_path, split

SURE = 0.8
"""Every piece of a clump, and what was put together, reads as a digit with at least this probability."""
CUT = 0.9
"""Of two ways to cut a clump the one with more pieces has to be surer by this factor for each."""
LEGS = 1
"""A clump cut into nothing but this digit is more likely a letter's legs: M, H, N, U."""
MOST = 60
"""More candidates than this get no second look, nor more than"""
MOST_DOUBTS = 16
"""so many in doubt: it is text or texture."""
NARROW = 0.4
"""A mark narrower than this share of the usual digit is not two digits."""
NEAR = 0.3
"""Marks further apart than this share of the usual digit are not one digit;"""
TALLEST = 1.4
"""nor are two that are together larger than so many usual digits."""


Judged = Callable[[Sequence[Pixels], Sequence[Box], Sequence[int]], list[Candidate]]
"""Inks, their boxes and lines -> candidates: ``edge.candidates.Judge``."""


def second_look(candidates: Sequence[Candidate], judge: Judged, least: float, usual: float) -> list[Candidate]:
    """The candidates with those in doubt (no digit, or less probable than ``least``) mended where that reads better.

    ``usual`` is the usual digit's longer side, working pixels. Order is kept.
    """

    def in_doubt(candidate: Candidate) -> bool:
        return candidate.digit is None or candidate.confidence < least

    if len(candidates) > MOST or not 0 < sum(map(in_doubt, candidates)) <= MOST_DOUBTS:
        return list(candidates)
    found: list[Candidate] = []
    for candidate in mended(candidates, in_doubt, judge, usual):
        wide = candidate.box.width >= NARROW * usual
        found.extend(parted(candidate, judge) if wide and in_doubt(candidate) else [candidate])
    return found


def mended(
    candidates: Sequence[Candidate], in_doubt: Callable[[Candidate], bool], judge: Judged, usual: float
) -> list[Candidate]:
    """Where one in doubt and a near one together are a digit, that digit takes their place."""
    found = list(candidates)
    for candidate in candidates:
        if candidate not in found or not in_doubt(candidate):
            continue
        near = [other for other in found if other is not candidate and fits(candidate.box, other.box, usual)]
        whole = judge(
            [together(candidate, other) for other in near],
            [around(candidate.box, other.box) for other in near],
            [other.line for other in near],
        )
        surest = max(zip(whole, near, strict=True), key=lambda pair: pair[0].surety, default=None)
        if surest and surest[0].surety >= max(SURE, surest[1].surety):
            found[found.index(surest[1])] = surest[0]
            found.remove(candidate)
    return found


def fits(a: Box, b: Box, usual: float) -> bool:
    """Whether two marks may be one digit: close to each other, and together no larger than a digit."""
    gap = max(max(a.x, b.x) - min(a.x + a.width, b.x + b.width), max(a.y, b.y) - min(a.y + a.height, b.y + b.height))
    both = around(a, b)
    return gap <= NEAR * usual and max(both.width, both.height) <= TALLEST * usual


def around(a: Box, b: Box) -> Box:
    """The box around two boxes."""
    x, y = min(a.x, b.x), min(a.y, b.y)
    return Box(x, y, max(a.x + a.width, b.x + b.width) - x, max(a.y + a.height, b.y + b.height) - y)


def together(a: Candidate, b: Candidate) -> Pixels:
    """The ink of two candidates as they stand."""
    places = [inked(candidate) for candidate in (a, b)]
    whole = around(*places)
    ink = np.zeros((whole.height, whole.width), np.uint8)
    for candidate, (x, y, width, height) in zip((a, b), places, strict=True):
        window = ink[y - whole.y : y - whole.y + height, x - whole.x : x - whole.x + width]
        np.maximum(window, candidate.ink, out=window)
    return ink


def inked(candidate: Candidate) -> Box:
    """Where a candidate's ink lies, working pixels: around its box, as far on the left as on the right."""
    height, width = candidate.ink.shape
    box = candidate.box
    return Box(box.x + (box.width - width) // 2, box.y + (box.height - height) // 2, width, height)


def parted(clump: Candidate, judge: Judged) -> list[Candidate]:
    """The digits that touch in a clump, left to right, or the clump itself where its pieces are no digits either."""
    pieces = split(clump.ink)
    if not pieces:
        return [clump]
    x, y, _, _ = inked(clump)
    boxes = [Box(x + box.x, y + box.y, box.width, box.height) for box in (piece.box for piece in pieces)]
    judged = judge([piece.ink for piece in pieces], boxes, [clump.line] * len(pieces))
    ways = {
        (piece.start, piece.end): candidate
        for piece, candidate in zip(pieces, judged, strict=True)
        if candidate.digit is not None and candidate.confidence >= SURE
    }
    scores = {way: log(CUT * candidate.confidence) for way, candidate in ways.items()}
    path = [ways[way] for way in best_path(scores, max(piece.end for piece in pieces))]
    return path if any(candidate.digit != LEGS for candidate in path) else [clump]
