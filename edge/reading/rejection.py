"""Which marks are read as digits, and which are rejected: letters, texture, stripes, faint strokes; and the reason."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from edge.reading.candidates import STROKE, Candidate
from edge.types import Pixels, Reason, UnreadReason, unsure_between
from edge.vision.border import crosses_one_side, touches_border
from edge.vision.clean import Cleaned
from edge.vision.segment import Segments
from edge.vision.statistics import median

CLUTTER = 8
"""From this many marks on, READABLE_SHARE of them have to read as digits: else it is text, texture or noise."""
READABLE_SHARE = 0.6
"""Where a smaller share of the marks reads as digits, they may be text."""
ROUND = (0, 1, 8)
"""Digits that lines, rings and chains read as, however the page is turned."""
TEXT = 3
"""From this many marks on, with less than READABLE_SHARE that read as digits, the marks may be words.

Then a digit needs TEXT_CONFIDENCE and must not be a 1, and at least one digit must not be ROUND, as letters are.
"""
TEXT_CONFIDENCE = 0.95
"""Smallest probability of a digit among marks that may be words, 0 to 1."""
FAINT = 0.6
"""What reads as a 1 has at least this share of the strength of the other digits' ink."""
EDGES = 64
"""Ink up to this level, 0 to 255, is a soft edge, and does not count for the strength of the ink."""
STRIPES = 6
"""From this many ones on, and nothing else, they are a fence, a brick wall or the like."""
SOLID = 0.22
"""Where a smaller share of the ink is solid, the picture may be noise, and more is required of it."""
DOUBTFUL_CONFIDENCE = 0.85
"""Smallest probability of a digit where the picture may be noise, 0 to 1."""
UNSURE = 4.0
"""A mark may be either of two digits where one is at most this many times as probable as the other. Chosen."""
DOUBTFUL_SHARE = 0.85
"""Smallest share of CLUTTER or more marks that has to read as digits where the picture may be noise."""


def may_be_noise(cleaned: Cleaned) -> bool:
    """Whether so little of the ink is solid that the picture may be noise."""
    return cleaned.solid_share < SOLID


def required_confidence(cleaned: Cleaned, min_confidence: float) -> float:
    """The probability, 0 to 1, that a digit needs: ``min_confidence``, or more where the picture may be noise."""
    return max(min_confidence, DOUBTFUL_CONFIDENCE) if may_be_noise(cleaned) else min_confidence


def accept(candidates: Sequence[Candidate], cleaned: Cleaned, min_confidence: float) -> tuple[bool, ...]:
    """For each candidate of a picture, whether it is read as a digit."""
    accepted = accept_confident(candidates, required_confidence(cleaned, min_confidence), may_be_noise(cleaned))
    width = cleaned.mask.shape[1]
    accepted = tuple(
        is_read and not is_stroke_at_border(one, width) for one, is_read in zip(candidates, accepted, strict=True)
    )
    return reject_faint_strokes(candidates, accepted)


def accept_confident(candidates: Sequence[Candidate], least: float, doubtful: bool) -> tuple[bool, ...]:
    """Which candidates have at least the probability ``least``, unless the marks look like text, texture or stripes.

    ``doubtful``: whether the picture may be noise.
    """
    none = (False,) * len(candidates)
    accepted = tuple(candidate.digit_confidence >= least for candidate in candidates)
    share = sum(accepted) / len(accepted) if accepted else 1.0
    if len(accepted) >= CLUTTER and share < (DOUBTFUL_SHARE if doubtful else READABLE_SHARE):
        return none
    words = len(accepted) >= TEXT and share < READABLE_SHARE
    if words:
        required = max(least, TEXT_CONFIDENCE)
        accepted = tuple(one.digit_confidence >= required and one.digit != STROKE for one in candidates)
    read = [candidate.digit for candidate, is_read in zip(candidates, accepted, strict=True) if is_read]
    letters = words and all(digit in ROUND for digit in read)
    stripes = len(read) >= STRIPES and all(digit == STROKE for digit in read)
    return none if letters or stripes else accepted


def is_stroke_at_border(candidate: Candidate, width: int) -> bool:
    """Whether a 1 goes out of a picture of this width at one of its sides: any stroke that is cut off reads as a 1."""
    return candidate.digit == STROKE and crosses_one_side(candidate.box, width)


def reject_faint_strokes(candidates: Sequence[Candidate], accepted: tuple[bool, ...]) -> tuple[bool, ...]:
    """``accepted`` without ones that are much fainter than at least two other digits: a line, an edge, a fold."""
    read = [candidate for candidate, is_read in zip(candidates, accepted, strict=True) if is_read]
    others = [candidate for candidate in read if candidate.digit != STROKE]
    if len(others) < 2 or len(others) == len(read):
        return accepted
    typical = median([ink_strength(candidate.ink) for candidate in others])
    return tuple(
        is_read and (one.digit != STROKE or ink_strength(one.ink) >= FAINT * typical)
        for one, is_read in zip(candidates, accepted, strict=True)
    )


def ink_strength(ink: Pixels) -> float:
    """The mean level of ink, (height, width) uint8, without its soft edges."""
    return cv2.mean(ink, cv2.threshold(ink, EDGES, 255, cv2.THRESH_BINARY)[1])[0]


def unread_reason(candidate: Candidate, digit_probabilities: Sequence[float], shape: tuple[int, ...]) -> UnreadReason:
    """Why a candidate of a working picture of this ``shape`` (height, width) is not read.

    ``digit_probabilities``: the probability of each digit, 0 to 9.
    """
    second, first = sorted(range(10), key=digit_probabilities.__getitem__)[-2:]
    if candidate.digit is not None and digit_probabilities[first] <= UNSURE * digit_probabilities[second]:
        return unsure_between(first, second)
    return "cut off by the border" if touches_border(candidate.box, shape) else "no digit"


def reason_for_nothing(cleaned: Cleaned, segments: Segments) -> Reason:
    """Why no digit was read in a picture."""
    if reason := cleaned.reason or segments.reason:
        return reason
    return "clutter" if len(segments.marks) >= CLUTTER else "uncertain"
