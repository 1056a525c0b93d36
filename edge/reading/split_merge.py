"""A second look at marks that read as no digit: cut apart what touches, put together what fell apart, turn upright."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import atan2, degrees, inf, log

import numpy as np

from edge.reading.candidates import STROKE, Candidate
from edge.types import Box, Pixels
from edge.vision.crop import turn
from edge.vision.symmetry import mirrored
from edge.vision.touching import Piece, Ways, best_path, split

SURE = 0.8
"""What was put together reads as a digit with at least this probability."""
LEVEL = 6.0
"""A line that falls or rises by no more degrees is level."""
TALL = 0.8
"""A mark that is not as tall as this share of the usual digit may be a piece of one."""
EACH = 0.02
"""What each digit of a clump costs, as all that follows a natural logarithm of probability: fewer are likelier;"""
ONE = 0.042
"""what it costs besides to be a 1, as any stroke may be one;"""
SHORT = 0.07
"""to be shorter than the clump, for a whole height of it;"""
SHORT_ONE = 0.4
"""the same for a 1, which otherwise is the end of a stroke;"""
WIDE = 0.05
"""to be wider than tall, for each of its own heights;"""
CUT = 0.02
"""to be cut off through ink as long as the clump is tall;"""
SHARED_INK = 0.15
"""to share a whole digit's ink with the one before."""
LEAST = -0.14
"""A way to cut a clump is believed where its digits together are at least so likely, and where it is wide"""
DIGITS = 0.8
"""so often that, as it probably has this many pairs of digits for each height that it is wide."""
MOST = 60
"""More candidates than this get no second look, nor more than"""
MOST_DOUBTS = 16
"""so many in doubt: it is text or texture."""
NARROW = 0.4
"""A mark narrower than this share of the usual digit is not two digits."""
MIRRORED = 0.91
"""What is its own mirror image this far, and stands on a line without digits, is a thing or a letter, not several
digits. Of 268 synthetic clumps that were read rightly none is, but of 17s that touch 1 in 14."""
NEAR = 0.3
"""Marks further apart than this share of the usual digit are not one digit;"""
TALLEST = 1.4
"""nor are two that are together larger than so many usual digits."""


Judged = Callable[[Sequence[Pixels], Sequence[Box], Sequence[int]], list[Candidate]]
"""Inks, their boxes and lines -> candidates: ``edge.reading.candidates.Classifier``."""


def second_look(candidates: Sequence[Candidate], judge: Judged, least: float, usual: float) -> list[Candidate]:
    """The candidates with those in doubt (no digit, or less probable than ``least``) mended where that reads better.

    ``usual`` is the usual digit's longer side, working pixels. Order is kept.
    """

    def in_doubt(candidate: Candidate) -> bool:
        return candidate.digit is None or candidate.confidence < least

    if len(candidates) > MOST or not 0 < sum(map(in_doubt, candidates)) <= MOST_DOUBTS:
        return list(candidates)
    whole = mended(righted(candidates, in_doubt, judge, usual), in_doubt, judge, usual)
    lines = {candidate.line for candidate in whole if not in_doubt(candidate)}

    def apart(candidate: Candidate) -> list[Candidate]:
        if not in_doubt(candidate) or candidate.box.width < NARROW * usual:
            return [candidate]
        some = parted(candidate, judge)
        thing = len(some) > 1 and candidate.line not in lines and mirrored(candidate.ink) >= MIRRORED
        return [candidate] if thing else some

    parts = [apart(candidate) for candidate in whole]
    # Among marks that are no digits, what can be cut into some is a letter like the others.
    unread = sum(len(some) == 1 and in_doubt(some[0]) for some in parts)
    return [part for some in parts for part in some] if unread < len(parts) / 2 or len(parts) == 1 else whole


def righted(
    candidates: Sequence[Candidate], in_doubt: Callable[[Candidate], bool], judge: Judged, usual: float
) -> list[Candidate]:
    """Where one in doubt, and no mere piece, is a digit once turned as its line runs there, that takes its place."""
    found = list(candidates)
    for i, candidate in enumerate(candidates):
        tall = candidate.box.height >= TALL * usual
        if tall and in_doubt(candidate) and abs(fall := falling(candidates, i)) > LEVEL:
            (upright,) = judge([turn(candidate.ink, fall)], [candidate.box], [candidate.line])
            found[i] = upright if upright.surety >= SURE else candidate
    return found


def falling(candidates: Sequence[Candidate], i: int) -> float:
    """By how many degrees the line falls where mark ``i`` stands: from the one before it to the one after it.

    Candidates are in reading order. 0 where there are no two others on its line.
    """
    line = [other for other in candidates if other.line == candidates[i].line]
    if len(line) < 3:
        return 0.0
    at = line.index(candidates[i])
    a, b = line[max(0, at - 1)].box, line[min(len(line) - 1, at + 1)].box
    # Both stand on the line, however tall they are.
    return degrees(atan2(b.y + b.height - a.y - a.height, max(1, b.x + b.width / 2 - a.x - a.width / 2)))


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
    ways = split(clump.ink)
    digits = likeliest(ways, judge) if ways else []
    # More ones than other digits are a letter's legs (M, H, N, U), or a zigzag.
    legs = sum(candidate.digit == STROKE for _, candidate in digits)
    if not ways or legs > len(digits) / 2 or not digits:
        return [clump]
    x, y, _, _ = inked(clump)
    found = []
    for small, candidate in digits:
        piece = ways.whole(small)
        left, top, width, height = piece.box
        found.append(candidate._replace(ink=piece.ink, box=Box(x + left, y + top, width, height), line=clump.line))
    return found


def likeliest(ways: Ways, judge: Judged) -> list[tuple[Piece, Candidate]]:
    """The pieces, left to right, of the way to cut a clump that is most likely what someone wrote; none if none is."""
    found: dict[tuple[int, int], tuple[Piece, Candidate]] = {}
    height, width = ways.small.shape

    def most(start: int) -> dict[int, float]:
        # The last digit is cut off by nothing, and any other has one after it.
        return {end: -EACH - (CUT * ways.costs[end] + EACH if end < ways.last else 0) for end in ways.ends(start)}

    def score(start: int, end: int) -> float:
        piece = ways.piece(start, end)
        candidate = judge([piece.ink], [piece.box], [0])[0] if piece else None
        if piece is None or candidate is None or candidate.digit is None:
            return -inf
        found[start, end] = piece, candidate
        return likely(candidate, height) - CUT * ways.costs[end]

    def onwards(end: int) -> dict[int, float]:
        return {start: -SHARED_INK * ink for start, ink in ways.onwards(end).items()}

    least = LEAST * max(1.0, DIGITS * width / height)
    return [found[step] for step in best_path(ways.last, most, score, onwards, least)]


def likely(piece: Candidate, height: int) -> float:
    """How likely a piece of a clump this tall is a digit that someone wrote there: a log probability."""
    _, _, w, h = piece.box
    return (
        log(piece.confidence)
        - EACH
        - ONE * (piece.digit == STROKE)
        - (SHORT_ONE if piece.digit == STROKE else SHORT) * (1 - min(1.0, h / height))
        - WIDE * max(0.0, w / h - 1)
    )
