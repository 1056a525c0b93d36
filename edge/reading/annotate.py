"""A reading as a picture: boxes, digits and confidences on the frame, and below it each 28x28 that the model saw."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.reading.reader import Analysis
from edge.types import Glyph, Pixels

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]

READ: Colour = (60, 140, 0)
REJECTED: Colour = (60, 60, 220)
WIDTH = 1280
"""Widest picture, pixels; frames are shrunk to it, and enlarged by a whole number to at least half of it."""
CELL = 84
"""Side of a glyph in the strip below, pixels: three for one."""
CAPTION, TITLE = 22, 34
PICTURE_BYTES = 200_000
"""A JPEG for a network is no larger; a finer one is not worth the way."""
QUALITIES = (85, 60, 35, 15)
"""JPEG qualities, the first that fits is taken."""
FONT = cv2.FONT_HERSHEY_SIMPLEX


class LastRead:
    """What was last read, and drawn only when somebody asks: who shows it pays for one assignment."""

    def __init__(self) -> None:
        self._shown: tuple[int, Pixels, Analysis] | None = None
        self._drawn: tuple[int, bytes] | None = None

    def show(self, pixels: Pixels, analysis: Analysis) -> None:
        """This is what was read now; ``pixels`` are kept, not copied."""
        self._shown = (self._shown[0] + 1 if self._shown else 1, pixels, analysis)

    def jpeg(self) -> tuple[int, bytes] | None:
        """The how-manieth it is, from 1, and its JPEG of PICTURE_BYTES at most; None before the first.

        Any thread may ask; a picture is drawn once.
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
    """(height, width) grey and what was seen in it -> (height, width, 3) uint8 BGR."""
    scale = min(WIDTH / pixels.shape[1], WIDTH / pixels.shape[0], max(1, WIDTH // 2 // max(pixels.shape)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    frame = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=method)
    (height, width), across = frame.shape, max(1, max(frame.shape[1], 4 * (CELL + 8)) // (CELL + 8))
    # All on one sheet, nothing put together afterwards: on a small computer each large copy is memory that stays taken.
    rows = -(-len(analysis.glyphs) // across)
    whole = (height + TITLE + rows * (CELL + CAPTION + 6), max(width, across * (CELL + 8)), 3)
    sheet = np.full(whole, 245, np.uint8)
    sheet[:height, :width] = frame[..., None]
    for i, (glyph, candidate, kept) in enumerate(zip(analysis.glyphs, analysis.candidates, analysis.kept, strict=True)):
        best = "none" if candidate.digit is None else str(candidate.digit)
        _box(sheet[:height, :width], glyph, scale, best if kept else "?", READ if kept else REJECTED)
        x, y = i % across * (CELL + 8) + 4, height + TITLE + i // across * (CELL + CAPTION + 6) + 3
        large = cv2.resize(glyph.pixels, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
        sheet[y : y + CELL, x : x + CELL] = large[..., None]
        below, colour = f"{best} {candidate.confidence:.0%}", READ if kept else REJECTED
        cv2.putText(sheet, below, (x, y + CELL + 15), FONT, 0.5, colour, 1, cv2.LINE_AA)
    title = (analysis.reading.text or f"nothing read: {analysis.reading.reason}").replace("\n", " / ")
    cv2.putText(sheet, title, (6, height + 24), FONT, 0.7, (30, 30, 30), 2, cv2.LINE_AA)
    return sheet


def _box(picture: Picture, glyph: Glyph, scale: float, label: str, colour: Colour) -> None:
    x, y, width, height = (round(n * scale) for n in glyph.box)
    cv2.rectangle(picture, (x - 3, y - 3), (x + width + 3, y + height + 3), colour, 2)
    (w, h), _ = cv2.getTextSize(label, FONT, 0.8, 2)
    # The label stands on a plate of its own above the box, or inside where there is no room above.
    top = y - h - 12 if y - h - 12 >= 0 else y
    cv2.rectangle(picture, (x - 4, top), (x + w + 4, top + h + 8), colour, cv2.FILLED)
    cv2.putText(picture, label, (x, top + h + 3), FONT, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
