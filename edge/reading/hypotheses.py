"""Hypotheses: other ways to take doubtful ink as digits: cut where digits touch, joined, or turned upright."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import atan2, degrees
from typing import NamedTuple

import numpy as np

from edge.reading.candidates import Candidate, Classify
from edge.reading.evidence import Look, Surroundings
from edge.reading.splitting import splits
from edge.types import Box, Pixels
from edge.vision.components import bounding_box
from edge.vision.crop import rotate

LEVEL = 6.0
"""A line that falls or rises by at most this many degrees is level: its marks are not rotated."""
TALL = 0.8
"""A mark less tall than this share of a typical digit may be a piece of one, and is not rotated."""
NARROW = 0.4
"""A mark narrower than this share of a typical digit is not two digits."""
SEVERAL = 0.1
"""A mark is cut if its view says that it may be several digits with at least this probability."""
NEAR = 0.3
"""Marks further apart than this share of a typical digit are not one digit."""
TALLEST = 1.4
"""Two marks that are together larger than this many typical digits are not one digit."""


class Hypothesis(NamedTuple):
    """Another way to take some candidates."""

    instead_of: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    """Left to right."""


def hypotheses(
    candidates: Sequence[Candidate],
    doubtful: Candidate,
    classify: Classify,
    around: Surroundings,
    look: Look | None = None,
    several: float = SEVERAL,
) -> Iterator[Hypothesis]:
    """Other ways to take one of the candidates. Pieces of cut ink are looked at if there is ``look``, others are not.

    It is cut only if its view says that it may be several digits with at least the probability ``several``.
    """
    i, digit_side = candidates.index(doubtful), around.digit_side
    if doubtful.box.height >= TALL * digit_side and abs(tilt := local_tilt(candidates, i)) > LEVEL:
        (upright,) = classify([rotate(doubtful.ink, tilt)], [doubtful.box], [doubtful.line])
        yield Hypothesis((doubtful,), (upright,))
    near = [
        other for other in candidates if other is not doubtful and may_be_one_digit(doubtful.box, other.box, digit_side)
    ]
    merged = classify(
        [merged_ink(doubtful, other) for other in near],
        [box_around(doubtful.box, other.box) for other in near],
        [other.line for other in near],
    )
    for other, one in zip(near, merged, strict=True):
        yield Hypothesis((doubtful, other), (one,))
    may_be_several = doubtful.context is None or doubtful.context[2] >= several
    if may_be_several and doubtful.box.width >= NARROW * digit_side:
        for pieces in splits(doubtful, classify, around, look):
            yield Hypothesis((doubtful,), pieces)


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
    places = [a.ink_box, b.ink_box]
    whole = box_around(*places)
    ink = np.zeros((whole.height, whole.width), np.uint8)
    for candidate, (x, y, width, height) in zip((a, b), places, strict=True):
        window = ink[y - whole.y : y - whole.y + height, x - whole.x : x - whole.x + width]
        np.maximum(window, candidate.ink, out=window)
    return ink
