"""A sheet that marks are written on, and which mark each pixel of its ink belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.marks import Stroke, draw, extent
from convert.samples.scenes.habits import TAILED
from convert.samples.scenes.hand import Hand, write_mark
from edge.types import Pixels

INK_LEVEL = 0.43
"""A pixel belongs to a mark if it has more than this share of the mark's strongest ink."""
WHOLE_SHARE = 0.9
"""A mark with less than this share of its ink on the sheet is cut off. Chosen: one that lacks a tenth is doubtful."""
UNCLEAR_SHARE = 0.55
"""A digit that is cut off and of which more than this share is left is unclear. Chosen: many are still read."""
UNREAD = "?"
"""Stands before the label of a mark that is cut off or struck out."""
UNCLEAR = "unclear"
"""The label of what one person would read and another would not, such as the digits on a ruler: nobody learns of it."""
DEEPEST = 0.2
"""Digits that touch overlap by at most this many heights of a digit. Chosen: more would make one sign of them."""
DEEPEST_SHARE = 0.3
"""And by at most this share of the narrower one's width. Chosen."""
NESTED = 0.5
"""At most this share of the narrower one's width stands above or below the other. Chosen: writing slants."""
SIGNS_SHARE = 0.3
"""Signs touch this many times as often as digits and letters do. Chosen."""
LIGATURE_SHARE = 0.25
"""Share, 0 to 1, of the digits that touch by a stroke from one to the next. Chosen."""
LIGATURE = (0.02, 0.3)
"""Shortest and longest such stroke, in heights of a digit. Chosen."""
LIGATURE_PEN = (0.4, 1.1)
"""Finest and broadest such stroke, in widths of the pen. Chosen: it is written fast."""


@dataclass(slots=True)
class Sheet:
    """Ink without paper: what is written, and what is printed."""

    ink: Pixels
    """(height, width) uint8, 255 = full: all marks."""
    ids: NDArray[np.int16]
    """(height, width): the number of the mark that each pixel of ink belongs to, 0 = none."""
    printed: Pixels
    """(height, width) uint8, 255 = full: rules, boxes and whatever else is no mark."""
    labels: list[str] = field(default_factory=lambda: ["paper"])
    """What each mark is, by its number."""

    @classmethod
    def blank(cls, height: float, width: float) -> Sheet:
        """A sheet of so many pixels without any ink."""
        shape = (int(height), int(width))
        return cls(np.zeros(shape, np.uint8), np.zeros(shape, np.int16), np.zeros(shape, np.uint8))

    @property
    def height(self) -> int:
        """Pixels."""
        return self.ink.shape[0]

    @property
    def width(self) -> int:
        """Pixels."""
        return self.ink.shape[1]

    def paste(self, ink: Pixels, x: float, y: float, label: str) -> int:
        """Put a mark's ink with its left top at (x, y); returns the mark's number, 0 if all of it is off the sheet."""
        left, top = round(x), round(y)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.width, left + ink.shape[1]), min(self.height, top + ink.shape[0])
        own = ink > INK_LEVEL * ink.max()
        inside = np.s_[y0 - top : max(y0, y1) - top, x0 - left : max(x0, x1) - left]
        count = int(own[inside].sum())
        if not count:
            return 0
        there = np.s_[y0:y1, x0:x1]
        np.maximum(self.ink[there], ink[inside], out=self.ink[there])
        number = len(self.labels)
        self.ids[there][own[inside]] = number
        self.labels.append(label)
        self._cut(number, count / int(own.sum()))
        return number

    def trace(self, strokes: list[Stroke], pen: float, label: str) -> int:
        """Draw strokes given in the sheet's pixels, and return their number as ``paste`` does."""
        size = max(*extent(strokes), 0.0) + pen
        corner = np.concatenate(strokes).min(axis=0) - pen / 2 - 1
        return self.paste(draw(strokes, size, pen), float(corner[0]), float(corner[1]), label)

    def doubt(self, number: int) -> None:
        """Say that nobody should read this mark."""
        self.labels[number] = UNREAD + self.labels[number].lstrip(UNREAD)

    def box(self, first: int = 1) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom of the marks from this number on, or None if there is no ink of theirs."""
        x, y, width, height = cv2.boundingRect((self.ids >= max(1, first)).astype(np.uint8))
        return (x, y, x + width, y + height) if width else None

    def framed(self, left: int, top: int, right: int, bottom: int) -> Sheet:
        """The part of the sheet between these columns and rows; what lies outside the sheet is blank."""
        x0, y0, x1, y1 = max(0, left), max(0, top), min(self.width, right), min(self.height, bottom)
        around = (y0 - top, bottom - y1, x0 - left, right - x1)
        ink, ids, printed = (
            cv2.copyMakeBorder(np.ascontiguousarray(part[y0:y1, x0:x1]), *around, cv2.BORDER_CONSTANT)
            for part in (self.ink, self.ids, self.printed)
        )
        framed = Sheet(ink, ids, printed, self.labels.copy())
        before, after = (np.bincount(part.ravel(), minlength=len(self.labels)) for part in (self.ids, ids))
        for number in np.flatnonzero(before[1:]) + 1:
            framed._cut(int(number), after[number] / before[number])
        return framed

    def _cut(self, number: int, left: float) -> None:
        """Say what a mark is of whose ink this share, 0 to 1, is left."""
        if left < WHOLE_SHARE and self.labels[number].isdecimal() and left > UNCLEAR_SHARE:
            self.labels[number] = UNCLEAR
        elif left < WHOLE_SHARE:
            self.doubt(number)


class Written(NamedTuple):
    """A mark on a sheet."""

    character: str
    ink: Pixels
    x: int
    """Where its left is, pixels."""
    y: int
    """Where its top is, pixels."""


def write(
    sheet: Sheet, hand: Hand, text: str, x: float, y: float, rng: np.random.Generator, size: float = 1.0
) -> float:
    """Write one line of text whose digits have their top at ``y``; returns where it ends.

    ``size``: times the height of the hand's digits. A space is a gap of half a digit to a whole one.
    """
    start, height = x, size * hand.height
    before: Written | None = None
    for character in text:
        if character == " ":
            x += height * rng.uniform(0.4, 0.9)
            before = None
            continue
        ink = write_mark(hand, character, rng, size * float(np.exp(rng.normal(0, hand.uneven))))
        if ink is None:
            x += 0.5 * height
            before = None
            continue
        tall, wide = ink.shape
        gap = hand.gap * height * float(np.exp(rng.normal(0, 0.25)))
        top = y + _drop(character, height, tall) + rng.normal(0, hand.hop * height)
        joined = False
        if before and rng.uniform() < _touch(hand, before.character, character):
            joined = before.character.isdecimal() and character.isdecimal() and rng.uniform() < LIGATURE_SHARE
            apart = rng.uniform(*LIGATURE) if joined else -DEEPEST * rng.uniform() ** 2
            one = Written(character, ink, 0, round(top + hand.tilt * (before.x + before.ink.shape[1] - start)))
            x = beside(before, one, apart * height)
        one = Written(character, ink, round(x), round(top + hand.tilt * (x - start)))
        sheet.paste(ink, one.x, one.y, character)
        if before and joined:
            _join(sheet, before, one, hand.pen * rng.uniform(*LIGATURE_PEN), rng)
        before = one
        x += wide - 2 + gap
    return x


def _touch(hand: Hand, before: str, character: str) -> float:
    """How likely a mark touches the one before it, 0 to 1."""
    if before == character == "0":
        return max(hand.touch, hand.chain)
    return hand.touch if before.isalnum() and character.isalnum() else SIGNS_SHARE * hand.touch


def beside(before: Written, one: Written, apart: float) -> float:
    """Where the left of a mark is when its ink is ``apart`` pixels from that of the one before, or so far in it."""
    first, second = (each.ink > INK_LEVEL * each.ink.max() for each in (before, one))
    top, bottom = max(before.y, one.y), min(before.y + len(first), one.y + len(second))
    a, b = first[top - before.y : bottom - before.y], second[top - one.y : bottom - one.y]
    rows = a.any(axis=1) & b.any(axis=1) if bottom > top else np.zeros(0, bool)
    wide = first.shape[1]
    contact = wide
    if rows.any():
        contact = int((wide - a[rows, ::-1].argmax(axis=1) - b[rows].argmax(axis=1)).max())
    narrower = min(wide, second.shape[1])
    apart = min(max(apart, -DEEPEST_SHARE * narrower), -1.0) if apart < 0 else apart
    return before.x + max(contact + apart, wide - NESTED * narrower)


def _join(sheet: Sheet, before: Written, one: Written, pen: float, rng: np.random.Generator) -> None:
    """Draw a stroke from the right of a mark to the left of the next: it belongs to neither."""
    start = _side(before, rng.uniform(0.3, 0.97), right=True)
    end = _side(one, rng.uniform(0.05, 0.97), right=False)
    sag = np.array([0, rng.uniform(-0.1, 0.4) * abs(end[0] - start[0])])
    path = np.array([start, (start + end) / 2 + sag, end])
    cv2.polylines(sheet.ink, [np.round(16 * path).astype(np.int32)], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)


def _side(one: Written, height: float, *, right: bool) -> NDArray[np.float64]:
    """The outermost ink of a mark near this share of its height, x and y in pixels of the sheet."""
    own = one.ink > INK_LEVEL * one.ink.max()
    rows = np.flatnonzero(own.any(axis=1))
    row = int(rows[np.abs(rows - height * len(own)).argmin()])
    across = np.flatnonzero(own[row])
    return np.array([one.x + across[-1 if right else 0], one.y + row], float)


def _drop(character: str, height: float, tall: int) -> float:
    """How far below the top of a digit ``height`` pixels tall the top of this character of ``tall`` pixels is."""
    if character in "-~+=<>*×÷:→•":
        return 0.5 * (height - tall)
    if character in "'\"^`":
        return 0.0
    if character in ",;":
        return height - 0.5 * tall
    # A long tail hangs below the line.
    tail = 0.7 * max(0.0, tall - 1.1 * height) if character in TAILED else 0.0
    return height - tall + tail + (0.25 * height if character in "gjpqy" else 0.0)
