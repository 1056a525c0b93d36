"""Draw a reading as a picture: boxes and digits on the frame; below it the 28x28 glyphs that the model saw."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.reading.reader import Analysis
from edge.types import Glyph, Pixels

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]
"""(height, width, 3) uint8, BGR."""

READ: Colour = (60, 140, 0)
REJECTED: Colour = (60, 60, 220)
WIDTH = 1280
"""Largest side of a frame in the picture, pixels; small frames are enlarged by a whole number, up to half of it."""
CELL = 84
"""Side of a glyph below the frame, pixels: three times its own."""
CAPTION = 22
"""Height of the text below a glyph, pixels."""
TITLE = 34
"""Height of the line of text with the reading, pixels."""
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
    frame = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=method)
    (height, width), across = frame.shape, max(1, max(frame.shape[1], 4 * (CELL + 8)) // (CELL + 8))
    # Everything is drawn into one array, without copies: on a small computer memory of large copies is not given back.
    rows = -(-len(analysis.glyphs) // across)
    shape = (height + TITLE + rows * (CELL + CAPTION + 6), max(width, across * (CELL + 8)), 3)
    sheet = np.full(shape, 245, np.uint8)
    sheet[:height, :width] = frame[..., None]
    for i, (glyph, candidate, accepted) in enumerate(
        zip(analysis.glyphs, analysis.candidates, analysis.accepted, strict=True)
    ):
        best = "none" if candidate.digit is None else str(candidate.digit)
        _box(sheet[:height, :width], glyph, scale, best if accepted else "?", READ if accepted else REJECTED)
        x, y = i % across * (CELL + 8) + 4, height + TITLE + i // across * (CELL + CAPTION + 6) + 3
        large = cv2.resize(glyph.pixels, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
        sheet[y : y + CELL, x : x + CELL] = large[..., None]
        below, colour = f"{best} {candidate.confidence:.0%}", READ if accepted else REJECTED
        cv2.putText(sheet, below, (x, y + CELL + 15), FONT, 0.5, colour, 1, cv2.LINE_AA)
    title = (analysis.reading.text or f"nothing read: {analysis.reading.reason}").replace("\n", " / ")
    cv2.putText(sheet, title, (6, height + 24), FONT, 0.7, (30, 30, 30), 2, cv2.LINE_AA)
    return sheet


def _box(picture: Picture, glyph: Glyph, scale: float, label: str, colour: Colour) -> None:
    x, y, width, height = (round(n * scale) for n in glyph.box)
    cv2.rectangle(picture, (x - 3, y - 3), (x + width + 3, y + height + 3), colour, 2)
    (w, h), _ = cv2.getTextSize(label, FONT, 0.8, 2)
    # The label has its own background above the box, or inside the box where there is no room above.
    top = y - h - 12 if y - h - 12 >= 0 else y
    cv2.rectangle(picture, (x - 4, top), (x + w + 4, top + h + 8), colour, cv2.FILLED)
    cv2.putText(picture, label, (x, top + h + 3), FONT, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
