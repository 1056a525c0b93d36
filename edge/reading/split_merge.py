"""Doubtful marks: split digits that touch, merge a digit that fell apart, rotate upright, if that reads better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import atan2, degrees, inf, log

import numpy as np

from edge.reading.candidates import STROKE, Candidate
from edge.types import Box, Pixels
from edge.vision.components import bounding_box
from edge.vision.crop import rotate
from edge.vision.symmetry import mirror_symmetry
from edge.vision.touching import Cuts, Piece, best_path, find_cuts

SURE = 0.8
"""Smallest probability of a digit that was merged or rotated upright, 0 to 1."""
LEVEL = 6.0
"""A line that falls or rises by at most this many degrees is level: its marks are not rotated."""
TALL = 0.8
"""A mark less tall than this share of a typical digit may be a piece of one, and is not rotated."""
EACH = 0.02
"""Cost of each digit of a split, as a natural logarithm of probability: fewer digits are likelier."""
ONE = 0.042
"""Additional cost of a 1, as a natural logarithm of probability: any stroke may be one."""
SHORT = 0.07
"""Cost of a digit that is shorter than the ink, for a whole height of it, as a natural logarithm of probability."""
SHORT_ONE = 0.4
"""The same as SHORT for a 1: a short one is rather the end of a stroke."""
WIDE = 0.05
"""Cost of a digit that is wider than tall, for each of its own heights, as a natural logarithm of probability."""
CUT = 0.02
"""Cost of a cut through ink as long as the ink is tall, as a natural logarithm of probability."""
SHARED_INK = 0.15
"""Cost of sharing a whole digit's ink with the digit before, as a natural logarithm of probability."""
LEAST = -0.14
"""Lowest score of a split that is accepted, as a natural logarithm of probability; wide ink has more: see DIGITS."""
DIGITS = 0.8
"""Pairs of digits in touching ink for each height that it is wide: LEAST counts once for each pair."""
MOST = 60
"""With more candidates than this no doubtful mark is tried again: it is text or texture."""
MOST_DOUBTS = 16
"""With more doubtful candidates than this none is tried again: it is text or texture."""
NARROW = 0.4
"""A mark narrower than this share of a typical digit is not two digits."""
MIRRORED = 0.91
"""A mark with at least this mirror symmetry, on a line without digits, is a thing or a letter, not several digits.

Of 268 synthetic marks of touching digits that were read rightly none is so symmetric, but of 17s that touch 1 in 14.
"""
NEAR = 0.3
"""Marks further apart than this share of a typical digit are not one digit."""
TALLEST = 1.4
"""Two marks that are together larger than this many typical digits are not one digit."""


Classify = Callable[[Sequence[Pixels], Sequence[Box], Sequence[int]], list[Candidate]]
"""Inks, their boxes and lines -> candidates: ``edge.reading.candidates.Classifier``."""


def resolve_doubtful(
    candidates: Sequence[Candidate], classify: Classify, least: float, digit_side: float
) -> list[Candidate]:
    """The candidates, with doubtful ones (no digit, or less probable than ``least``) rotated, merged or split.

    Only where that reads better. ``digit_side`` is a typical digit's longer side, working pixels. Reading order stays.
    """

    def is_doubtful(candidate: Candidate) -> bool:
        return candidate.digit is None or candidate.confidence < least

    if len(candidates) > MOST or not 0 < sum(map(is_doubtful, candidates)) <= MOST_DOUBTS:
        return list(candidates)
    upright = rotate_upright(candidates, is_doubtful, classify, digit_side)
    whole = merge_fragments(upright, is_doubtful, classify, digit_side)
    lines = {candidate.line for candidate in whole if not is_doubtful(candidate)}

    def split_if_doubtful(candidate: Candidate) -> list[Candidate]:
        if not is_doubtful(candidate) or candidate.box.width < NARROW * digit_side:
            return [candidate]
        digits = split_touching(candidate, classify)
        symmetric = len(digits) > 1 and candidate.line not in lines and mirror_symmetry(candidate.ink) >= MIRRORED
        return [candidate] if symmetric else digits

    parts = [split_if_doubtful(candidate) for candidate in whole]
    # Where most marks are not digits, a mark that can be split into digits is a letter like the others.
    unread = sum(len(some) == 1 and is_doubtful(some[0]) for some in parts)
    return [part for some in parts for part in some] if unread < len(parts) / 2 or len(parts) == 1 else whole


def rotate_upright(
    candidates: Sequence[Candidate],
    is_doubtful: Callable[[Candidate], bool],
    classify: Classify,
    digit_side: float,
) -> list[Candidate]:
    """The candidates, with doubtful ones rotated by the tilt of their line where they then read as digits."""
    found = list(candidates)
    for i, candidate in enumerate(candidates):
        tall = candidate.box.height >= TALL * digit_side
        if tall and is_doubtful(candidate) and abs(tilt := local_tilt(candidates, i)) > LEVEL:
            (upright,) = classify([rotate(candidate.ink, tilt)], [candidate.box], [candidate.line])
            found[i] = upright if upright.digit_confidence >= SURE else candidate
    return found


def local_tilt(candidates: Sequence[Candidate], i: int) -> float:
    """By how many degrees the line falls at candidate ``i``: from the one before it to the one after it.

    Candidates are in reading order. 0 where there are no two others on its line.
    """
    line = [other for other in candidates if other.line == candidates[i].line]
    if len(line) < 3:
        return 0.0
    at = line.index(candidates[i])
    a, b = line[max(0, at - 1)].box, line[min(len(line) - 1, at + 1)].box
    # From bottom to bottom: both stand on the line, however tall they are.
    return degrees(atan2(b.y + b.height - a.y - a.height, max(1, b.x + b.width / 2 - a.x - a.width / 2)))


def merge_fragments(
    candidates: Sequence[Candidate],
    is_doubtful: Callable[[Candidate], bool],
    classify: Classify,
    digit_side: float,
) -> list[Candidate]:
    """The candidates, with a doubtful one and a near one merged where both together read as a digit."""
    found = list(candidates)
    for candidate in candidates:
        if candidate not in found or not is_doubtful(candidate):
            continue
        near = [
            other
            for other in found
            if other is not candidate and may_be_one_digit(candidate.box, other.box, digit_side)
        ]
        merged = classify(
            [merged_ink(candidate, other) for other in near],
            [box_around(candidate.box, other.box) for other in near],
            [other.line for other in near],
        )
        surest = max(zip(merged, near, strict=True), key=lambda pair: pair[0].digit_confidence, default=None)
        if surest and surest[0].digit_confidence >= max(SURE, surest[1].digit_confidence):
            found[found.index(surest[1])] = surest[0]
            found.remove(candidate)
    return found


def may_be_one_digit(a: Box, b: Box, digit_side: float) -> bool:
    """Whether two marks may be one digit: close to each other, and together no larger than a digit."""
    gap = max(max(a.x, b.x) - min(a.x + a.width, b.x + b.width), max(a.y, b.y) - min(a.y + a.height, b.y + b.height))
    both = box_around(a, b)
    return gap <= NEAR * digit_side and max(both.width, both.height) <= TALLEST * digit_side


def box_around(a: Box, b: Box) -> Box:
    """The box around two boxes."""
    return Box(*bounding_box((a, b)))


def merged_ink(a: Candidate, b: Candidate) -> Pixels:
    """The ink of two candidates, as they stand beside each other."""
    places = [ink_box(candidate) for candidate in (a, b)]
    whole = box_around(*places)
    ink = np.zeros((whole.height, whole.width), np.uint8)
    for candidate, (x, y, width, height) in zip((a, b), places, strict=True):
        window = ink[y - whole.y : y - whole.y + height, x - whole.x : x - whole.x + width]
        np.maximum(window, candidate.ink, out=window)
    return ink


def ink_box(candidate: Candidate) -> Box:
    """Where a candidate's ink lies, working pixels: centred on its box, and perhaps larger."""
    height, width = candidate.ink.shape
    box = candidate.box
    return Box(box.x + (box.width - width) // 2, box.y + (box.height - height) // 2, width, height)


def split_touching(candidate: Candidate, classify: Classify) -> list[Candidate]:
    """The digits that touch in a candidate, left to right, or the candidate itself where its pieces are no digits."""
    cuts = find_cuts(candidate.ink)
    digits = likeliest_split(cuts, classify) if cuts else []
    # More ones than other digits are the legs of a letter (M, H, N, U), or a zigzag.
    legs = sum(digit.digit == STROKE for _, digit in digits)
    if not cuts or legs > len(digits) / 2 or not digits:
        return [candidate]
    x, y, _, _ = ink_box(candidate)
    found = []
    for small, digit in digits:
        piece = cuts.full_size(small)
        left, top, width, height = piece.box
        found.append(digit._replace(ink=piece.ink, box=Box(x + left, y + top, width, height), line=candidate.line))
    return found


def likeliest_split(cuts: Cuts, classify: Classify) -> list[tuple[Piece, Candidate]]:
    """The pieces, left to right, of the most likely split; empty if none is likely enough."""
    found: dict[tuple[int, int], tuple[Piece, Candidate]] = {}
    height, width = cuts.small.shape

    def bounds(start: int) -> dict[int, float]:
        # After any digit but the last there is a cut, and one more digit.
        return {end: -EACH - (CUT * cuts.costs[end] + EACH if end < cuts.last else 0) for end in cuts.ends_after(start)}

    def score(start: int, end: int) -> float:
        piece = cuts.piece(start, end)
        candidate = classify([piece.ink], [piece.box], [0])[0] if piece else None
        if piece is None or candidate is None or candidate.digit is None:
            return -inf
        found[start, end] = piece, candidate
        return log_likelihood(candidate, height) - CUT * cuts.costs[end]

    def next_starts(end: int) -> dict[int, float]:
        return {start: -SHARED_INK * ink for start, ink in cuts.next_starts(end).items()}

    least = LEAST * max(1.0, DIGITS * width / height)
    return [found[step] for step in best_path(cuts.last, bounds, score, next_starts, least)]


def log_likelihood(piece: Candidate, height: int) -> float:
    """How likely a piece of ink of this height, pixels, is a digit: a natural logarithm of probability."""
    _, _, w, h = piece.box
    return (
        log(piece.confidence)
        - EACH
        - ONE * (piece.digit == STROKE)
        - (SHORT_ONE if piece.digit == STROKE else SHORT) * (1 - min(1.0, h / height))
        - WIDE * max(0.0, w / h - 1)
    )
