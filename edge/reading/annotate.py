"""Draw a reading as a picture: boxes, digits and reasons on the frame; below it the 28x28 glyphs that the model saw."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.reading.reader import Analysis
from edge.types import Box, Digit, Pixels, Reading

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]
"""(height, width, 3) uint8, BGR."""
Area = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of the picture, pixels."""

READ: Colour = (60, 140, 0)
UNREAD: Colour = (90, 90, 90)
WHITE: Colour = (255, 255, 255)
WIDTH = 1280
"""Largest side of a frame in the picture, pixels; small frames are enlarged by a whole number, up to half of it."""
CELL = 84
"""Side of a glyph below the frame, pixels: three times its own."""
CAPTION = 22
"""Height of the text below a glyph, pixels."""
TITLE = 34
"""Height of the line of text with the reading, pixels."""
DASH = 4
"""Length of a dash around a mark that was not read, and of the gap after it, pixels."""
REASON_SIZE = 0.4
"""Height of the letters of a reason, as a share of the font's own height."""
TEXT_SIZE = 0.55
"""Height of the letters of the text above a picture, as a share of the font's own height."""
PICTURE_BYTES = 200_000
"""Largest JPEG that is sent over a network, bytes: chosen, as a finer picture is not worth the traffic."""
QUALITIES = (85, 60, 35, 15)
"""JPEG qualities, 0 to 100, that are tried in this order until the JPEG has at most PICTURE_BYTES."""
FONT = cv2.FONT_HERSHEY_SIMPLEX


class LastRead:
    """The last reading as a picture. It is drawn only on request: to keep a reading costs one assignment."""

    def __init__(self) -> None:
        self._shown: tuple[int, Pixels, Analysis] | None = None
        self._drawn: tuple[int, bytes] | None = None

    def show(self, pixels: Pixels, analysis: Analysis) -> None:
        """Keep a new reading; ``pixels`` are not copied."""
        self._shown = (self._shown[0] + 1 if self._shown else 1, pixels, analysis)

    def jpeg(self) -> tuple[int, bytes] | None:
        """The number of the reading, from 1, and its JPEG of at most PICTURE_BYTES; None before the first reading.

        May be called from any thread; each picture is drawn only once.
        """
        if (shown := self._shown) is None:
            return None
        if (drawn := self._drawn) is None or drawn[0] != shown[0]:
            drawn = self._drawn = (shown[0], _jpeg(annotate(shown[1], shown[2])))
        return drawn


def _jpeg(picture: Picture) -> bytes:
    while True:
        for quality in QUALITIES:
            packed = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
            if len(packed) <= PICTURE_BYTES:
                return packed
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def annotate(pixels: Pixels, analysis: Analysis) -> Picture:
    """A grey frame (height, width) uint8 and its analysis -> a picture (height, width, 3) uint8, BGR."""
    scale = min(WIDTH / pixels.shape[1], WIDTH / pixels.shape[0], max(1, WIDTH // 2 // max(pixels.shape)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    # A picture of one line keeps it.
    size = max(1, round(scale * pixels.shape[1])), max(1, round(scale * pixels.shape[0]))
    frame = cv2.resize(pixels, size, interpolation=method)
    (height, width), across = frame.shape, max(1, max(frame.shape[1], 4 * (CELL + 8)) // (CELL + 8))
    # Everything is drawn into one array, without copies: on a small computer memory of large copies is not given back.
    rows = -(-len(analysis.glyphs) // across)
    shape = (height + TITLE + rows * (CELL + CAPTION + 6), max(width, across * (CELL + 8)), 3)
    sheet = np.full(shape, 245, np.uint8)
    sheet[:height, :width] = frame[..., None]
    _draw_marks(sheet[:height, :width], analysis.reading, scale)
    for i, (glyph, candidate, accepted) in enumerate(
        zip(analysis.glyphs, analysis.candidates, analysis.accepted, strict=True)
    ):
        x, y = i % across * (CELL + 8) + 4, height + TITLE + i // across * (CELL + CAPTION + 6) + 3
        large = cv2.resize(glyph.pixels, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
        sheet[y : y + CELL, x : x + CELL] = large[..., None]
        below, colour = f"{candidate.digit} {candidate.belief:.0%}", READ if accepted else UNREAD
        cv2.putText(sheet, below, (x, y + CELL + 15), FONT, 0.5, colour, 1, cv2.LINE_AA)
    title = (analysis.reading.text or f"nothing read: {analysis.reading.reason}").replace("\n", " / ")
    cv2.putText(sheet, title, (6, height + 24), FONT, 0.7, (30, 30, 30), 2, cv2.LINE_AA)
    return sheet


def with_text(picture: Picture, text: str) -> Picture:
    """A picture (height, width, 3) uint8 with more text above it, in as many lines as it needs."""
    # Imported here, as edge run does not need it.
    import textwrap

    (width, _), _ = cv2.getTextSize(text, FONT, TEXT_SIZE, 1)
    characters = max(1, int(len(text) * (picture.shape[1] - 12) / max(1, width)))
    lines = textwrap.wrap(text, characters)
    head = np.full((len(lines) * CAPTION + 8, picture.shape[1], 3), 245, np.uint8)
    for n, line in enumerate(lines):
        cv2.putText(head, line, (6, (n + 1) * CAPTION - 4), FONT, TEXT_SIZE, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([head, picture])


def _draw_marks(picture: Picture, reading: Reading, scale: float) -> None:
    """Draw the boxes of what was read and of what was not, and the reasons where they cover no other box or text."""
    taken = [area for digit in reading.digits for area in _draw_digit(picture, digit, scale)]
    for mark in reading.unread:
        taken.append(_around(mark.box, scale))
        _draw_dashes(picture, taken[-1])
    for mark in reading.likeliest_unread:
        if area := _draw_reason(picture, mark.reason, _around(mark.box, scale), taken):
            taken.append(area)


def _around(box: Box, scale: float) -> Area:
    x, y, width, height = (round(n * scale) for n in box)
    return x - 3, y - 3, x + width + 3, y + height + 3


def _draw_digit(picture: Picture, digit: Digit, scale: float) -> tuple[Area, Area]:
    """Draw the box and the label of a digit, and return where they are."""
    box = left, top, _, _ = _around(digit.box, scale)
    cv2.rectangle(picture, box[:2], box[2:], READ, 2)
    (w, h), _ = cv2.getTextSize(str(digit.digit), FONT, 0.8, 2)
    # The label has its own background above the box, or inside the box where there is no room above.
    y = top - h - 9 if top - h - 9 >= 0 else top + 3
    label = left - 1, y, left + w + 7, y + h + 8
    cv2.rectangle(picture, label[:2], label[2:], READ, cv2.FILLED)
    cv2.putText(picture, str(digit.digit), (left + 3, y + h + 3), FONT, 0.8, WHITE, 2, cv2.LINE_AA)
    return box, label


def _draw_dashes(picture: Picture, area: Area) -> None:
    """Draw a thin box of grey and white dashes, which is seen on dark and on light paper."""
    right, bottom = picture.shape[1] - 1, picture.shape[0] - 1
    x, y, x_end, y_end = max(0, area[0]), max(0, area[1]), min(right, area[2]), min(bottom, area[3])
    for side in (picture[y, x:x_end], picture[y_end, x:x_end], picture[y:y_end, x], picture[y:y_end, x_end]):
        side[:] = WHITE
        side[np.arange(len(side)) % (2 * DASH) < DASH] = UNREAD


def _draw_reason(picture: Picture, reason: str, box: Area, taken: list[Area]) -> Area | None:
    """Write a reason above or below its box, and return where; None where it would cover something ``taken``."""
    height, width = picture.shape[:2]
    (w, h), _ = cv2.getTextSize(reason, FONT, REASON_SIZE, 1)
    x = max(0, min(box[0], width - w - 4))
    for y in (box[1] - h - 8, box[3] + 2):
        area = x, y, x + w + 4, y + h + 6
        if y >= 0 and area[2] <= width and area[3] <= height and not any(_overlap(area, other) for other in taken):
            cv2.rectangle(picture, area[:2], area[2:], WHITE, cv2.FILLED)
            cv2.putText(picture, reason, (x + 2, y + h + 2), FONT, REASON_SIZE, UNREAD, 1, cv2.LINE_AA)
            return area
    return None


def _overlap(one: Area, other: Area) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
