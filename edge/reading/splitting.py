"""Split digits that touch: the likeliest ways to cut their ink into digits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import inf, log

from edge.reading.candidates import Candidate, Classify, measure
from edge.types import Box
from edge.vision.touching import Cuts, Piece, best_paths, find_cuts

EACH = 0.02
"""Cost of each digit of a split, as a natural logarithm of probability: fewer digits are likelier."""
ANY_DIGIT = 0.03
"""A piece may be a digit with at least this probability, 0 to 1, whatever the classifier says: it knows whole ones.

Chosen: zeros that are open were never among the ways without it.
"""
CUT = 0.02
"""Cost of a cut through ink as long as the ink is tall, as a natural logarithm of probability."""
SHARED_INK = 0.15
"""Cost of sharing a whole digit's ink with the digit before, as a natural logarithm of probability."""
WAYS = 3
"""At most this many splits of the same ink are tried."""
MOST_PATHS = 12
"""Most ways to cut that are looked through for splits that read differently."""
LEAST = -6.0
"""Lowest score of a split that is tried, as a natural logarithm of probability; wide ink has more: see DIGITS."""
DIGITS = 0.8
"""Pairs of digits in touching ink for each height that it is wide: LEAST counts once for each pair."""


def splits(candidate: Candidate, classify: Classify) -> Iterator[list[Candidate]]:
    """The likeliest ways to take the ink of a candidate as two digits that touch or more, left to right, at most WAYS.

    The likeliest first; none where its pieces are no digits.
    """
    cuts = find_cuts(candidate.ink)
    if not cuts:
        return
    x, y, _, _ = candidate.ink_box
    for digits in likeliest_splits(cuts, classify):
        found = []
        for small, digit in digits:
            piece = cuts.full_size(small)
            left, top, width, height = piece.box
            box = Box(x + left, y + top, width, height)
            # The small piece was classified; what is measured is in the pixels of the whole mark.
            found.append(digit._replace(ink=piece.ink, box=box, line=candidate.line, shape=measure(piece.ink)))
        yield found


def likeliest_splits(cuts: Cuts, classify: Classify) -> Iterator[list[tuple[Piece, Candidate]]]:
    """The pieces of the likeliest splits that read differently, at most WAYS: left to right in each."""
    found: dict[tuple[int, int], tuple[Piece, Candidate]] = {}
    height, width = cuts.small.shape

    def bounds(start: int) -> dict[int, float]:
        # After any digit but the last there is a cut, and one more digit.
        return {end: -EACH - (CUT * cuts.costs[end] + EACH if end < cuts.last else 0) for end in cuts.ends_after(start)}

    def score(start: int, end: int) -> float:
        piece = cuts.piece(start, end)
        candidate = classify([piece.ink], [piece.box], [0])[0] if piece else None
        if piece is None or candidate is None:
            return -inf
        found[start, end] = piece, candidate
        any_digit = max(ANY_DIGIT, 1 - sum(candidate.others))
        return log(max(candidate.share * any_digit, 1e-6)) - EACH - CUT * cuts.costs[end]

    def next_starts(end: int) -> dict[int, float]:
        return {start: -SHARED_INK * ink for start, ink in cuts.next_starts(end).items()}

    least = LEAST * max(1.0, DIGITS * width / height)
    seen: set[tuple[int, ...]] = set()
    for path in islice(best_paths(cuts.last, bounds, score, next_starts, least), MOST_PATHS):
        pieces = [found[step] for step in path]
        text = tuple(one.digit for _, one in pieces)
        if text not in seen:
            seen.add(text)
            yield pieces
        if len(seen) == WAYS:
            return
