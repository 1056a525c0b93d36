"""Place digits on a page: in lines and columns, level, tilted or curved, apart or touching.

Ink is (height, width) uint8, 0 = none, 255 = full; lengths are pixels unless em is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Pixels
from tests.scoreboard.pens import enlarge

SHAPES = ((480, 640), (480, 640), (480, 640), (960, 1280), (240, 320))
"""The page sizes from which one is drawn: height and width, pixels."""
MOST = 8
"""Most digits on a page."""
Pen = Callable[[Pixels, float], Pixels]
"""A function that writes a glyph: (28, 28) and an em in pixels -> ink."""


@dataclass(frozen=True, slots=True)
class Digits:
    """A stock of digits: glyphs (n, 28, 28) uint8, light ink on black, and the label of each."""

    glyphs: Pixels
    labels: NDArray[np.uint8]

    def pick(self, rng: np.random.Generator, count: int) -> tuple[list[Pixels], str]:
        """``count`` of them at random, and their text."""
        chosen = rng.integers(len(self.glyphs), size=count)
        return [self.glyphs[i] for i in chosen], "".join(str(self.labels[i]) for i in chosen)


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of digits, cropped to their ink."""

    ink: Pixels
    truth: str
    """What is written, lines joined by ``\\n``."""
    em: float
    boxes: tuple[tuple[Box, ...], ...]
    """Where each digit of each row is."""
    baselines: tuple[float, ...]
    """The y of each row's baseline."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a page and of its digits, and how many digits it has."""

    shape: tuple[int, int]
    em: float
    rows: tuple[int, ...]
    """The number of digits in each row."""


def plan(rng: np.random.Generator, *, least: int = 1, most: int = MOST, lines: int = 3) -> Plan:
    """A page of ``least`` to ``most`` digits in up to ``lines`` rows; digits 30 to 150 pixels tall."""
    shape = SHAPES[int(rng.integers(len(SHAPES)))]
    smallest, largest = 30 * max(1, shape[0] / 640), min(150, 0.45 * shape[0])
    em = float(np.exp(rng.uniform(np.log(smallest), np.log(largest))))
    count = int(rng.integers(least, most + 1))
    across = max(1, int(0.88 * shape[1] / (1.25 * em)))
    down = max(1, min(lines, int(0.88 * shape[0] / (1.7 * em))))
    rows = min(down, int(rng.integers(1, lines + 1)), count)
    each = [min(across, count // rows + (i < count % rows)) for i in range(rows)]
    return Plan(shape, em, tuple(each))


def block(
    rng: np.random.Generator,
    digits: Digits,
    rows: Sequence[int],
    em: float,
    *,
    pen: Pen = enlarge,
    gap: tuple[float, float] = (0.25, 0.55),
    pitch: float = 1.55,
    bend: float = 0.0,
    turn: float = 0.0,
) -> Block:
    """Rows of digits, ``em`` pixels tall, with ``gap`` em of paper (from, to) between them; ``rows``: digits in each.

    Rows are ``pitch`` em apart; the middle of a row is ``bend`` em lower than its ends, and its digits lean with it.
    Everything is rotated by ``turn`` degrees.
    """
    text, placed, boxes, baselines = [], [], [], []
    for row, count in enumerate(rows):
        glyphs, line = digits.pick(rng, count)
        text.append(line)
        baselines.append(em + row * pitch * em)
        x, found = rng.uniform(0, 0.4) * em * (len(rows) > 1), []
        inks = [pen(glyph, em) for glyph in glyphs]
        tights = [cv2.boundingRect(cv2.threshold(ink, 127, 255, cv2.THRESH_BINARY)[1]) for ink in inks]
        gaps = rng.uniform(*gap, count) * em
        total = sum(tight[2] for tight in tights) + float(gaps[:-1].sum())
        for ink, (left, top, width, height), space in zip(inks, tights, gaps, strict=True):
            along = 2 * (x + width / 2) / max(total, 1) - 1
            drop = bend * em * (1 - along * along)
            y = baselines[-1] - height + drop + rng.normal(0, 0.025) * em
            lean = np.degrees(np.arctan(-4 * bend * em * along / max(total, 1)))
            if bend:
                ink = rotate(ink, float(lean))
                left, top, width, height = cv2.boundingRect(cv2.threshold(ink, 127, 255, cv2.THRESH_BINARY)[1])
            placed.append((ink, x - left, y - top))
            found.append(Box(round(x), round(y), width, height))
            x += width + space
        boxes.append(tuple(found))
    ink, corner = merge(placed)
    moved = tuple(tuple(Box(b.x - corner[0], b.y - corner[1], b.width, b.height) for b in row) for row in boxes)
    if turn:
        ink = rotate(ink, turn)
    return Block(ink, "\n".join(text), em, moved, tuple(y - corner[1] for y in baselines))


def merge(placed: Sequence[tuple[Pixels, float, float]]) -> tuple[Pixels, tuple[int, int]]:
    """Pieces of ink, each with its left and top, merged into one; and the left and top of that."""
    corners = [(round(x), round(y)) for _, x, y in placed]
    left, top = (min(corner[axis] for corner in corners) for axis in (0, 1))
    right = max(x + ink.shape[1] for (ink, _, _), (x, _) in zip(placed, corners, strict=True))
    bottom = max(y + ink.shape[0] for (ink, _, _), (_, y) in zip(placed, corners, strict=True))
    whole = np.zeros((bottom - top, right - left), np.uint8)
    for (ink, _, _), (x, y) in zip(placed, corners, strict=True):
        part = whole[y - top : y - top + ink.shape[0], x - left : x - left + ink.shape[1]]
        np.maximum(part, ink, out=part)
    return whole, (left, top)


def rotate(ink: Pixels, degrees: float) -> Pixels:
    """The ink rotated clockwise, on a picture large enough for all of it."""
    height, width = ink.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, tall = int(np.ceil(height * sin + width * cos)), int(np.ceil(height * cos + width * sin))
    matrix[:, 2] += [wide / 2 - width / 2, tall / 2 - height / 2]
    return cv2.warpAffine(ink, matrix, (wide, tall), flags=cv2.INTER_LINEAR)


def place(rng: np.random.Generator, ink: Pixels, shape: tuple[int, int], margin: float) -> tuple[Pixels, int, int]:
    """Ink at a random place of a page of this shape, ``margin`` pixels away from the border where there is room.

    Returns the page's ink, and the left and top at which the ink lies. Ink that is too large is reduced.
    """
    x, y, width, height = cv2.boundingRect(ink)
    fit = min(1.0, (shape[1] - 2 * margin) / width, (shape[0] - 2 * margin) / height)
    if fit < 1:
        ink = cv2.resize(ink, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA)
        x, y, width, height = cv2.boundingRect(ink)
    left = round(rng.uniform(margin, max(margin, shape[1] - margin - width)))
    top = round(rng.uniform(margin, max(margin, shape[0] - margin - height)))
    # A digit may fill the picture up to its border.
    left, top = (max(0, min(at, size - part)) for at, size, part in ((left, shape[1], width), (top, shape[0], height)))
    page = np.zeros(shape, np.uint8)
    part = ink[y : y + height, x : x + width][: shape[0], : shape[1]]
    page[top : top + part.shape[0], left : left + part.shape[1]] = part
    return page, left - x, top - y


def push_together(inks: Sequence[Pixels], share: Sequence[float]) -> tuple[Pixels, list[tuple[int, int]]]:
    """Pieces of ink side by side on one baseline, each pushed into the one before until they touch.

    They overlap in ``share`` of the smaller one's ink, 0 to 1, so strokes that run side by side stay two strokes. A
    negative share is the number of pixels between them. Returns the ink, and the left and right of each piece in it.
    """
    whole, spans = inks[0], [(0, inks[0].shape[1])]
    for ink, part in zip(inks[1:], share, strict=True):
        height = max(whole.shape[0], ink.shape[0])
        whole, ink = (np.pad(one, ((height - one.shape[0], 0), (0, 0))) for one in (whole, ink))
        at = _contact(whole > 127, ink > 127) - round(min(part, 0))
        if part >= 0:
            allowed = max(3.0, part * min(np.count_nonzero(whole > 127), np.count_nonzero(ink > 127)))
            while at > 0.3 * whole.shape[1] and _overlap(whole, ink, at - 1) <= allowed:
                at -= 1
        whole, (left, _) = merge([(whole, 0, 0), (ink, at, 0)])
        spans = [(a - left, b - left) for a, b in spans] + [(at - left, at - left + ink.shape[1])]
    return whole, spans


def _contact(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> int:
    """The column at which the second one begins when it just touches the first one in some row, or their boxes do."""
    rows = first.any(axis=1) & second.any(axis=1)
    if not rows.any():
        return first.shape[1]
    ends = first.shape[1] - first[:, ::-1].argmax(axis=1)
    return int((ends - second.argmax(axis=1))[rows].max())


def _overlap(whole: Pixels, ink: Pixels, at: int) -> int:
    """Pixels of ink that both have when the second one begins at ``at``."""
    width = min(whole.shape[1] - at, ink.shape[1])
    return int(np.count_nonzero((whole[:, at : at + width] > 127) & (ink[:, :width] > 127)))
