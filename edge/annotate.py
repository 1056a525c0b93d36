"""A reading as a picture: boxes, digits and confidences on the frame, and below it each 28x28 that the model saw."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.reader import Sight
from edge.types import Glyph, Pixels

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]

READ: Colour = (60, 140, 0)
REJECTED: Colour = (60, 60, 220)
WIDTH = 1280
"""Widest picture, pixels; frames are shrunk to it, and enlarged by a whole number to at least half of it."""
CELL = 84
"""Side of a glyph in the strip below, pixels: three for one."""
CAPTION = 22
FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotate(pixels: Pixels, sight: Sight) -> Picture:
    """(height, width) grey and what was seen in it -> (height, width, 3) uint8 BGR."""
    scale = min(WIDTH / pixels.shape[1], WIDTH / pixels.shape[0], max(1, WIDTH // 2 // max(pixels.shape)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    picture = cv2.cvtColor(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=method), cv2.COLOR_GRAY2BGR)
    labels = []
    for glyph, candidate, kept in zip(sight.glyphs, sight.candidates, sight.kept, strict=True):
        best = "none" if candidate.digit is None else str(candidate.digit)
        labels.append((glyph, f"{best} {candidate.confidence:.0%}", kept))
        _box(picture, glyph, scale, best if kept else "?", READ if kept else REJECTED)
    return _under(
        picture,
        _strip(labels, picture.shape[1]),
        sight.reading.text or f"nothing read: {sight.reading.reason}",
    )


def _box(picture: Picture, glyph: Glyph, scale: float, label: str, colour: Colour) -> None:
    x, y, width, height = (round(n * scale) for n in glyph.box)
    cv2.rectangle(picture, (x - 3, y - 3), (x + width + 3, y + height + 3), colour, 2)
    (w, h), _ = cv2.getTextSize(label, FONT, 0.8, 2)
    # The label stands on a plate of its own above the box, or inside where there is no room above.
    top = y - h - 12 if y - h - 12 >= 0 else y
    cv2.rectangle(picture, (x - 4, top), (x + w + 4, top + h + 8), colour, cv2.FILLED)
    cv2.putText(picture, label, (x, top + h + 3), FONT, 0.8, (255, 255, 255), 2, cv2.LINE_AA)


def _strip(labels: list[tuple[Glyph, str, bool]], width: int) -> Picture:
    """The glyphs in rows, each with its best digit and probability below."""
    across = max(1, max(width, 4 * (CELL + 8)) // (CELL + 8))
    rows = -(-len(labels) // across)
    strip = np.full((rows * (CELL + CAPTION + 6), max(width, across * (CELL + 8)), 3), 245, np.uint8)
    for i, (glyph, label, kept) in enumerate(labels):
        x, y = i % across * (CELL + 8) + 4, i // across * (CELL + CAPTION + 6) + 3
        large = cv2.resize(glyph.pixels, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
        strip[y : y + CELL, x : x + CELL] = large[..., None]
        cv2.putText(strip, label, (x, y + CELL + 15), FONT, 0.5, READ if kept else REJECTED, 1, cv2.LINE_AA)
    return strip


def _under(picture: Picture, strip: Picture, text: str) -> Picture:
    """The picture, a line with what was read, and the strip, on one sheet."""
    title = np.full((34, strip.shape[1], 3), 245, np.uint8)
    cv2.putText(title, text.replace("\n", " / "), (6, 24), FONT, 0.7, (30, 30, 30), 2, cv2.LINE_AA)
    sheet = np.full((picture.shape[0], strip.shape[1], 3), 245, np.uint8)
    sheet[:, : picture.shape[1]] = picture
    return np.vstack([sheet, title, strip])
