"""Conditions of the suite that make digits hard to find: their place, things beside them, broken strokes.

Each is a function of a random generator, a stock of digits and a strength of 1 to 3, and returns a page (height, width)
uint8 and what is written on it.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from edge.handwriting import virtual_camera
from edge.types import Pixels
from tests.scoreboard import disturbances, pens
from tests.scoreboard.base_pages import Rng, by_strength, either_polarity, photograph, write_page
from tests.scoreboard.layout import Digits, Plan, block, place, plan, rotate


def fills_the_frame(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """One digit, with less and less paper around it."""
    shape = plan(rng).shape
    ink, truth = _one_digit(rng, digits, shape[0] * by_strength(strength, 0.75, 0.88, 0.97))
    return either_polarity(rng, place(rng, ink, shape, by_strength(strength, 0.06, 0.03, 0.008) * shape[0])[0]), truth


def small_in_a_corner(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """One small digit near a corner of a large page."""
    shape = ((480, 640), (960, 1280))[int(rng.integers(2))]
    ink, truth = _one_digit(rng, digits, shape[0] / 480 * by_strength(strength, 45, 32, 24))
    page, margin = np.zeros(shape, np.uint8), round(by_strength(strength, 25, 14, 8) * shape[0] / 480)
    page[margin : margin + ink.shape[0], margin : margin + ink.shape[1]] = ink
    return either_polarity(rng, _to_random_corner(rng, page, ink.shape, margin)), truth


def _to_random_corner(rng: Rng, page: Pixels, size: tuple[int, ...], margin: int) -> Pixels:
    """The page with its ink moved from the top left to a random corner."""
    down, right = rng.integers(2, size=2)
    by = (int(down) * (page.shape[0] - size[0] - 2 * margin), int(right) * (page.shape[1] - size[1] - 2 * margin))
    return np.roll(page, by, (0, 1))


def _one_digit(rng: Rng, digits: Digits, em: float) -> tuple[Pixels, str]:
    (glyph,), truth = digits.pick(rng, 1)
    ink = pens.enlarge(glyph, em)
    x, y, width, height = cv2.boundingRect(ink)
    return ink[y : y + height, x : x + width], truth


def lines(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Several lines, closer to each other at each strength."""
    em = rng.uniform(45, 75)
    made = Plan((480, 640), em, ((3, 3), (3, 3, 2), (4, 4, 4))[strength - 1])
    sheet = write_page(rng, digits, made, pitch=by_strength(strength, 1.7, 1.45, 1.3), gap=(0.2, 0.5))
    return either_polarity(rng, sheet.ink), sheet.block.truth


def columns(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """A column of digits one above the other; two and three columns side by side."""
    em = rng.uniform(45, 70)
    made = Plan((480, 640), em, ((1,) * 4, (2,) * 4, (3,) * 5)[strength - 1])
    sheet = write_page(rng, digits, made, pitch=1.35, gap=(0.8, 1.2))
    return either_polarity(rng, sheet.ink), sheet.block.truth


def tilted_rows(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """The whole page rotated by about 8, 18 and 30 degrees."""
    em = rng.uniform(40, 70)
    degrees = by_strength(strength, 8, 18, 30) * rng.uniform(0.85, 1.15) * rng.choice((-1, 1))
    rows = ((4,), (4, 4), (5,))[int(rng.integers(3))]
    sheet = write_page(rng, digits, Plan((480, 640), em, rows), turn=float(degrees))
    return either_polarity(rng, sheet.ink), sheet.block.truth


def curved_rows(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Rows that curve downwards or upwards."""
    bend = by_strength(strength, 0.25, 0.5, 0.75) * float(rng.choice((-1, 1)))
    made = Plan((480, 640), rng.uniform(40, 65), ((5,), (5, 5))[int(rng.integers(2))])
    sheet = write_page(rng, digits, made, bend=bend, pitch=1.9)
    return either_polarity(rng, sheet.ink), sheet.block.truth


def sideways(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """A page rotated by 90 or 270 degrees; fewer digits at each strength."""
    made = Plan((480, 640), rng.uniform(45, 75), ((5, 5), (5,), (3,))[strength - 1])
    sheet = write_page(rng, digits, made)
    # With 0, 1, 6, 8 and 9 alone nobody can tell which way is up.
    for _ in range(20):
        if len(set(sheet.block.truth) & set("23457")) >= 2:
            break
        sheet = write_page(rng, digits, made)
    way = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE)[int(rng.integers(2))]
    return cv2.rotate(photograph(rng, sheet.ink), way), sheet.block.truth


def specks(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Dust and fibres all over the page, more and larger at each strength."""
    made = plan(rng)
    sheet = write_page(rng, digits, made)
    dust = disturbances.draw_specks(
        made.shape, rng, int(by_strength(strength, 12, 40, 110)), by_strength(strength, 0.05, 0.08, 0.11) * made.em
    )
    return either_polarity(rng, cv2.max(sheet.ink, dust)), sheet.block.truth


def page_edge(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """A sheet on a table of another grey, its edges nearer to the digits at each strength."""
    made = plan(rng)
    sheet = write_page(rng, digits, made, margin=0.7)
    degrees = float(rng.uniform(-1, 1) * by_strength(strength, 2, 6, 12))
    margin = by_strength(strength, 0.6, 0.4, 0.25) * made.em
    paper = disturbances.sheet_on_table(sheet.ink, rng, degrees, (margin, 2.5 * margin), sides=int(rng.integers(1, 5)))
    page = photograph(rng, sheet.ink)
    top = disturbances.wooden_table(made.shape, rng, rng.uniform(30, 150), by_strength(strength, 0.1, 0.4, 0.8))
    cover = paper.astype(np.float32) / 255
    return virtual_camera.blur((page * cover + top * (1 - cover)).astype(np.uint8), 0.5), sheet.block.truth


def table_frame(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Each digit in a box of a printed form, its lines darker, thicker and nearer at each strength."""
    made = plan(rng)
    gap = by_strength(strength, 0.8, 0.6, 0.45)
    rows = block(rng, digits, made.rows, made.em, gap=(gap, gap), pitch=1 + gap)
    room = round(0.5 * gap * made.em)
    framed = cv2.copyMakeBorder(rows.ink, *(room + 4,) * 4, cv2.BORDER_CONSTANT, value=0)
    width = max(1, round(by_strength(strength, 0.015, 0.03, 0.05) * made.em))
    dark = rng.uniform(0.7, 0.9)
    grey = round(255 * min(1.0, by_strength(strength, 0.4, 0.65, 0.9) / dark))
    frame = np.zeros_like(framed)
    for row in rows.boxes:
        top, bottom = min(b.y for b in row), max(b.y + b.height for b in row)
        for box in row:
            corner = (box.x + 4, top + 4)
            cv2.rectangle(frame, corner, (box.x + box.width + 2 * room + 4, bottom + 2 * room + 4), grey, width)
    ink = rotate(cv2.max(framed, frame), float(rng.uniform(-1, 1) * by_strength(strength, 0.5, 1.5, 3)))
    return photograph(rng, place(rng, ink, made.shape, 6)[0], strength=dark), rows.truth


def hands(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Fingers hold the page at its border, nearer to the digits at each strength."""
    made = plan(rng, most=6)
    sheet = write_page(rng, digits, made, margin=0.5)
    clear = by_strength(strength, 0.5, 0.3, 0.18) * made.em
    reach = by_strength(strength, 0.2, 0.4, 0.8) * min(made.shape)
    page = disturbances.hand(photograph(rng, sheet.ink), sheet.ink, rng, reach, clear)
    return virtual_camera.noise(virtual_camera.blur(page, 0.7), rng, 1.5), sheet.block.truth


def broken_strokes(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """The pen skipped: gaps across the strokes of each digit."""
    cuts, gap = int(by_strength(strength, 1, 2, 3)), by_strength(strength, 0.025, 0.035, 0.045)

    def skipping(glyph: Pixels, em: float) -> Pixels:
        return pens.break_strokes(pens.enlarge(glyph, em), rng, cuts, gap * em)

    sheet = write_page(rng, digits, plan(rng), pen=skipping, gap=(0.35, 0.6))
    return either_polarity(rng, sheet.ink), sheet.block.truth


def dotted_ink(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Digits of dots, as from a stamp or a needle printer, further apart at each strength."""
    step = by_strength(strength, 1.0, 1.35, 1.75)

    def dots(glyph: Pixels, em: float) -> Pixels:
        return pens.draw_dotted(glyph, em, 0.065 * em, step * 0.065 * em)

    made = plan(rng)
    sheet = write_page(rng, digits, replace(made, em=max(made.em, 40)), pen=dots, gap=(0.4, 0.6))
    return either_polarity(rng, sheet.ink), sheet.block.truth
