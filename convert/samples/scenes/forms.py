"""Digits in printed boxes: grids, rows of boxes, combs, tables and puzzles."""

from __future__ import annotations

import cv2
import numpy as np

from convert.samples.scenes import texts
from convert.samples.scenes.hand import Hand, choose_hand
from convert.samples.scenes.lines import blank_page
from convert.samples.scenes.sheet import Sheet, write
from convert.samples.scenes.writers import Writers, pick
from edge.types import Pixels

MOST_CELLS = 12
"""Cells beside or below each other, at most."""


def _line(printed: Pixels, start: tuple[float, float], end: tuple[float, float], dark: float, width: int) -> None:
    # In sixteenths of a pixel.
    a, b = ((round(16 * x), round(16 * y)) for x, y in (start, end))
    cv2.line(printed, a, b, dark, width, cv2.LINE_AA, 4)


class Cells:
    """Where the cells are: ``across`` x ``down`` of them, ``width`` x ``height`` pixels each, from (``x``, ``y``).

    They fall by ``askew`` pixels for each pixel to the right.
    """

    def __init__(self, sheet: Sheet, hand: Hand, rng: np.random.Generator, across: int, down: int) -> None:
        tight = rng.uniform() < 0.25
        self.width = hand.height * rng.uniform(*((0.75, 1.0) if tight else (1.0, 2.1)))
        self.height = hand.height * rng.uniform(*((1.0, 1.15) if tight else (1.15, 2.0)))
        self.across = max(1, min(across, int((sheet.width - 2) / self.width)))
        self.down = max(1, min(down, int((sheet.height - 2) / self.height)))
        self.x = rng.uniform(0, max(1, sheet.width - self.across * self.width))
        self.y = rng.uniform(0, max(1, sheet.height - self.down * self.height))
        self.taken: set[tuple[int, int]] = set()
        self.askew = rng.normal(0, 0.03) if rng.uniform() < 0.5 else 0.0

    def corner(self, column: float, row: float) -> tuple[float, float]:
        """Left top of a cell, pixels."""
        across, down = column * self.width, row * self.height
        return self.x + across - self.askew * down, self.y + down + self.askew * across

    def fill(self, sheet: Sheet, hand: Hand, rng: np.random.Generator, share: float, longest: int = 1) -> None:
        """Write digits in a share of the cells that are free."""
        for row in range(self.down):
            for column in range(self.across):
                if rng.uniform() > share or (row, column) in self.taken:
                    continue
                self.taken.add((row, column))
                text = texts.number(rng, 1, longest) if rng.uniform() < 0.95 else pick(rng, "xAXE-+")
                x, y = self.corner(column, row)
                x += 0.5 * self.width - 0.3 * hand.height - 0.3 * (len(text) - 1) * hand.height
                x, y = np.array([x, y + 0.5 * (self.height - hand.height)]) + rng.normal(0, 0.06 * hand.height, 2)
                write(sheet, hand, text, float(x), float(y), rng)


def _print(sheet: Sheet, hand: Hand, cells: Cells, rng: np.random.Generator, thick_every: int = 0) -> None:
    """Print the lines between all cells, each ``thick_every`` one a thick one."""
    dark, width = rng.uniform(70, 255), max(1, round(hand.pen * rng.uniform(0.3, 1.2)))
    for column in range(cells.across + 1):
        thick = bool(thick_every) and column % thick_every == 0
        ends = cells.corner(column, 0), cells.corner(column, cells.down)
        _line(sheet.printed, *ends, dark, width * (3 if thick else 1))
    for row in range(cells.down + 1):
        thick = bool(thick_every) and row % thick_every == 0
        ends = cells.corner(0, row), cells.corner(cells.across, row)
        _line(sheet.printed, *ends, dark, width * (3 if thick else 1))


def _title(sheet: Sheet, hand: Hand, cells: Cells, rng: np.random.Generator) -> None:
    """On some pages, print what should be written into the boxes: above them, small."""
    small = hand.printing(rng, rng.uniform(0.4, 0.8))
    if rng.uniform() < 0.4 and cells.y > 1.6 * small.height:
        write(sheet, small, pick(rng, texts.NOUNS), cells.x, cells.y - 1.5 * small.height, rng)


def grid(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Cells with a digit in many of them."""
    sheet, hand = blank_page(writers, rng)
    cells = Cells(sheet, hand, rng, MOST_CELLS, MOST_CELLS)
    cells.fill(sheet, hand, rng, rng.uniform(0.3, 1))
    _print(sheet, hand, cells, rng)
    return sheet, hand


def table(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """A table of numbers with wide cells."""
    sheet, hand = blank_page(writers, rng)
    cells = Cells(sheet, hand, rng, 6, 10)
    cells.width = min(2.2 * cells.width, sheet.width - 2.0)
    cells.across = max(1, min(cells.across, int((sheet.width - 2) / cells.width)))
    cells.x = rng.uniform(0, max(1, sheet.width - cells.across * cells.width))
    cells.fill(sheet, hand, rng, rng.uniform(0.5, 1), longest=3)
    _print(sheet, hand, cells, rng)
    return sheet, hand


def puzzle(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """A sudoku: nine cells in each direction, each third line a thick one."""
    side = rng.uniform(220, 1000)
    sheet = Sheet.blank(side + rng.uniform(2, 100), side + rng.uniform(2, 100))
    hand = choose_hand(writers, rng, side / 9 * rng.uniform(0.55, 0.85))
    cells = Cells(sheet, hand, rng, 9, 9)
    cells.width = cells.height = side / 9
    cells.across = cells.down = 9
    cells.x, cells.y = rng.uniform(0, sheet.width - side), rng.uniform(0, sheet.height - side)
    # What is given is printed, what is found is written.
    given = hand.printing(rng, 1.0) if rng.uniform() < 0.7 else hand
    cells.fill(sheet, given, rng, rng.uniform(0.25, 0.5))
    if rng.uniform() < 0.5:
        cells.fill(sheet, hand, rng, rng.uniform(0.1, 0.5))
    _print(sheet, hand, cells, rng, thick_every=3)
    return sheet, hand


def _rows(writers: Writers, rng: np.random.Generator, least: float) -> tuple[Sheet, Hand, Cells, float, int]:
    """A page with rows of cells, of which at least this share is filled, and how dark and wide their lines are."""
    sheet, hand = blank_page(writers, rng)
    cells = Cells(sheet, hand, rng, MOST_CELLS, int(rng.integers(1, 4)))
    cells.fill(sheet, hand, rng, rng.uniform(least, 1))
    return sheet, hand, cells, rng.uniform(70, 255), max(1, round(hand.pen * rng.uniform(0.3, 1.2)))


def boxes(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Rows of boxes for one digit each, side by side or apart."""
    sheet, hand, cells, dark, width = _rows(writers, rng, 0.4)
    apart = 0.06 if rng.uniform() < 0.6 else 0.0
    for row in range(cells.down):
        for column in range(cells.across):
            near, far = apart, 1 - apart
            corners = [
                cells.corner(column + x, row + y) for x, y in ((near, near), (far, near), (far, far), (near, far))
            ]
            path = np.round(16 * np.array(corners)).astype(np.int32)
            cv2.polylines(sheet.printed, [path], True, dark, width, cv2.LINE_AA, 4)
    _title(sheet, hand, cells, rng)
    return sheet, hand


def comb(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """A line with short dividers between the digits."""
    sheet, hand, cells, dark, width = _rows(writers, rng, 0.5)
    tooth = rng.uniform(0.2, 0.6)
    for row in range(1, cells.down + 1):
        _line(sheet.printed, cells.corner(0, row), cells.corner(cells.across, row), dark, width)
        for column in range(cells.across + 1):
            _line(sheet.printed, cells.corner(column, row - tooth), cells.corner(column, row), dark, width)
    _title(sheet, hand, cells, rng)
    return sheet, hand
