"""The truth of ink on a generated page: which mark each pixel is, and whether a candidate is a digit."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.scenes import Page
from convert.samples.scenes.sheet import UNCLEAR
from edge.reading.candidates import SOFT, Candidate
from edge.reading.evidence import SEVERAL, VIEW_CLASSES

KINDS = ("digit", "letter", "symbol", "thing", "cut", "joined", "wrong polarity")
"""What a sample is: ink of a digit, of a letter or word, of another sign, of anything else; a piece that was cut off;
two candidates that were joined; any candidate of a page whose paper was taken for ink."""
NO_DIGIT = VIEW_CLASSES - 1
"""The class of anything else than digits."""
LEFT_OUT = -1
"""In place of the class of what is no sample: one person would read it, another would not."""
DIGITS = frozenset("0123456789")
"""Labels of digits that anybody can read: those that are cut off or struck out have a "?" before them."""

PURE = 0.85
"""A candidate is the digit that has more than this share, 0 to 1, of its ink on marks. Chosen: a tenth may be noise."""
LEAST_KNOWN = 0.25
"""And that has at least this share of all its ink: the rest may be a soft edge that the ink map leaves out. Chosen."""
SAME_BOX = 0.17
"""And whose box differs by at most this share of the mark's longer side: it is whole and alone. Chosen."""
EXTRA = 0.5
"""Its box may be wider by this share if more than half of its ink is the digit: a ruled line touches it. Chosen."""
SAME_BOX_PIXELS = 3
"""Such a difference is always allowed, working pixels. Chosen: soft edges of small digits."""
PURE_PIECE, SAME_BOX_PIECE = 0.6, 0.35
"""PURE and SAME_BOX of a piece that was cut off: the map gives ink that two digits share to one of them.

Chosen: of the pieces of cuts whose digits are all named right, 91 % are then digits, with the others' limits 62 %.
"""
MOSTLY = 0.6
"""Several digits are one candidate if it holds at least this share, 0 to 1, of the ink of each. Chosen."""


class InkMap(NamedTuple):
    """Which mark of a page each working pixel belongs to."""

    ids: NDArray[np.int16]
    """(height, width): the number of the mark, 0 = none."""
    labels: tuple[str, ...]
    """What each mark is, by its number."""
    boxes: NDArray[np.int64]
    """(marks, 4): left, top, right and bottom of each."""
    sizes: NDArray[np.int64]
    """(marks,): pixels of each."""

    @classmethod
    def of(cls, page: Page, shape: tuple[int, ...]) -> InkMap:
        """``shape``: (height, width) of the working picture."""
        ids = cv2.resize(page.ids, shape[1::-1], interpolation=cv2.INTER_NEAREST)
        ys, xs = np.nonzero(ids)
        marks = ids[ys, xs]
        boxes = np.zeros((len(page.labels), 4), np.int64)
        boxes[:, :2] = max(shape)
        for side, places in enumerate((xs, ys)):
            np.minimum.at(boxes[:, side], marks, places)
            np.maximum.at(boxes[:, side + 2], marks, places + 1)
        return cls(ids.astype(np.int16), page.labels, boxes, np.bincount(ids.ravel(), minlength=len(page.labels)))

    def counts(self, one: Candidate) -> NDArray[np.int64]:
        """(marks,): how many pixels of a candidate's ink are each mark; number 0: none."""
        place = one.ink_box
        ys, xs = np.nonzero(one.ink > SOFT)
        ys, xs = ys + place.y, xs + place.x
        inside = (ys >= 0) & (ys < self.ids.shape[0]) & (xs >= 0) & (xs < self.ids.shape[1])
        return np.bincount(self.ids[ys[inside], xs[inside]], minlength=len(self.labels))

    def truth(self, one: Candidate) -> tuple[int, int]:
        """The class of a candidate, a digit, SEVERAL, NO_DIGIT or LEFT_OUT, and its place in KINDS."""
        counts = self.counts(one)
        total = counts.sum()
        counts[0] = 0
        mark, marked = int(counts.argmax()), counts.sum()
        if not marked:
            return NO_DIGIT, KINDS.index("thing")
        kind = kind_of(self.labels[mark])
        if self.labels[mark] == UNCLEAR:
            return LEFT_OUT, kind
        digits = [i for i in np.flatnonzero(counts >= np.maximum(MOSTLY * self.sizes, 1)) if self.labels[i] in DIGITS]
        if len(digits) > 1:
            return SEVERAL if counts[digits].sum() > PURE * marked else NO_DIGIT, kind
        label, box = self.labels[mark], one.box
        pure, same_box = (PURE_PIECE, SAME_BOX_PIECE) if one.pieces else (PURE, SAME_BOX)
        alone = counts[mark] > pure * marked and counts[mark] >= LEAST_KNOWN * total
        if not alone or label not in DIGITS:
            return NO_DIGIT, kind
        left, top, right, bottom = self.boxes[mark].tolist()
        longest = max(right - left, bottom - top)
        missing = max(box.x - left, box.y - top, right - box.x - box.width, bottom - box.y - box.height)
        extra = max(left - box.x, top - box.y, box.x + box.width - right, box.y + box.height - bottom)
        most_extra = EXTRA if counts[mark] > total / 2 else same_box
        if missing <= max(SAME_BOX_PIXELS, same_box * longest) and extra <= max(SAME_BOX_PIXELS, most_extra * longest):
            return int(label), kind
        # Without its bar a 5 may still be one, and so may a 6 with a piece of a line: nobody minds if it is read. But
        # of the ways to cut ink only one is right.
        is_most = not one.pieces and counts[mark] >= MOSTLY * self.sizes[mark]
        return LEFT_OUT if is_most and one.digit == int(label) else NO_DIGIT, kind


def kind_of(label: str) -> int:
    """The place in KINDS of what a page calls a mark."""
    name = label.lstrip("?") or label
    if name in DIGITS:
        kind = "digit"
    elif name in ("letter", "word") or (len(name) == 1 and name.isalpha()):
        kind = "letter"
    else:
        kind = "symbol" if name == "symbol" or len(name) == 1 else "thing"
    return KINDS.index(kind)
