"""Find candidates in cleaned ink: parts, grouped to marks in reading order, and what the classifier says of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge.reading.candidates import Candidate, Classifier
from edge.types import Reason
from edge.vision.clean import Cleaned
from edge.vision.components import MIN_SIDE, Rect
from edge.vision.crop import crop_mark, with_soft_edges
from edge.vision.rules import PROBE
from edge.vision.segment import Mark, Parts, Segments, find_parts, mark_of, remove_frames, remove_rules
from edge.vision.stroke_grouping import group_strokes
from edge.vision.text_lines import line_numbers, line_tilt

MOST_PARTS = 60
"""At most this many parts of ink are classified alone, the largest first, to know how large digits are."""
MOST_PIECES = 1500
"""At most this many parts of ink are grouped to marks, the largest first: an A4 page full of digits 4.5 mm tall has
1,400. What lies beyond would be lost, so it is more than the largest page and not the least that is enough."""
PIECE = 0.1
"""A part smaller than this share of a typical digit is a speck."""
SMALLEST = 0.2
"""A mark smaller than this share of a typical digit is a speck or a dot."""
CLEAR = 0.9
"""A part that looks like a digit, with at least this likeness, holds no rule."""
RULE = 1.6
"""A rule is at least this many typical digits long: longer than any stroke of one."""
SURE = 0.3
"""A part has at least this much strong ink, in squares of a stroke's width: less is noise."""
NOISE = 12.0
"""Ink that is less than this many standard deviations of the noise above the paper is noise: its peaks are 10."""
NOISY = 0.1
"""Where at most this share of the parts has enough strong ink, they are noise."""
SEEN = 0.5
"""Least likeness of a part that says how large digits are, where rules are looked for."""
HIDDEN = 0.33
"""Where no part says it, a rule is at least this share of the largest part. Chosen: a grid has three rows or more."""


class Found(NamedTuple):
    """The candidates in cleaned ink, in reading order."""

    segments: Segments
    candidates: tuple[Candidate, ...]


class Sorter:
    """Classifies marks of one picture's ink, each only once."""

    def __init__(self, cleaned: Cleaned, classify: Classifier) -> None:
        self._ink, self._classify = cleaned.ink, classify
        self.parts = find_parts(cleaned.mask, cleaned.sure, SURE * cleaned.stroke**2)
        """All parts of the ink, rules included."""
        self._known: dict[tuple[object, int], Candidate] = {}

    def __call__(self, parts: Parts, marks: Sequence[Mark]) -> list[Candidate]:
        """A candidate of each mark, with its line."""
        new = [mark for mark in marks if (mark.box, mark.area) not in self._known]
        if new:
            ink = with_soft_edges(self._ink, parts.mask)
            inks = [crop_mark(ink, parts, mark) for mark in new]
            for mark, one in zip(new, self._classify(inks, [mark.box for mark in new], [0] * len(new)), strict=True):
                self._known[mark.box, mark.area] = one
        return [self._known[mark.box, mark.area]._replace(line=mark.line) for mark in marks]

    def largest(self, parts: Parts) -> tuple[list[int], list[Candidate]]:
        """The largest parts, as places in ``every``, and a candidate of each alone."""
        large = [i for i in parts.usable if max(parts.every[i][2:4]) >= MIN_SIDE]
        large = sorted(large, key=lambda i: -max(parts.every[i][2:4]))[:MOST_PARTS]
        return large, self(parts, [mark_of(parts, [i]) for i in large])


def find_candidates(cleaned: Cleaned, classified: Sorter, *, ruled_lines: bool = True) -> Found:
    """All marks of cleaned ink that may be digits; ``ruled_lines``: whether there may be rules to remove.

    ``classified``: the sorter of this ink.
    """
    parts = classified.parts
    large, alone = classified.largest(parts)
    unsure = False
    if ruled_lines and alone:
        mask = remove_frames(parts, clear_ones(large, alone), cleaned.stroke)
        if mask is not parts.mask:
            parts = find_parts(mask, cleaned.sure, SURE * cleaned.stroke**2)
            large, alone = classified.largest(parts)
    side = digit_side(alone)
    if ruled_lines and alone:
        shortest = RULE * side
        unsure = all(one.likeness < SEEN for one in alone)
        if unsure:
            # Where no digit stands alone, all are joined by rules that are longer than any of them, or they are dotted.
            shortest = max(PROBE * cleaned.stroke, HIDDEN * max(max(one.box[2:]) for one in alone))
        mask = remove_rules(parts, cleaned.ink, clear_ones(large, alone), shortest, cleaned.stroke)
        if mask is not parts.mask:
            parts = find_parts(mask, cleaned.sure, SURE * cleaned.stroke**2)
            side = digit_side(classified.largest(parts)[1])
    usable = tuple(parts.every[i] for i in parts.usable)
    segments = Segments(parts.mask, (), side, usable, None, unsure and parts.mask is not cleaned.mask)
    marks = group_parts(parts, side) if side else []
    if not marks:
        return Found(segments._replace(reason=reason_for_no_mark(len(usable), len(parts.every), cleaned.signal)), ())
    boxes: list[Rect] = [mark.box for mark in marks]
    tilt = line_tilt(boxes, side)
    marks = [mark._replace(line=line) for mark, line in zip(marks, line_numbers(boxes, tilt, side), strict=True)]
    marks.sort(key=lambda mark: (mark.line, mark.box.x + mark.box.width / 2))
    return Found(segments._replace(marks=tuple(marks)), tuple(classified(parts, marks)))


def reason_for_no_mark(usable: int, parts: int, signal: float) -> Reason:
    """Why there is no mark on a page with so many ``parts`` of ink, of which so many are ``usable``.

    ``signal`` as in ``Cleaned``.
    """
    if usable <= NOISY * parts or signal < NOISE:
        return "blank"
    return "clutter" if usable > MOST_PARTS else "too_small"


def clear_ones(large: list[int], alone: list[Candidate]) -> list[int]:
    """Those of the ``large`` parts that are digits for certain; ``alone``: a candidate of each."""
    return [i for i, one in zip(large, alone, strict=True) if one.likeness >= CLEAR]


def digit_side(alone: list[Candidate]) -> float:
    """A typical digit's longer side, pixels: what reads as a digit says how large digits are, whatever else is there.

    The median of the sides, each weighted by the fourth root of its box (a slim line says little) and by how much it
    looks like a digit. 0 for none.
    """
    sides = sorted(
        (float(max(one.box[2:])), (one.box.width * one.box.height) ** 0.25 * one.likeness**4) for one in alone
    )
    half = sum(weight for _, weight in sides) / 2
    for side, weight in sides:
        half -= weight
        if half <= 0:
            return side
    return 0.0


def group_parts(parts: Parts, side: float) -> list[Mark]:
    """The marks that parts of ink make, without specks. ``side``: a typical digit's longer side, pixels."""
    pieces = [i for i in parts.usable if max(3, PIECE * side) <= max(parts.every[i][2:4])]
    pieces = sorted(sorted(pieces, key=lambda i: -max(parts.every[i][2:4]))[:MOST_PIECES])
    groups = group_strokes([parts.every[i][:4] for i in pieces], side)
    marks = [mark_of(parts, [pieces[k] for k in group]) for group in groups]
    return [mark for mark in marks if max(mark.box[2:]) >= max(MIN_SIDE, SMALLEST * side)]
