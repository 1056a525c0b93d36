"""A sheet that marks are written on, and which mark each pixel of its ink belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

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


def write(
    sheet: Sheet, hand: Hand, text: str, x: float, y: float, rng: np.random.Generator, size: float = 1.0
) -> float:
    """Write one line of text whose digits have their top at ``y``; returns where it ends.

    ``size``: times the height of the hand's digits. A space is a gap of half a digit to a whole one.
    """
    start, height = x, size * hand.height
    for character in text:
        if character == " ":
            x += height * rng.uniform(0.4, 0.9)
            continue
        ink = write_mark(hand, character, rng, size * float(np.exp(rng.normal(0, hand.uneven))))
        if ink is None:
            x += 0.5 * height
            continue
        tall, wide = ink.shape
        gap = hand.gap * height * float(np.exp(rng.normal(0, 0.25)))
        if x > start and rng.uniform() < hand.touch:
            x -= gap + min(height * rng.uniform(0.02, 0.12), 0.4 * wide)
        top = y + _drop(character, height, tall) + rng.normal(0, hand.hop * height)
        sheet.paste(ink, x, top + hand.tilt * (x - start), character)
        x += wide - 2 + gap
    return x


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
