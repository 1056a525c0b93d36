"""Cleaned ink -> candidates and which of them are read; and other ways to look where the first one reads badly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2

from edge.reading.candidates import STROKE, Candidate, Classifier, likeness
from edge.reading.split_merge import MOST, second_look
from edge.system.stopwatch import Stopwatch
from edge.types import Box, Frame, Pixels
from edge.vision.clean import Cleaned, clean, rescale
from edge.vision.crop import cut, edged, turn
from edge.vision.gap_closing import closed, usual_gap
from edge.vision.segment import Segments, segment
from edge.vision.settings import VisionSettings
from edge.vision.statistics import median, polarity

CLEAR_POLARITY = 4.0
"""Where one polarity fits this many times better than the other, only that one is tried, if it shows anything."""
DARKER = 0.02
"""Where both read nearly as well, this much in likeness, dark ink is more likely."""
CLUTTER = 8
"""Where there are at least this many marks, and"""
READABLE_SHARE = 0.6
"""a smaller share of them is read, they are no digits at all: text, texture, noise."""
ROUND = (0, 1, 8)
"""Lines, rings and chains are these digits, on any side."""
TEXT = 3
"""Where there are at least so many marks and as few are read, they may be words: then a digit is only what"""
TEXT_CONFIDENCE = 0.95
"""is surer than this, and no 1; and there is one at least that is not ROUND, as letters are."""
FAINT = 0.6
"""But it has at least this share of the strength of other digits' ink,"""
EDGES = 64
"""where ink is stronger than this."""
COARSE_SIDE = 400
"""A picture whose longer side is at least this many pixels is looked at by half of them first,"""
COARSE_USUAL = 24.0
"""which is enough where the usual digit has so many of them: what is a third as large still is no speck;"""
COARSE_SURETY = 0.9
"""and every mark reads as surely as this."""
COARSE_MARKS = 2
"""A single mark may be anything: an arrow is a 7 from far away."""
STRIPES = 6
"""So many ones and nothing else are a fence, a brick wall or the like."""
SOLID = 0.22
"""Where a smaller share of the ink is solid, it may be noise; then more is asked of it:"""
DOUBTFUL_CONFIDENCE = 0.85
"""of each mark, and"""
DOUBTFUL_SHARE = 0.85
"""of all of them together."""
NOTABLE_TILT = 12.0
"""Digits of lines that rise or fall by more degrees than this are also read turned upright."""
READABLE = 0.75
"""Where the marks look less like digits than this, gaps are bridged and other sides of the page tried."""
MANY = 3
"""A page on its side has at least so many marks: a single one may be anything lying there."""
TURNED = 0.92
"""It looks at least so much like digits once it is turned;"""
TELLING = 2
"""a page on its side has at least so many digits that are not ROUND."""
SOME = 12
"""About so many marks of a page are turned to find out."""
QUARTERS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
"""Quarter turns counter-clockwise."""


class PassResult(NamedTuple):
    """What one look at cleaned ink found."""

    cleaned: Cleaned
    segments: Segments
    candidates: tuple[Candidate, ...]
    """All that may be a digit, in reading order."""
    kept: tuple[bool, ...]
    """Which of them read as digits."""

    @property
    def likeness(self) -> float:
        """How much the marks look like digits, 0 to 1, those that are not kept counting nothing."""
        kept = (candidate.surety for candidate, keep in zip(self.candidates, self.kept, strict=True) if keep)
        return sum(kept) / max(len(self.kept), 1)

    @property
    def only_strokes(self) -> bool:
        """Whether ones are read, and nothing else: any stroke may be one."""
        read = {candidate.digit for candidate, keep in zip(self.candidates, self.kept, strict=True) if keep}
        return read == {STROKE}


class Passes(NamedTuple):
    """Whom to ask, and how a picture is cleaned before."""

    judge: Classifier
    vision: VisionSettings
    min_confidence: float
    watch: Stopwatch
    """Stages: ``clean``, ``segment`` and, what is left to the eye, ``decide``; those of the judge lie between."""

    def run(self, frame: Frame) -> tuple[PassResult, int]:
        """What is seen in a frame, and by how many quarters it was turned for that.

        Quarters count counter-clockwise. Large and clear writing is read at half the size, a quarter of the work.
        """
        if coarse := self._coarse(frame):
            return coarse, 0
        seen = self._first(frame.pixels)
        if seen.likeness < READABLE:
            # Before anything is cut: what lies on its side has to be whole.
            turned, quarters = self._sideways(seen)
            if quarters:
                return turned, quarters
        seen = self._again(seen)
        return (seen if seen.likeness >= READABLE else self._bridged(seen)), 0

    def _coarse(self, frame: Frame) -> PassResult | None:
        """The picture at half the size, where that reads all that is there beyond doubt."""
        side = max(frame.pixels.shape)
        if side < COARSE_SIDE or not self.vision.fine:
            return None
        scale = min(side, self.vision.working_size) / side / 2
        seen = self._first(frame.reduced(side - 1) if scale == 0.5 else rescale(frame.pixels, scale))
        sure = min((candidate.surety for candidate in seen.candidates), default=0.0)
        if sure < COARSE_SURETY or not all(seen.kept) or seen.segments.usual < COARSE_USUAL:
            return None
        if len(seen.candidates) < COARSE_MARKS or seen.only_strokes:
            return None
        return seen._replace(cleaned=seen.cleaned._replace(scale=scale * seen.cleaned.scale))

    def _first(self, pixels: Pixels) -> PassResult:
        """The picture as it stands, in the polarity that is set or suits it best."""
        if self.vision.polarity != "auto":
            return self._cleaned(pixels, light_ink=self.vision.polarity == "light")
        dark = polarity(pixels)
        seen = self._cleaned(pixels, light_ink=dark < 1)
        unclear = 1 / CLEAR_POLARITY < dark < CLEAR_POLARITY
        if unclear or not seen.candidates:
            other = self._cleaned(pixels, light_ink=dark >= 1)
            # Where the polarity is clear, a one of the other is paper between strokes.
            if unclear or not other.only_strokes:
                seen = max(seen, other, key=lambda one: one.likeness + DARKER * (one.cleaned.polarity == "dark"))
        return seen

    def _cleaned(self, pixels: Pixels, *, light_ink: bool) -> PassResult:
        """One look at a picture, its ink darker than the paper or lighter."""
        cleaned = clean(pixels, self.vision, light_ink=light_ink)
        self.watch.lap("clean")
        return self._see(cleaned)

    def _bridged(self, seen: PassResult) -> PassResult:
        """With the usual gap between parts closed over, where that reads better: dotted ink, a pen that skips."""
        gap = usual_gap(seen.segments.ink)
        if not gap:
            return seen
        bridged = self._again(self._see(closed(_without_rules(seen), gap), rules=False))
        return max(seen, bridged, key=lambda one: one.likeness)

    def _sideways(self, seen: PassResult) -> tuple[PassResult, int]:
        """Turned by the quarter, half or three quarters that suits some marks best, where that reads better.

        And by how many quarters, counter-clockwise.
        """
        if not MANY <= len(seen.candidates) <= MOST:
            return seen, 0
        some = seen.candidates[:: max(1, len(seen.candidates) // SOME)]
        boxes, lines = [candidate.box for candidate in some], [0] * len(some)
        by_quarters = {
            quarters: likeness(self.judge([cv2.rotate(candidate.ink, code) for candidate in some], boxes, lines))
            for quarters, code in QUARTERS.items()
        }
        quarters = max(by_quarters, key=by_quarters.__getitem__)
        if by_quarters[quarters] < max(TURNED, seen.likeness):
            return seen, 0
        turned = self._again(self._see(turned_ink(_without_rules(seen), QUARTERS[quarters]), rules=False))
        digits = [c.digit for c, keep in zip(turned.candidates, turned.kept, strict=True) if keep]
        telling = sum(digit not in ROUND for digit in digits)
        better = turned.likeness > max(READABLE, seen.likeness) and len(digits) >= MANY and telling >= TELLING
        return (turned, quarters) if better else (seen, 0)

    def _see(self, cleaned: Cleaned, *, rules: bool = True) -> PassResult:
        """One look at ink; ``rules``: whether there may be lines to take away."""
        segments = segment(cleaned.mask, cleaned.sure, rules=rules)
        self.watch.lap("segment")
        return self._judged(cleaned, segments, self._candidates(cleaned, segments))

    def _again(self, seen: PassResult) -> PassResult:
        """With a second look at the marks in doubt."""
        if all(seen.kept):
            return seen
        least = self._least(seen.cleaned)
        return self._judged(
            seen.cleaned, seen.segments, second_look(seen.candidates, self.judge, least, seen.segments.usual)
        )

    def _judged(self, cleaned: Cleaned, segments: Segments, candidates: Sequence[Candidate]) -> PassResult:
        kept = kept_of(candidates, self._least(cleaned), cleaned.solid < SOLID)
        whole = cleaned.mask.shape[1]
        kept = tuple(keep and not is_end(one, whole) for one, keep in zip(candidates, kept, strict=True))
        kept = without_faint(candidates, kept)
        self.watch.lap("decide")
        return PassResult(cleaned, segments, tuple(candidates), kept)

    def _least(self, cleaned: Cleaned) -> float:
        """How probable a digit has to be."""
        return max(self.min_confidence, DOUBTFUL_CONFIDENCE) if cleaned.solid < SOLID else self.min_confidence

    def _candidates(self, cleaned: Cleaned, segments: Segments) -> list[Candidate]:
        """The marks as they stand or, where that reads surer, turned upright along their lines."""
        ink = edged(cleaned.ink, segments.mask)
        inks = [cut(ink, segments, mark) for mark in segments.marks]
        boxes, lines = [mark.box for mark in segments.marks], [mark.line for mark in segments.marks]
        candidates = self.judge(inks, boxes, lines)
        if abs(segments.tilt) > NOTABLE_TILT:
            turned = self.judge([turn(ink, segments.tilt) for ink in inks], boxes, lines)
            if likeness(turned) > likeness(candidates):
                return turned
        return candidates


def kept_of(candidates: Sequence[Candidate], least: float, doubtful: bool) -> tuple[bool, ...]:
    """Which candidates are read: those with at least ``least``, if there are not too many others beside them.

    ``doubtful``: whether the picture may be noise.
    """
    none = (False,) * len(candidates)
    kept = tuple(candidate.surety >= least for candidate in candidates)
    share = sum(kept) / len(kept) if kept else 1.0
    if len(kept) >= CLUTTER and share < (DOUBTFUL_SHARE if doubtful else READABLE_SHARE):
        return none
    words = len(kept) >= TEXT and share < READABLE_SHARE
    if words:
        surest = max(least, TEXT_CONFIDENCE)
        kept = tuple(candidate.surety >= surest and candidate.digit != STROKE for candidate in candidates)
    read = [candidate.digit for candidate, keep in zip(candidates, kept, strict=True) if keep]
    letters = words and all(digit in ROUND for digit in read)
    stripes = len(read) >= STRIPES and all(digit == STROKE for digit in read)
    return none if letters or stripes else kept


def is_end(candidate: Candidate, width: int) -> bool:
    """Whether what reads as a 1 goes out of a picture of this width at one of its sides: so would any stroke."""
    box = candidate.box
    return candidate.digit == STROKE and (box.x <= 1) != (box.x + box.width >= width - 1)


def without_faint(candidates: Sequence[Candidate], kept: tuple[bool, ...]) -> tuple[bool, ...]:
    """Less what reads as a 1, but is much fainter than two other digits or more: a rule, an edge, a fold."""
    read = [candidate for candidate, keep in zip(candidates, kept, strict=True) if keep]
    others = [candidate for candidate in read if candidate.digit != STROKE]
    if len(others) < 2 or len(others) == len(read):
        return kept
    usual = median([strength(candidate.ink) for candidate in others])
    return tuple(
        keep and (one.digit != STROKE or strength(one.ink) >= FAINT * usual)
        for one, keep in zip(candidates, kept, strict=True)
    )


def strength(ink: Pixels) -> float:
    """The mean of ink, (height, width) uint8, without its soft edges."""
    return cv2.mean(ink, cv2.threshold(ink, EDGES, 255, cv2.THRESH_BINARY)[1])[0]


def _without_rules(seen: PassResult) -> Cleaned:
    """The ink that was looked at, less the lines that were taken away."""
    return seen.cleaned._replace(mask=seen.segments.mask)


def turned_ink(cleaned: Cleaned, code: int) -> Cleaned:
    """Cleaned ink turned by one of OpenCV's rotation codes."""
    sure = None if cleaned.sure is None else cv2.rotate(cleaned.sure, code)
    return cleaned._replace(ink=cv2.rotate(cleaned.ink, code), mask=cv2.rotate(cleaned.mask, code), sure=sure)


def turned_back(box: Box, quarters: int, shape: tuple[int, ...]) -> Box:
    """A box in a picture that was turned counter-clockwise, as it stands in the picture of this (height, width)."""
    height, width = shape[:2]
    x, y, w, h = box
    if quarters == 1:
        return Box(width - y - h, x, h, w)
    if quarters == 2:
        return Box(width - x - w, height - y - h, w, h)
    return Box(y, height - x - w, h, w)
