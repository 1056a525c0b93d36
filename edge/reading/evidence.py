"""Evidence: what is measured of each candidate and of its surroundings, as numbers for the belief."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from math import log
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.reading.candidates import LETTER, Candidate
from edge.types import Box, Pixels
from edge.vision.clean import Cleaned
from edge.vision.normalise import with_contrast
from edge.vision.segment import Segments
from edge.vision.statistics import median

FAR = 3.0
"""A neighbour further away than this many digit sides is none."""
WORD = 0.8
"""Marks of a line that are less than this many digit sides apart are one word or number. Chosen."""
MOST_OF_WORD = 5.0
"""More marks than this beside one in its word count as so many."""
STEEPEST = 1.5
"""A greater slant than this, or difference of slants, counts as this one."""
VIEW = 40
"""Side of the view of a candidate and its surroundings, pixels."""
VIEW_CLASSES = 12
"""The digits 0 to 9, several digits that touch, and none: what the network that looks at views tells apart."""
SEVERAL = 10
"""The class of several digits that touch."""
VIEWED = 18
"""Longer side of the candidate in it, pixels."""
UNSEEN = (0.0, 0.5, 0.0)
"""What stands for ``Candidate.context`` where its view was not looked at."""
LEAST_SHARE = 1e-4
"""What a view says of a digit counts at least this much: no view excludes a digit."""
HOPELESS = 0.98
"""What the classifier says is no digit with at least this probability is not looked at among its surroundings."""
WIDE = 0.65
"""Ink that is at least this many times as wide as tall may be several digits."""
BEYOND = 3
"""A rule that runs on beside a box is seen at most this many pixels from it."""
LEAST_VIEW = 0.6
"""A smaller candidate is shown as if its longer side were this share of a typical digit's."""
Look = Callable[[Pixels], NDArray[np.float32]]
"""Views (n, VIEW, VIEW, 2) uint8 -> the share of each of VIEW_CLASSES, (n, 12): ``belief.ViewNetwork.look``."""
NAMES = (
    "digits", "share", "context_digit", "context_share", "context_several",
    "minus", "slash", "plus", "equals", "bracket", "percent", "times", "letter", "none",
    "wide", "tall", "large", "of_row", "fill", "stroke", "stroke_usual", "thickest", "level", "slant", "slant_usual",
    "border", "signal", "crowd", "struck", "pieces", "cut_from", "was_sign", "was_letter",
    "rest", "rest_seen", "of_whole", "overlap", "alone", "row", "page",
    "left", "right", "left_letter", "right_letter", "left_gap", "right_gap", "left_tall", "right_tall",
    "word_digits", "word_letters",
    "foot", "middle", "holds", "held",
    *(f"is_{digit}" for digit in range(10)),
)  # fmt: skip
"""What each number of the evidence is.

Of a piece that was cut off: ``cut_from`` is how much the whole ink looked like several digits by its view, and
``was_sign`` and ``was_letter`` like a sign or a letter by itself; ``overlap`` the largest share of its width, or of
another piece's, that both have in common; of any other ink these are 0. ``rest`` and ``rest_seen`` are the least
likeness of a digit among the other pieces, by themselves and by their views, and ``of_whole`` its height as a share of
the whole ink's; of any other ink these are 1.
"""


class Surroundings:
    """The page around its candidates: what the evidence of each is measured against."""

    def __init__(self, cleaned: Cleaned, segments: Segments) -> None:
        """``segments``: those that the candidates were found in."""
        self.height, self.width = segments.mask.shape
        self.digit_side = max(segments.digit_side, 1.0)
        """A typical digit's longer side, pixels."""
        self.signal = log(min(max(cleaned.signal, 1.0), 200.0))
        """How many standard deviations of the noise ink is above the paper, as its logarithm."""
        self.ink = cleaned.ink
        """(height, width) uint8: all ink of the page."""
        self._sums = cv2.integral(segments.mask)
        self._rules = None if segments.mask is cleaned.mask else cv2.subtract(cleaned.mask, segments.mask)

    def view(self, one: Candidate) -> Pixels:
        """(VIEW, VIEW, 2) uint8: the candidate's own ink, and all ink around it, at a size that is always the same."""
        return view_of(one.ink, one.ink_box, one.box, self.ink, self.digit_side, one.shape.stroke)

    def ink_around(self, box: Box, own: float) -> float:
        """The share of ink in a window twice as large as the box, the candidate's ``own`` ink left out, 0 to 1."""
        x, y, width, height = box
        reach = max(width, height) // 2
        left, top = max(0, x - reach), max(0, y - reach)
        right, bottom = min(self.width, x + width + reach), min(self.height, y + height + reach)
        sums = self._sums
        ink = float(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]) / 255
        return max(0.0, ink - own) / max(1.0, (right - left) * (bottom - top) - own)

    def struck(self, box: Box) -> float:
        """The largest share of the box's width, 0 to 1, that a rule which was removed runs through, and on beside it.

        In the middle half of its height. A rule that ends within the box is rather a stroke of the mark itself.
        """
        if self._rules is None:
            return 0.0
        x, y, width, height = box
        middle = np.asarray(self._rules[y + height // 4 : y + height - height // 4].any(axis=0))
        beyond = middle[max(0, x - BEYOND) : x].any() or middle[x + width : x + width + BEYOND].any()
        return float(beyond) * np.count_nonzero(middle[x : x + width]) / width


def view_of(own: Pixels, own_box: Box, box: Box, page: Pixels, digit_side: float, stroke: float) -> Pixels:
    """(VIEW, VIEW, 2) uint8: ``own`` ink, which lies at ``own_box``, and that of the ``page``, both around ``box``.

    ``stroke``: the width of its strokes, pixels.
    """
    x, y, w, h = box
    side = max(w, h, LEAST_VIEW * digit_side) * VIEW / VIEWED
    left, top = round(x + w / 2 - side / 2), round(y + h / 2 - side / 2)
    side = max(2, round(side))
    view = np.dstack([window(own, left - own_box.x, top - own_box.y, side), window(page, left, top, side)])
    return with_contrast(view, stroke * VIEW / side)


def window(picture: Pixels, left: int, top: int, side: int) -> Pixels:
    """A square of a picture, which may reach beyond it, at (VIEW, VIEW) pixels."""
    height, width = picture.shape
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    seen = np.zeros((VIEW, VIEW), np.uint8)
    if x1 <= x0 or y1 <= y0:
        return seen
    scale = VIEW / side
    a, b = round((x0 - left) * scale), round((y0 - top) * scale)
    c, d = max(a + 1, round((x1 - left) * scale)), max(b + 1, round((y1 - top) * scale))
    part = cv2.resize(picture[y0:y1, x0:x1], (c - a, d - b), interpolation=cv2.INTER_AREA)
    target = seen[b:d, a:c]
    target[:] = part[: target.shape[0], : target.shape[1]]
    return seen


def is_hopeless(one: Candidate) -> bool:
    """Whether the classifier is so sure that it is no digit that its view is not looked at.

    It cannot say so of wide ink, which may be several digits that touch, nor of a piece that was cut out of some.
    """
    return not one.pieces and sum(one.others) >= HOPELESS and one.box.width < WIDE * one.box.height


def seen(one: Candidate, view: Sequence[float]) -> Candidate:
    """The candidate with its ``context``, and the digit that is likeliest by itself and by its view together.

    ``view``: the share of each of VIEW_CLASSES, 0 to 1. The shares are multiplied, as if the two were independent.
    """
    both = [own * max(share, LEAST_SHARE) for own, share in zip(one.shares, view[:SEVERAL], strict=True)]
    *_, second, best = sorted(range(10), key=both.__getitem__)
    any_digit = sum(view[:SEVERAL])
    return one._replace(
        digit=best,
        # A model may give all other digits exactly 0: then its own second one is named.
        second=second if both[second] else one.second,
        context=(any_digit, view[best] / max(1e-4, any_digit), view[SEVERAL]),
    )


def looked_at(candidates: Sequence[Candidate], around: Surroundings, look: Look) -> list[Candidate]:
    """The candidates as they are ``seen``."""
    some = [i for i, one in enumerate(candidates) if one.context is None and not is_hopeless(one)]
    found = [one if one.context else one._replace(context=UNSEEN) for one in candidates]
    if some:
        shares = look(np.array([around.view(candidates[i]) for i in some])).tolist()
        for i, row in zip(some, shares, strict=True):
            found[i] = seen(candidates[i], row)
    return found


def digit_company(one: Candidate) -> float:
    """How much a candidate is a digit, or several that touch, to those beside it, 0 to 1."""
    digit, _, several = one.context or UNSEEN
    return max(one.share * digit, several)


def logit(p: float) -> float:
    """A probability, 0 to 1, as evidence: ln(p / (1 - p)), at most 6.2 either way."""
    p = min(max(p, 0.002), 0.998)
    return log(p / (1 - p))


def evidence(
    candidates: Sequence[Candidate], around: Surroundings, wanted: Sequence[int] | None = None
) -> NDArray[np.float32]:
    """(candidates, len(NAMES)) float32, of all candidates of a page, or of those at the places ``wanted``."""
    places = range(len(candidates)) if wanted is None else wanted
    found = np.zeros((len(places), len(NAMES)), np.float32)
    if not len(places):
        return found
    side = around.digit_side
    top = [digit_company(one) for one in candidates]
    none = [sum(one.others) for one in candidates]
    sure = [one for one, p in zip(candidates, top, strict=True) if p > 0.8] or candidates
    usual_stroke = median([one.shape.stroke for one in sure])
    usual_level = max(1.0, median([one.shape.level for one in sure]))
    slants = sorted(one.shape.slant for one in sure)
    rows = rows_of(candidates, top, {candidates[i].line for i in places}, WORD * side)
    holds, held = enclosed(candidates, places, top)
    likeness = sum(top)
    cut: dict[Candidate, list[int]] = {}
    for i, one in enumerate(candidates):
        if one.whole:
            cut.setdefault(one.whole, []).append(i)
    for n, i in enumerate(places):
        one = candidates[i]
        x, y, w, h = one.box
        row, row_height, foot, row_top, ends = rows[one.line]
        at = row.index(i)
        near, letters, gaps, tall = [], [], [], []
        for k in (at - 1, at + 1):
            other = candidates[row[k]] if 0 <= k < len(row) else None
            gap = FAR
            if other is not None:
                b = other.box
                gap = (max(x, b.x) - min(x + w, b.x + b.width)) / side
            if other is not None and gap < FAR:
                near.append(top[row[k]])
                letters.append(none[row[k]])
                tall.append(_clipped_log(h, other.box.height))
            else:
                near.append(0.5)
                letters.append(0.3)
                tall.append(0.0)
            gaps.append(min(max(gap, -0.5), FAR))
        whole = one.whole
        pieces = [candidates[k] for k in cut[whole] if k != i] if whole else []
        area, stroke, level, thickest, slant = one.shape
        word = [k for k in row[slice(*ends[at])] if k != i]
        longer = max(w, h)
        rest, others = len(row) - 1, len(candidates) - 1
        found[n, : len(NAMES) - 10] = (
            logit(1 - none[i]), logit(one.share), *map(logit, one.context or UNSEEN), *one.others,
            _clipped_log(w, h), _clipped_log(h, side), _clipped_log(longer, side), _clipped_log(h, row_height),
            area / max(1, w * h), stroke / longer, _clipped_log(stroke, usual_stroke), _clipped_log(thickest, stroke),
            _clipped_log(level, usual_level),
            min(max(slant, -STEEPEST), STEEPEST), min(max(slant - median_but(slants, slant), -STEEPEST), STEEPEST),
            float(min(x, y, around.width - x - w, around.height - y - h) <= 1), around.signal,
            around.ink_around(one.box, area), around.struck(one.box), min(one.pieces, 4),
            whole.context[2] if whole and whole.context else 0.0,
            sum(whole.others[:LETTER]) if whole else 0.0, whole.others[LETTER] if whole else 0.0,
            min((other.likeness for other in pieces), default=1.0),
            min(((other.context or UNSEEN)[0] for other in pieces), default=1.0),
            h / whole.box.height if whole else 1.0,
            max((_common_width(one.box, other.box) for other in pieces), default=0.0),
            float(not rest),
            (row_top - top[i]) / rest if rest else 0.5,
            (likeness - top[i]) / others if others else 0.5,
            *near, *letters, *gaps, *tall,
            min(sum(top[k] for k in word), MOST_OF_WORD), min(sum(none[k] for k in word), MOST_OF_WORD),
            min(max((y + h - foot) / side, -2.0), 2.0),
            min(max((y + h / 2 - foot + row_height / 2) / side, -2.0), 2.0),
            min(holds[n], 3.0), min(held[n], 3),
        )  # fmt: skip
        found[n, len(NAMES) - 10 + one.digit] = 1
    return found


def _common_width(a: Box, b: Box) -> float:
    """The columns that two boxes have in common, as a share of the narrower one's."""
    return max(0, min(a.x + a.width, b.x + b.width) - max(a.x, b.x)) / min(a.width, b.width)


class Row(NamedTuple):
    """The candidates of one line of writing."""

    places: list[int]
    """Left to right."""
    height: float
    """Median height of those that look like digits, or of all if none does, pixels."""
    foot: float
    """Median of where these end, pixels from the top of the picture."""
    top: float
    """How many look like digits: the sum of what each looks like."""
    words: tuple[tuple[int, int], ...]
    """For each of the places, the first place of its word or number, and the one after the last."""


def rows_of(candidates: Sequence[Candidate], top: Sequence[float], lines: Iterable[int], gap: float) -> dict[int, Row]:
    """The rows of these lines. ``top``: how much each candidate looks like a digit, 0 to 1.

    ``gap``: words are so many pixels apart.
    """
    places: dict[int, list[int]] = {}
    for i, one in enumerate(candidates):
        places.setdefault(one.line, []).append(i)
    rows = {}
    for line in lines:
        row = places[line]
        row.sort(key=lambda i: candidates[i].box.x + candidates[i].box.width / 2)
        good = [candidates[i].box for i in row if top[i] > 0.5] or [candidates[i].box for i in row]
        height, foot = median([box.height for box in good]), median([box.y + box.height for box in good])
        words = words_of([candidates[i].box for i in row], gap)
        rows[line] = Row(row, height, foot, sum(top[i] for i in row), words)
    return rows


def words_of(row: Sequence[Box], gap: float) -> tuple[tuple[int, int], ...]:
    """For each box of a row, the first place of its word and the one after the last: words are ``gap`` pixels apart."""
    words: list[tuple[int, int]] = []
    first, end = 0, row[0].x + row[0].width
    for place, (x, _, width, _) in enumerate(row):
        if x - end >= gap:
            words += [(first, place)] * (place - first)
            first = place
        end = max(end, x + width)
    words += [(first, len(row))] * (len(row) - first)
    return tuple(words)


def median_but(numbers: Sequence[float], one: float) -> float:
    """The median of sorted numbers but for ``one`` of them, if it is one; ``one`` itself if there are no others."""
    at = bisect_left(numbers, one)
    others = [*numbers[:at], *numbers[at + 1 :]] if numbers[at : at + 1] == [one] else numbers
    return median(others) if others else one


def enclosed(
    candidates: Sequence[Candidate], places: Sequence[int], top: Sequence[float]
) -> tuple[list[float], list[int]]:
    """For each of the places, how many digits its box holds, and how many boxes hold it.

    ``top``: how much each candidate looks like a digit, 0 to 1.
    """
    boxes, likeness = np.array([one.box for one in candidates], np.int32), np.array(top)
    start, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    own_start, own_end = start[list(places), None], end[list(places), None]
    holds = ((start >= own_start) & (end <= own_end)).all(axis=2)
    held = ((start <= own_start) & (end >= own_end)).all(axis=2) & ~holds
    # Each box holds itself.
    within: list[float] = (holds @ likeness - likeness[list(places)]).tolist()
    around: list[int] = held.sum(axis=1).tolist()
    return within, around


def _clipped_log(a: float, b: float) -> float:
    return min(max(log(max(a, 1e-3) / max(b, 1e-3)), -3.0), 3.0)
