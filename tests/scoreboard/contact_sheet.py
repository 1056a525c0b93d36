"""Contact sheets of misread pictures: the picture, its text, what was read, and the glyphs that the model saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.images import save
from edge.types import Pixels

WIDTH, HEIGHT = 280, 210
"""Largest width and height of a picture on the sheet, pixels."""
GLYPH = 40
"""Side of a glyph below the picture, pixels."""
LINE = 16
"""Height of a line of text, pixels."""
ACROSS = 4
"""Pictures in a row of the sheet."""
FONT = cv2.FONT_HERSHEY_SIMPLEX


def tile(pixels: Pixels, truth: str, answer: str, glyphs: Sequence[tuple[Pixels, str]]) -> Pixels:
    """A grey picture, what is written on it, what was read, and the first glyphs (28, 28), each with a label."""
    made = np.full((HEIGHT + LINE + GLYPH + LINE + 6, WIDTH, 3), 60, np.uint8)
    fit = min(WIDTH / pixels.shape[1], HEIGHT / pixels.shape[0])
    size = (max(1, round(fit * pixels.shape[1])), max(1, round(fit * pixels.shape[0])))
    method = cv2.INTER_AREA if fit < 1 else cv2.INTER_NEAREST
    made[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=method)[..., None]
    caption = f"{truth or 'no digit'} > {answer}".replace("\n", "/")
    cv2.putText(made, caption[:44], (3, HEIGHT + 12), FONT, 0.4, (90, 200, 255), 1, cv2.LINE_AA)
    for i, (glyph, label) in enumerate(glyphs[: WIDTH // GLYPH]):
        x, y = i * GLYPH, HEIGHT + LINE
        large = cv2.resize(glyph, (GLYPH - 2, GLYPH - 2), interpolation=cv2.INTER_NEAREST)
        made[y : y + GLYPH - 2, x : x + GLYPH - 2] = large[..., None]
        cv2.putText(made, label, (x, y + GLYPH + 10), FONT, 0.33, (230, 230, 230), 1, cv2.LINE_AA)
    return made


def write_sheet(tiles: Sequence[Pixels], path: Path) -> None:
    """The tiles in rows, as one picture. Raises ImageError."""
    rows = -(-len(tiles) // ACROSS)
    height, width = tiles[0].shape[:2]
    sheet = np.full((rows * height, min(ACROSS, len(tiles)) * width, 3), 60, np.uint8)
    for i, one in enumerate(tiles):
        y, x = i // ACROSS * height, i % ACROSS * width
        sheet[y : y + height, x : x + width] = one
    save(sheet, path)
