"""What the kinds of situations share: numbers, a line of writing, paper around it, printed text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge.reading.evaluation import only_digits
from edge.types import Pixels
from tests.scoreboard.base_pages import Rng, photograph
from tests.scoreboard.hands import Hands, Line

Situation = Callable[[Rng, Hands, int], tuple[Pixels, str]]
"""(random generator, writers, strength 1 to 3) -> page (height, width) uint8, and the digits written on it."""
TYPEFACES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono-Bold")
"""File names, without .ttf, of typefaces that come with Matplotlib."""


def number(rng: Rng, least: int, most: int) -> str:
    """``least`` to ``most`` digits, the first of them not 0."""
    digits = rng.integers(10, size=int(rng.integers(least, most + 1)))
    digits[0] = rng.integers(1, 10)
    return "".join(map(str, digits.tolist()))


def one_of(rng: Rng, choices: str | tuple[str, ...]) -> str:
    """One of them at random."""
    return choices[int(rng.integers(len(choices)))]


def written(
    rng: Rng, hands: Hands, text: str, em: float | None = None, *, strength: int = 1, pen: float | None = None
) -> tuple[Line, float, float]:
    """A line of writing by any hand, its em and its pen in pixels; characters are closer at each strength."""
    em = float(rng.uniform(42, 85)) if em is None else em
    pen = max(1.6, float(rng.uniform(0.05, 0.12)) * em) if pen is None else pen
    gap = ((0.22, 0.45), (0.14, 0.32), (0.1, 0.22))[strength - 1]
    return hands.pick(rng).write(rng, text, em, pen, gap=gap, space=(0.55, 0.9)), em, pen


def around(rng: Rng, ink: Pixels, em: float, least: float = 0.4, most: float = 1.1) -> Pixels:
    """The ink with ``least`` to ``most`` em of paper on each side."""
    top, bottom, left, right = np.round(rng.uniform(least, most, 4) * em).astype(int).tolist()
    return np.pad(ink, ((top, bottom), (left, right)))


def one_line(rng: Rng, hands: Hands, text: str, strength: int) -> tuple[Pixels, str]:
    """A page cut out around one line of writing."""
    line, em, _ = written(rng, hands, text, strength=strength)
    return photograph(rng, around(rng, line.ink, em)), only_digits(text)


def on_page(rng: Rng, ink: Pixels, shape: tuple[int, int], top: float, left: float) -> Pixels:
    """The ink on an empty page of this shape, at a share of the room that is left; reduced where it is too large."""
    fit = min(1.0, 0.95 * shape[0] / ink.shape[0], 0.95 * shape[1] / ink.shape[1])
    if fit < 1:
        ink = cv2.resize(ink, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA)
    page = np.zeros(shape, np.uint8)
    y, x = round(top * (shape[0] - ink.shape[0])), round(left * (shape[1] - ink.shape[1]))
    page[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    return page


def beside(pieces: list[Pixels], spaces: list[float]) -> Pixels:
    """Pieces of ink side by side on one baseline, with so many pixels between them."""
    height = max(piece.shape[0] for piece in pieces)
    columns: list[Pixels] = []
    for i, piece in enumerate(pieces):
        if i:
            columns.append(np.zeros((height, round(spaces[i - 1])), np.uint8))
        columns.append(np.pad(piece, ((height - piece.shape[0], 0), (0, 0))))
    return np.hstack(columns)


def below(pieces: list[Pixels], space: float, *, right: bool) -> tuple[Pixels, list[int]]:
    """Pieces of ink one below the other, ``space`` pixels apart, flush left or ``right``; and the top of each."""
    width = max(piece.shape[1] for piece in pieces)
    rows: list[Pixels] = []
    tops: list[int] = []
    for piece in pieces:
        tops.append(sum(row.shape[0] for row in rows))
        room = width - piece.shape[1]
        rows.append(np.pad(piece, ((0, round(space)), (room, 0) if right else (0, room))))
    return np.vstack(rows), tops


@cache
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf")), size)


def printed(text: str, em: float, face: str = "DejaVuSans-Bold") -> Pixels:
    """Printed text whose digits are ``em`` pixels tall, cropped to its ink but for what is below the baseline."""
    font = _font(face, max(6, round(em / 0.73)))
    left, _, right, bottom = font.getbbox(text)
    page = Image.new("L", (round(right - left) + 8, round(bottom) + 8))
    ImageDraw.Draw(page).text((4 - left, 4), text, fill=255, font=font)
    ink = np.asarray(page)
    x, y, width, height = cv2.boundingRect(cv2.threshold(ink, 40, 255, cv2.THRESH_BINARY)[1])
    return np.ascontiguousarray(ink[y : y + height, x : x + width])


def rule(ink: Pixels, points: list[tuple[float, float]], pen: float, grey: int = 255, *, closed: bool = False) -> None:
    """Draw straight lines between points (x, y) into the ink."""
    fixed = np.round(np.array(points) * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(ink, [fixed], closed, grey, max(1, round(pen)), cv2.LINE_AA, 4)


def shaky(rng: Rng, start: tuple[float, float], end: tuple[float, float], by: float) -> list[tuple[float, float]]:
    """A line that a hand drew: points from start to end that stray by up to about ``by`` pixels."""
    along = np.linspace(0, 1, 12)[:, None]
    straight = np.array(start) * (1 - along) + np.array(end) * along
    stray = np.convolve(rng.normal(0, by, 16), np.ones(5) / 5, "valid")[:, None]
    return [(float(x), float(y)) for x, y in straight + stray * np.array([[0.3, 1.0]])]
