"""Read a picture in one pass, and in further passes where that reads badly: gaps closed, page rotated, marks split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2

from edge.reading.candidates import STROKE, Candidate, Classifier, mean_digit_confidence
from edge.reading.quarter_turns import QUARTERS, rotate_cleaned
from edge.reading.rejection import ROUND, accept, required_confidence
from edge.reading.split_merge import MOST, resolve_doubtful
from edge.system.stopwatch import Stopwatch
from edge.types import Frame, Pixels
from edge.vision.clean import Cleaned, clean
from edge.vision.crop import crop_mark, rotate, with_soft_edges
from edge.vision.gap_closing import close_gaps, typical_gap
from edge.vision.polarity import dark_ink_ratio
from edge.vision.resize import rescale
from edge.vision.components import MIN_SIDE
from edge.vision.segment import MOST_PARTS, Segments, find_parts, mark_of, segment
from edge.vision.stroke_grouping import group_strokes
from edge.vision.text_lines import line_numbers, line_tilt
from edge.vision.settings import VisionSettings

CLEAR_POLARITY = 4.0
"""Where one polarity fits more than this many times better than the other, only that one is tried, if it has marks."""
DARKER = 0.02
"""Bonus of dark ink in the comparison of both polarities, in likeness: dark ink is more likely."""
COARSE_SIDE = 400
"""A picture whose longer side is at least this many pixels is tried at half its size first."""
COARSE_USUAL = 24.0
"""Half the size is enough where a typical digit has at least this many working pixels.

What is a third as large is then still not a speck.
"""
COARSE_SURETY = 0.9
"""Half the size is enough where every mark reads as a digit with at least this probability, 0 to 1."""
COARSE_MARKS = 2
"""Half the size is enough from this many marks on. A single mark may be anything: an arrow looks like a 7 from afar."""
NOTABLE_TILT = 12.0
"""Digits of lines that rise or fall by more degrees than this are also tried upright."""
READABLE = 0.75
"""Where the likeness of all marks is below this, gaps are closed and rotations of the page are tried."""
MANY = 3
"""Rotations of the page are tried from this many marks on: a single mark may be anything lying there."""
TURNED = 0.92
"""Smallest likeness of the marks that are tried rotated."""
TELLING = 2
"""A rotated page has at least this many digits that are not ROUND."""
SOME = 12
"""About this many marks of a page are rotated for a trial."""


class PassResult(NamedTuple):
    """What one pass over cleaned ink found."""

    cleaned: Cleaned
    segments: Segments
    candidates: tuple[Candidate, ...]
    """All that may be a digit, in reading order."""
    accepted: tuple[bool, ...]
    """Which of them are read as digits."""

    @property
    def likeness(self) -> float:
        """How much the marks look like digits, 0 to 1: the mean confidence; rejected marks count as 0."""
        accepted = (
            one.digit_confidence for one, is_read in zip(self.candidates, self.accepted, strict=True) if is_read
        )
        return sum(accepted) / max(len(self.accepted), 1)

    @property
    def only_ones(self) -> bool:
        """Whether ones are read, and nothing else: any stroke may be one."""
        read = {candidate.digit for candidate, is_read in zip(self.candidates, self.accepted, strict=True) if is_read}
        return read == {STROKE}


class Passes(NamedTuple):
    """The passes over a frame, with the classifier and the settings that they use."""

    classify: Classifier
    settings: VisionSettings
    min_confidence: float
    """A digit needs at least this probability, 0 to 1."""
    watch: Stopwatch
    """Gets the stages ``clean``, ``segment`` and ``decide``; those of the classifier lie between."""

    def run(self, frame: Frame) -> tuple[PassResult, int]:
        """The best pass over a frame, and the quarter turns, counter-clockwise, by which the page was rotated for it.

        Large and clear writing is read at half the size, which is a quarter of the work.
        """
        if coarse := self._half_size(frame):
            return coarse, 0
        seen = self._first(frame.pixels)
        if seen.likeness < READABLE:
            # Before any mark is split: on a page on its side the marks have to be whole.
            rotated, quarters = self._rotated(seen)
            if quarters:
                return rotated, quarters
        seen = self._resolved(seen)
        return (seen if seen.likeness >= READABLE else self._gaps_closed(seen)), 0

    def _half_size(self, frame: Frame) -> PassResult | None:
        """The picture at half the size, if every mark is read there with a high probability; else None."""
        side = max(frame.pixels.shape)
        if side < COARSE_SIDE or not self.settings.allows_half_size:
            return None
        scale = min(side, self.settings.working_size) / side / 2
        seen = self._first(frame.reduced(side - 1) if scale == 0.5 else rescale(frame.pixels, scale))
        least = min((candidate.digit_confidence for candidate in seen.candidates), default=0.0)
        if least < COARSE_SURETY or not all(seen.accepted) or seen.segments.digit_side < COARSE_USUAL:
            return None
        if len(seen.candidates) < COARSE_MARKS or seen.only_ones:
            return None
        return seen._replace(cleaned=seen.cleaned._replace(scale=scale * seen.cleaned.scale))

    def _first(self, pixels: Pixels) -> PassResult:
        """The picture as it is, in the polarity that is set or fits it best."""
        if self.settings.polarity != "auto":
            return self._cleaned(pixels, light_ink=self.settings.polarity == "light")
        ratio = dark_ink_ratio(pixels)
        seen = self._cleaned(pixels, light_ink=ratio < 1)
        unclear = 1 / CLEAR_POLARITY < ratio < CLEAR_POLARITY
        if unclear or not seen.candidates:
            other = self._cleaned(pixels, light_ink=ratio >= 1)
            # Where the polarity is clear, a one in the other polarity is paper between strokes.
            if unclear or not other.only_ones:
                seen = max(seen, other, key=lambda one: one.likeness + DARKER * (one.cleaned.polarity == "dark"))
        return seen

    def _cleaned(self, pixels: Pixels, *, light_ink: bool) -> PassResult:
        """One pass over a picture whose ink is darker or lighter than the paper."""
        cleaned = clean(pixels, self.settings, light_ink=light_ink)
        self.watch.lap("clean")
        return self._segmented(cleaned)

    def _gaps_closed(self, seen: PassResult) -> PassResult:
        """With typical gaps between parts closed, if that reads better: dotted ink, a pen that skips."""
        gap = typical_gap(seen.segments.ink)
        if not gap:
            return seen
        closed = self._resolved(self._segmented(close_gaps(_without_ruled_lines(seen), gap), ruled_lines=False))
        return max(seen, closed, key=lambda one: one.likeness)

    def _rotated(self, seen: PassResult) -> tuple[PassResult, int]:
        """With the page rotated by the quarter turns that fit some of its marks best, if that reads better.

        And the number of quarter turns, counter-clockwise; 0 if the page is not rotated.
        """
        if not MANY <= len(seen.candidates) <= MOST:
            return seen, 0
        some = seen.candidates[:: max(1, len(seen.candidates) // SOME)]
        boxes, lines = [candidate.box for candidate in some], [0] * len(some)
        by_quarters = {
            quarters: mean_digit_confidence(
                self.classify([cv2.rotate(candidate.ink, code) for candidate in some], boxes, lines)
            )
            for quarters, code in QUARTERS.items()
        }
        quarters = max(by_quarters, key=by_quarters.__getitem__)
        if by_quarters[quarters] < max(TURNED, seen.likeness):
            return seen, 0
        ink = rotate_cleaned(_without_ruled_lines(seen), QUARTERS[quarters])
        rotated = self._resolved(self._segmented(ink, ruled_lines=False))
        digits = [c.digit for c, is_read in zip(rotated.candidates, rotated.accepted, strict=True) if is_read]
        telling = sum(digit not in ROUND for digit in digits)
        better = rotated.likeness > max(READABLE, seen.likeness) and len(digits) >= MANY and telling >= TELLING
        return (rotated, quarters) if better else (seen, 0)

    def _segmented(self, cleaned: Cleaned, *, ruled_lines: bool = True) -> PassResult:
        """One pass over cleaned ink; ``ruled_lines``: whether there may be ruled lines to remove."""
        segments = segment(cleaned.mask, cleaned.sure, ruled_lines=ruled_lines)
        self.watch.lap("segment")
        return self._decided(cleaned, segments, self._candidates(cleaned, segments))

    def candidates_only(self, pixels: Pixels) -> PassResult:
        """All candidates of a picture, none accepted."""
        ratio = dark_ink_ratio(pixels)
        seen = self.found(clean(pixels, self.settings, light_ink=ratio < 1))
        if 1 / CLEAR_POLARITY < ratio < CLEAR_POLARITY or not seen.candidates:
            other = self.found(clean(pixels, self.settings, light_ink=ratio >= 1))
            seen = max(seen, other, key=lambda one: mean_digit_confidence(one.candidates) + DARKER * (one.cleaned.polarity == "dark"))
        return seen

    def found(self, cleaned: Cleaned) -> PassResult:
        """The candidates in cleaned ink."""
        parts = find_parts(cleaned.mask, cleaned.sure)
        segments = Segments(parts.mask, parts.window, parts.labels, (), 0.0, 0.0, (), None)
        whole = max(cleaned.mask.shape)
        large = [i for i in parts.usable if MIN_SIDE <= max(parts.every[i][2:4]) < 0.98 * whole]
        large = sorted(large, key=lambda i: -max(parts.every[i][2:4]))[:MOST_PARTS]
        ink = with_soft_edges(cleaned.ink, parts.mask)
        single = [mark_of(parts, [i]) for i in large]
        alone = self.classify([crop_mark(ink, segments, mark) for mark in single], [mark.box for mark in single], [0] * len(single))
        # What reads as a digit says how large digits are here, however large other things are.
        sides = sorted((float(max(one.box.width, one.box.height)), digit_share(one, self.classify)) for one in alone)
        half = sum(side**0.5 * sure**4 for side, sure in sides) / 2
        digit_side = 0.0
        for side, sure in sides:
            half -= side**0.5 * sure**4
            digit_side = side
            if half <= 0:
                break
        if not digit_side:
            return PassResult(cleaned, segments._replace(reason="too_small" if parts.every else "blank"), (), ())
        small = [i for i in parts.usable if max(3, 0.1 * digit_side) <= max(parts.every[i][2:4])]
        small = sorted(small, key=lambda i: -max(parts.every[i][2:4]))[:400]
        small.sort()
        groups = [[small[k] for k in group] for group in group_strokes([parts.every[i][:4] for i in small], digit_side)]
        marks = [mark_of(parts, group) for group in groups]
        marks = [mark for mark in marks if max(mark.box.width, mark.box.height) >= max(MIN_SIDE, 0.2 * digit_side) and max(mark.box.width, mark.box.height) < 0.98 * whole]
        boxes = [tuple(mark.box) for mark in marks]
        tilt = line_tilt(boxes, digit_side)
        lines = line_numbers(boxes, tilt, digit_side)
        known = {mark.parts: one for mark, one in zip(single, alone, strict=True)}
        new = [mark for mark in marks if mark.parts not in known]
        fresh = self.classify([crop_mark(ink, segments, mark) for mark in new], [mark.box for mark in new], [0] * len(new))
        known |= {mark.parts: one for mark, one in zip(new, fresh, strict=True)}
        marks = [mark._replace(line=line) for mark, line in zip(marks, lines, strict=True)]
        marks.sort(key=lambda mark: (mark.line, mark.box.x + mark.box.width / 2))
        candidates = tuple(known[mark.parts]._replace(line=mark.line) for mark in marks)
        segments = segments._replace(marks=tuple(marks), tilt=tilt, digit_side=digit_side)
        return PassResult(cleaned, segments, candidates, (False,) * len(candidates))

    def _resolved(self, seen: PassResult) -> PassResult:
        """With doubtful marks rotated, merged or split, where that reads better."""
        if all(seen.accepted):
            return seen
        least = required_confidence(seen.cleaned, self.min_confidence)
        found = resolve_doubtful(seen.candidates, self.classify, least, seen.segments.digit_side)
        return self._decided(seen.cleaned, seen.segments, found)

    def _decided(self, cleaned: Cleaned, segments: Segments, candidates: Sequence[Candidate]) -> PassResult:
        accepted = accept(candidates, cleaned, self.min_confidence)
        self.watch.lap("decide")
        return PassResult(cleaned, segments, tuple(candidates), accepted)

    def _candidates(self, cleaned: Cleaned, segments: Segments) -> list[Candidate]:
        """The marks as they stand or, where that reads better, rotated upright along their lines."""
        ink = with_soft_edges(cleaned.ink, segments.mask)
        inks = [crop_mark(ink, segments, mark) for mark in segments.marks]
        boxes, lines = [mark.box for mark in segments.marks], [mark.line for mark in segments.marks]
        candidates = self.classify(inks, boxes, lines)
        if abs(segments.tilt) > NOTABLE_TILT:
            upright = self.classify([rotate(ink, segments.tilt) for ink in inks], boxes, lines)
            if mean_digit_confidence(upright) > mean_digit_confidence(candidates):
                return upright
        return candidates


def _without_ruled_lines(seen: PassResult) -> Cleaned:
    """The cleaned ink of a pass, without the ruled lines that it removed."""
    return seen.cleaned._replace(mask=seen.segments.mask)


def digit_share(one: Candidate, classify: Classifier) -> float:
    """The probability of the best digit."""
    return float(max(p for p, digit in zip(one.probabilities.tolist(), classify._digits, strict=True) if digit is not None))
