"""Split digits that touch: the likeliest ways to cut their ink into digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from math import inf, log

import cv2

from edge.reading.candidates import Candidate, Classify
from edge.reading.evidence import SEVERAL, VIEW, VIEWED, Look, Surroundings, seen, view_of
from edge.types import Box, Pixels
from edge.vision.normalise import FINEST, THINNEST, with_contrast
from edge.vision.touching import WIDEST, Cuts, Piece, best_paths, find_cuts

EACH = 0.3
"""Cost of each digit of a split, as a natural logarithm of probability: fewer digits are likelier. Chosen."""
ANY_DIGIT = 0.03
"""A piece may be a digit with at least this probability, 0 to 1, whatever the classifier says: it knows whole ones.

Chosen: zeros that are open were never among the ways without it.
"""
CUT = 0.5
"""Cost of a cut through ink as long as the ink is tall, as a natural logarithm of probability. Chosen."""
SHARED_INK = 2.0
"""Cost of sharing a whole digit's ink with the digit before, as a natural logarithm of probability. Chosen."""
WAYS = 3
"""At most this many splits of the same ink are tried."""
MOST_PATHS = 12
"""Most ways to cut that are looked through for splits that read differently."""
LEAST = -6.0
"""Lowest score of a split that is tried, as a natural logarithm of probability; wide ink has more: see DIGITS."""
DIGITS = 0.8
"""Pairs of digits in touching ink for each height that it is wide: LEAST counts once for each pair."""

Rate = Callable[[Piece], Sequence[float]]
"""A piece of reduced ink -> the share of each of VIEW_CLASSES, 0 to 1."""


def splits(
    whole: Candidate, classify: Classify, around: Surroundings, look: Look | None = None
) -> list[tuple[Candidate, ...]]:
    """The likeliest ways to take the ink of a candidate as two digits that touch or more, left to right, at most WAYS.

    The likeliest first; none where its pieces are no digits. ``look`` rates the pieces; without it ``classify`` does.
    """
    cuts = find_cuts(whole.ink)
    if not cuts:
        return []
    ways = likeliest_splits(cuts, rate_by_view(cuts, whole, around, look) if look else rate_by_classifier(classify))
    rated = {(piece.start, piece.end): (piece, shares) for way in ways for piece, shares in way}
    pieces = [cuts.full_size(piece) for piece, _ in rated.values()]
    x, y, _, _ = whole.ink_box
    boxes = [Box(x + left, y + top, width, height) for _, _, _, (left, top, width, height) in pieces]
    named = classify([piece.ink for piece in pieces], boxes, [whole.line] * len(pieces))
    if look:
        named = [seen(one, shares) for one, (_, shares) in zip(named, rated.values(), strict=True)]
    digits = dict(zip(rated, named, strict=True))
    return [
        tuple(digits[piece.start, piece.end]._replace(pieces=len(way), whole=whole) for piece, _ in way) for way in ways
    ]


def rate_by_view(cuts: Cuts, whole: Candidate, around: Surroundings, look: Look) -> Rate:
    """Rate pieces by their views, which are made of reduced ink: that is faster."""
    scale = cuts.small.shape[0] / cuts.ink.shape[0]
    x, y, width, height = whole.ink_box
    # No view of a piece reaches further.
    reach = round(VIEW / VIEWED * max(WIDEST * height, around.digit_side))
    x0, y0 = max(0, x - reach), max(0, y - reach)
    page: Pixels = around.ink[y0 : y + height + reach, x0 : x + width + reach]
    stroke = whole.shape.stroke * scale
    if scale < 1:
        page = cv2.resize(page, None, None, scale, scale, cv2.INTER_AREA)
        page, stroke = with_contrast(page, max(stroke, THINNEST)), max(stroke, FINEST)

    def rate(piece: Piece) -> Sequence[float]:
        left, top, width, height = piece.box
        box = Box(round((x - x0) * scale) + left, round((y - y0) * scale) + top, width, height)
        view = view_of(piece.ink, box, box, page, around.digit_side * scale, stroke)
        shares: list[float] = look(view[None])[0].tolist()
        return shares

    return rate


def rate_by_classifier(classify: Classify) -> Rate:
    """Rate pieces by themselves: for the samples that the network which looks at views learns from."""

    def rate(piece: Piece) -> Sequence[float]:
        (one,) = classify([piece.ink], [piece.box], [0])
        any_digit = max(ANY_DIGIT, 1 - sum(one.others))
        return *(share * any_digit for share in one.shares), 0.0, 1 - any_digit

    return rate


def likeliest_splits(cuts: Cuts, rate: Rate) -> list[list[tuple[Piece, Sequence[float]]]]:
    """The pieces of the likeliest splits that read differently, at most WAYS, and what each is: left to right."""
    found: dict[tuple[int, int], tuple[Piece, Sequence[float]]] = {}
    height, width = cuts.small.shape

    def bounds(start: int) -> dict[int, float]:
        # After any digit but the last there is a cut, and one more digit.
        return {end: -EACH - (CUT * cuts.costs[end] + EACH if end < cuts.last else 0) for end in cuts.ends_after(start)}

    def score(start: int, end: int) -> float:
        piece = cuts.piece(start, end)
        if piece is None:
            return -inf
        shares = rate(piece)
        found[start, end] = piece, shares
        return log(max(*shares[:SEVERAL], 1e-6)) - EACH - CUT * cuts.costs[end]

    def next_starts(end: int) -> dict[int, float]:
        return {start: -SHARED_INK * ink for start, ink in cuts.next_starts(end).items()}

    least = LEAST * max(1.0, DIGITS * width / height)
    ways: dict[tuple[int, ...], list[tuple[Piece, Sequence[float]]]] = {}
    for path in islice(best_paths(cuts.last, bounds, score, next_starts, least), MOST_PATHS):
        pieces = [found[step] for step in path]
        ways.setdefault(tuple(max(range(SEVERAL), key=shares.__getitem__) for _, shares in pieces), pieces)
        if len(ways) == WAYS:
            break
    return list(ways.values())
