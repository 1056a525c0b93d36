"""Printed characters, in the typefaces that come with Matplotlib."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from edge.types import Pixels

TYPEFACES = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSerif",
    "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmb10",
    "cmss10", "cmtt10", "cmti10",
)  # fmt: skip
"""File names of the typefaces, without .ttf."""
LETTERS = "ACEFHKLMNRTUVWXYacdefhkmnrtuvwxy?&%#+=@$~"
"""Characters that cannot be mistaken for a digit."""
EM = 48
"""Font size, pixels."""


@cache
def _render(face: str, text: str) -> Pixels:
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf")
    page = Image.new("L", (2 * EM * len(text) + EM, 3 * EM))
    ImageDraw.Draw(page).text((EM // 2, EM // 2), text, fill=255, font=ImageFont.truetype(str(path), EM))
    ink = np.asarray(page)
    x, y, width, height = cv2.boundingRect(cv2.threshold(ink, 40, 255, cv2.THRESH_BINARY)[1])
    return np.ascontiguousarray(ink[y : y + height, x : x + width])


def printed(text: str, rng: np.random.Generator) -> Pixels:
    """The text in a random typeface, about EM pixels tall, uint8, 255 = ink; width, slant and weight vary."""
    ink = _render(TYPEFACES[int(rng.integers(len(TYPEFACES)))], text)
    ink = cv2.resize(ink, None, fx=rng.uniform(0.75, 1.25), fy=1, interpolation=cv2.INTER_LINEAR)
    edge = EM // 2
    ink = cv2.copyMakeBorder(ink, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    lean, turn = rng.normal(0, 0.1), rng.normal(0, 0.05)
    middle = np.array([ink.shape[1] / 2, ink.shape[0] / 2])
    matrix = np.array([[1, lean - turn], [turn, 1]])
    ink = cv2.warpAffine(ink, np.column_stack([matrix, middle - matrix @ middle]), ink.shape[::-1])
    size = int(rng.integers(1, 4))
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(ink, window) if rng.uniform() < 0.6 else cv2.erode(ink, window)
