"""Read a picture: try each way to take its ink as digits, and keep the one that is believed most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2

from edge.reading.belief import Belief
from edge.reading.candidates import STROKE, Candidate, Classifier
from edge.reading.evidence import UNSEEN, Surroundings, evidence, looked_at
from edge.reading.finding import Sorter, find_candidates
from edge.reading.hypotheses import Hypothesis, hypotheses
from edge.reading.quarter_turns import QUARTERS, rotate_cleaned
from edge.system.stopwatch import Stopwatch
from edge.types import Frame, Pixels
from edge.vision.clean import Cleaned, clean, clean_larger, working_picture
from edge.vision.gap_closing import close_gaps, typical_gap
from edge.vision.polarity import dark_ink_ratio
from edge.vision.resize import digit_scale
from edge.vision.segment import Segments
from edge.vision.settings import VisionSettings
from edge.vision.statistics import median

CLEAR_POLARITY = 4.0
"""Where one polarity fits more than this many times better than the other, only that one is tried, if it has digits."""
UNREADABLE = 0.4
"""Where the mean belief in the marks is below this, the page is tried rotated, and with gaps closed."""
DOUBT = 0.8
"""Other ways to take a mark are tried where the belief in it is below this."""
CONVINCED = 0.9
"""Where the digits promise less than this, there may be finer ones. Chosen: two that are read surely promise more."""
BETTER = 0.25
"""The finer ones have to promise so much more: half a digit."""
ROUNDS = 2
"""How often doubtful marks are gone through, as long as something changes."""
PLAUSIBLE = 0.3
"""Another way is taken only if the belief in each of its digits is at least this."""
MOST = 60
"""With more candidates than this, and so little belief in them, no other way is tried: it is text or texture."""
MOST_DOUBTS = 16
"""At most this many doubtful marks are taken in another way, the largest first."""
NOISY_SIGNAL = 14.0
"""Ink that is less than this many standard deviations of the noise above the paper may be noise: its peaks are 10."""
NOISY_CONFIDENCE = 0.75
"""A digit needs at least this belief where the ink may be noise, or no stroke stands out."""
MANY = 3
"""Rotations of the page are tried from this many marks on: a single mark may be anything lying there."""
TURNED = 0.85
"""Smallest likeness of the marks that are tried rotated."""
ROUND = (0, 1, 8)
"""Digits that bars, rings and chains read as, however the page is turned."""
TELLING = 2
"""A rotated page has at least this many digits that are not ROUND."""
SOME = 12
"""About this many marks of a page are rotated for a trial."""
FEW = 3
"""So many of them are classified at once, until it is known whether the page may lie so. Chosen: most pages may not."""


class PassResult(NamedTuple):
    """What one way to read a picture found."""

    cleaned: Cleaned
    segments: Segments
    candidates: tuple[Candidate, ...]
    """All that may be a digit, in reading order."""
    accepted: tuple[bool, ...]
    """Which of them are read as digits."""
    around: Surroundings
    """The page around them."""
    sorter: Sorter
    """What the classifier has said of its ink."""

    @property
    def score(self) -> float:
        """How many digits are believed to be there, the doubtful ones left out."""
        return sum(max(0.0, one.belief - 0.5) for one in self.candidates)

    @property
    def promise(self) -> float:
        """As ``score``, before digits that touch are cut: ink that is several of them counts as one."""
        return sum(max(0.0, max(one.belief, (one.context or UNSEEN)[2]) - 0.5) for one in self.candidates)

    @property
    def digits(self) -> list[int]:
        """The digits that are read."""
        return [one.digit for one, is_read in zip(self.candidates, self.accepted, strict=True) if is_read]

    @property
    def share(self) -> float:
        """The mean belief in the candidates, 0 to 1."""
        return sum(one.belief for one in self.candidates) / max(1, len(self.candidates))


class Passes(NamedTuple):
    """The ways to read a frame, with the classifier and the settings that they use."""

    classify: Classifier
    settings: VisionSettings
    belief: Belief
    min_confidence: float
    """A digit needs at least this belief, 0 to 1."""
    watch: Stopwatch
    """Gets the stages ``clean``, ``segment`` and ``decide``; those of the classifier lie between."""

    def run(self, frame: Frame) -> tuple[PassResult, int]:
        """The best way to read a frame, and by how many quarter turns, counter-clockwise, it was rotated for that."""
        working = working_picture(frame.pixels, self.settings)
        seen = self._finer(frame.pixels, working, self._polarities(frame.pixels, working))
        seen = self._large_enough(frame.pixels, seen)
        if (seen.share >= UNREADABLE and not seen.segments.unsure) or len(seen.candidates) > MOST:
            return self._resolved(seen), 0
        ways = [seen]
        if seen.segments.mask is not seen.cleaned.mask:
            # The strokes of digits that touch, or lie on their side, may look like rules.
            ways.append(self._found(seen.cleaned, ruled_lines=False, sorter=seen.sorter))
        for way in ways:
            # Before any mark is split: on a page on its side the marks have to be whole.
            rotated, quarters = self._rotated(way)
            if quarters:
                return rotated, quarters
        best = max((self._resolved(way) for way in ways), key=lambda way: way.score)
        if best.share < UNREADABLE:
            best = max(best, self._gaps_closed(seen), key=lambda way: way.score)
        return best, 0

    def _polarities(self, pixels: Pixels, working: Pixels) -> PassResult:
        """The picture as it is, in the polarity that is set or is believed more."""
        if self.settings.polarity != "auto":
            return self._cleaned(pixels, working, light_ink=self.settings.polarity == "light")
        ratio = dark_ink_ratio(pixels)
        seen = self._cleaned(pixels, working, light_ink=ratio < 1)
        unclear = 1 / CLEAR_POLARITY < ratio < CLEAR_POLARITY
        if seen.promise > 0 and not unclear:
            return seen
        other = self._cleaned(pixels, working, light_ink=ratio >= 1)
        # Where the polarity is clear, a one in the other polarity is paper between strokes.
        return max(seen, other, key=lambda one: one.promise) if unclear or set(other.digits) != {STROKE} else seen

    def _finer(self, pixels: Pixels, working: Pixels, seen: PassResult) -> PassResult:
        """Seen at the scale of its finer strokes, if hardly a digit is seen, and if that is believed more.

        A pen or a ruler beside a number is longer than all of its strokes together.
        """
        before = seen.cleaned
        if seen.promise >= CONVINCED or not before.finer:
            return seen
        light_ink = before.polarity == "light"
        cleaned = clean(pixels, self.settings, light_ink=light_ink, working=working, stroke=before.finer)
        self.watch.lap("clean")
        finer = self._found(cleaned)
        return finer if finer.promise > seen.promise + BETTER else seen

    def _large_enough(self, pixels: Pixels, seen: PassResult) -> PassResult:
        """Read at a larger scale, if its digits are small, and if that is believed more.

        Small marks beside large digits, such as the ticks of a ruler, are no reason: they would be read as ones.
        """
        read = [max(one.box[2:]) for one, is_read in zip(seen.candidates, seen.accepted, strict=True) if is_read]
        side = median(read) if read else seen.segments.digit_side
        by = digit_scale(side, max(seen.cleaned.mask.shape), self.settings.working_size)
        if by == 1:
            return seen
        larger = clean_larger(pixels, self.settings, seen.cleaned, by)
        self.watch.lap("clean")
        return max(seen, self._found(larger), key=lambda one: one.promise)

    def _cleaned(self, pixels: Pixels, working: Pixels, *, light_ink: bool) -> PassResult:
        """One way to read a picture: its ink is darker or lighter than the paper."""
        cleaned = clean(pixels, self.settings, light_ink=light_ink, working=working)
        self.watch.lap("clean")
        return self._found(cleaned)

    def _found(self, cleaned: Cleaned, *, ruled_lines: bool = True, sorter: Sorter | None = None) -> PassResult:
        """The candidates of cleaned ink, and the belief in each; ``sorter``: of this ink, if there is one."""
        sorter = sorter or Sorter(cleaned, self.classify)
        segments, candidates = find_candidates(cleaned, sorter, ruled_lines=ruled_lines)
        self.watch.lap("segment")
        return self._decided(PassResult(cleaned, segments, candidates, (), Surroundings(cleaned, segments), sorter))

    def _decided(self, seen: PassResult) -> PassResult:
        found = looked_at(seen.candidates, seen.around, self.belief.look)
        beliefs = self.belief(evidence(found, seen.around)) if found else []
        candidates = tuple(one._replace(belief=b) for one, b in zip(found, beliefs, strict=True))
        self.watch.lap("decide")
        # Of hundreds of specks of noise, one or two look like a digit by chance, and so does the rim of a shadow.
        doubtful = seen.cleaned.signal < NOISY_SIGNAL or not seen.cleaned.has_strokes
        least = max(self.min_confidence, NOISY_CONFIDENCE if doubtful else 0.0)
        return seen._replace(candidates=candidates, accepted=tuple(b >= least for b in beliefs))

    def _resolved(self, seen: PassResult, rounds: int = ROUNDS) -> PassResult:
        """With doubtful marks rotated, merged or split, where that is believed more."""
        doubtful = [one for one in seen.candidates if one.belief < DOUBT]
        if not doubtful or (len(seen.candidates) > MOST and seen.share < UNREADABLE):
            return seen
        around, found = seen.around, list(seen.candidates)
        for one in sorted(doubtful, key=lambda one: -max(one.box[2:]))[:MOST_DOUBTS]:
            if one not in found:
                continue
            best, most = found, 0.0
            for way in hypotheses(found, one, self.classify, around, self.belief.look):
                way = way._replace(candidates=tuple(looked_at(way.candidates, around, self.belief.look)))
                changed, places = replaced(found, way)
                beliefs = self.belief(evidence(changed, around, places))
                believed = [changed[i]._replace(belief=b) for i, b in zip(places, beliefs, strict=True)]
                # Ink that is given up for it counts too.
                gain = value(believed) - value(way.instead_of)
                if min(beliefs) >= PLAUSIBLE and gain > most:
                    changed[places[0] : places[-1] + 1] = believed
                    best, most = changed, gain
            found = best
        if found == list(seen.candidates):
            return seen
        changed_way = self._decided(seen._replace(candidates=tuple(found)))
        # What is now known of its neighbours may decide about the next.
        return self._resolved(changed_way, rounds - 1) if rounds > 1 else changed_way

    def _gaps_closed(self, seen: PassResult) -> PassResult:
        """With typical gaps between parts closed, if there are any: dotted ink, a pen that skips."""
        gap = typical_gap(seen.segments.mask, seen.segments.ink)
        if not gap:
            return seen
        return self._resolved(self._found(close_gaps(_without_ruled_lines(seen), gap), ruled_lines=False))

    def _rotated(self, seen: PassResult) -> tuple[PassResult, int]:
        """With the page rotated by the quarter turns that fit some of its marks best, if that is believed more.

        And the number of quarter turns, counter-clockwise; 0 if the page is not rotated.
        """
        if not MANY <= len(seen.candidates) <= MOST:
            return seen, 0
        some = seen.candidates[:: max(1, len(seen.candidates) // SOME)]
        least = max(TURNED, mean_likeness(some))
        by_quarters = {quarters: self._turned_likeness(some, code, least) for quarters, code in QUARTERS.items()}
        quarters = max(by_quarters, key=by_quarters.__getitem__)
        if by_quarters[quarters] < least:
            return seen, 0
        ink = rotate_cleaned(_without_ruled_lines(seen), QUARTERS[quarters])
        rotated = self._resolved(self._found(ink, ruled_lines=False))
        telling = sum(digit not in ROUND for digit in rotated.digits)
        better = rotated.score > seen.score + 1 and len(rotated.digits) >= MANY and telling >= TELLING
        return (rotated, quarters) if better else (seen, 0)

    def _turned_likeness(self, some: Sequence[Candidate], code: int, least: float) -> float:
        """How much marks that are rotated by OpenCV's ``code`` look like digits; 0 if that cannot reach ``least``."""
        turned: list[Candidate] = []
        while len(turned) < len(some):
            few = some[len(turned) : len(turned) + FEW]
            inks = [cv2.rotate(one.ink, code) for one in few]
            turned += self.classify(inks, [one.box for one in few], [0] * len(few))
            # The others may be digits for certain.
            if sum(one.likeness for one in turned) + len(some) - len(turned) < least * len(some):
                return 0.0
        return mean_likeness(turned)


def value(candidates: Sequence[Candidate]) -> float:
    """How much candidates are worth together: the ink of each, in the pen's own length, by the belief in it.

    Pieces of the same ink are worth at most as much as all of it, and less the more of it they share: between two
    digits that overlap a false third one can be cut out of the ink of both.
    """
    if candidates and (whole := candidates[0].whole):
        worth = sum(one.shape.area * max(0.0, one.belief - PLAUSIBLE) for one in candidates)
        once = min(1.0, whole.shape.area / max(1.0, sum(one.shape.area for one in candidates)))
        return worth * once**2 / whole.shape.stroke
    return sum(one.shape.area / one.shape.stroke * max(0.0, one.belief - PLAUSIBLE) for one in candidates)


def replaced(candidates: Sequence[Candidate], way: Hypothesis) -> tuple[list[Candidate], list[int]]:
    """The candidates, taken in another way, and the places of the new ones."""
    at = min(i for i, one in enumerate(candidates) if one in way.instead_of)
    kept = [one for one in candidates if one not in way.instead_of]
    line = candidates[at].line
    new = [one._replace(line=line) for one in way.candidates]
    return kept[:at] + new + kept[at:], list(range(at, at + len(new)))


def mean_likeness(candidates: Sequence[Candidate]) -> float:
    """How much candidates look like digits by themselves, 0 to 1."""
    return sum(one.likeness for one in candidates) / max(len(candidates), 1)


def _without_ruled_lines(seen: PassResult) -> Cleaned:
    """The cleaned ink of a pass, without the ruled lines that it removed."""
    return seen.cleaned._replace(mask=seen.segments.mask)
