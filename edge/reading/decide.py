"""Decide what each candidate is: a digit that is believed enough, or unread for a reason."""

from __future__ import annotations

from collections.abc import Sequence

from edge.reading.candidates import LETTER, Candidate
from edge.reading.evidence import Surroundings
from edge.types import Reason, UnreadReason, unsure_between
from edge.vision.border import touches_border
from edge.vision.clean import Cleaned
from edge.vision.segment import Segments
from edge.vision.sharpness import edge_width

CLUTTER = 8
"""From this many marks on of which none is read, the reason is clutter."""
UNSURE = 0.85
"""Where the likeliest digit has less than this share of all digits' probability, the model is unsure which it is."""
SMALL = 0.45
"""A mark smaller than this share of a typical digit is too small."""
FAINT = 0.45
"""Ink with less than this share of the strength of the others is too faint."""
LIKE_A_LETTER = 0.5
"""A neighbour is a letter from this probability on."""
STRUCK = 0.7
"""A line strikes a mark out if it runs through at least this share of its width."""
BLURRED = 0.04
"""A picture is out of focus if its edges are wider than this share of its longer side; photographs have up to 0.01."""
SOFT = 8.0
"""And wider than this, pixels of the frame: small pictures have soft edges."""
LIKELY = 0.05
"""Below this belief no digit is likely."""


def is_likely(one: Candidate) -> bool:
    """Whether a digit is likely enough for it to be named, though it is not read."""
    return one.belief >= LIKELY


def reason_for_unread(
    one: Candidate, candidates: Sequence[Candidate], around: Surroundings, usual_level: float
) -> UnreadReason:
    """Why a candidate is not read. ``usual_level``: the usual level of ink, 0 to 255."""
    likely = 1 - sum(one.others) >= 0.5
    if touches_border(one.box, (around.height, around.width)):
        return "cut off by the border"
    if around.struck(one.box) >= STRUCK:
        return "struck out"
    if likely and one.share < UNSURE:
        return unsure_between(one.digit, one.second)
    if max(one.box.width, one.box.height) < SMALL * around.digit_side:
        return "too small"
    if one.shape.level < FAINT * usual_level:
        return "too faint"
    if likely and any(
        abs(other.box.x + other.box.width / 2 - one.box.x - one.box.width / 2) < 1.5 * around.digit_side
        and other.line == one.line
        and other.others[LETTER] >= LIKE_A_LETTER
        for other in candidates
    ):
        return "part of a word"
    return "no digit"


def is_blurred(cleaned: Cleaned) -> bool:
    """Whether the sharpest edges are so wide that the picture is out of focus."""
    side = max(cleaned.mask.shape) / cleaned.scale
    return edge_width(cleaned.ink, cleaned.mask) / cleaned.scale > max(SOFT, BLURRED * side)


def reason_for_nothing(cleaned: Cleaned, segments: Segments) -> Reason:
    """Why no digit was read in a picture."""
    if reason := cleaned.reason or segments.reason:
        return reason
    if is_blurred(cleaned):
        return "blurred"
    return "clutter" if len(segments.marks) >= CLUTTER else "uncertain"
