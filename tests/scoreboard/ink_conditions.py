"""Conditions of the suite for light and ink: shadows, glare, darkness, pens, papers, noise, blur.

Each is a function of a random generator, a stock of digits and a strength of 1 to 3, and returns a page (height, width)
uint8 and what is written on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from edge.handwriting import virtual_camera
from edge.types import Pixels
from tests.scoreboard import disturbances, pens
from tests.scoreboard.base_pages import Rng, by_strength, photograph, with_pen, write_page
from tests.scoreboard.layout import Digits, plan

Spoil = Callable[[Pixels, Rng, int, float], Pixels]
"""(page, random numbers, strength, em in pixels) -> page."""


def plain(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """An ordinary page, for comparison: from one large digit to many small ones."""
    em = by_strength(strength, 110, 65, 34) * float(rng.uniform(0.9, 1.1))
    made = replace(plan(rng), em=em, shape=(480, 640), rows=((1,), (4, 3), (6, 6))[strength - 1])
    sheet = write_page(rng, digits, made)
    return photograph(rng, sheet.ink), sheet.block.truth


def lit(rng: Rng, digits: Digits, strength: int, spoil: Spoil) -> tuple[Pixels, str]:
    """An ordinary page, on which ``spoil`` then acts."""
    made = plan(rng)
    sheet = write_page(rng, digits, made)
    return spoil(photograph(rng, sheet.ink), rng, strength, made.em), sheet.block.truth


def uneven(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """A lamp at one side takes up to 45, 70 and 88 % of the light."""
    return virtual_camera.noise(virtual_camera.light(page, rng, by_strength(strength, 0.45, 0.7, 0.88)), rng, 1.5)


def shadow(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """A shadow of a hand or of something straight, darker and with a harder edge at each strength."""
    softness = rng.uniform(0.1, 1) * by_strength(strength, 40, 15, 4) * page.shape[0] / 480
    return virtual_camera.noise(
        disturbances.shadow(page, rng, by_strength(strength, 0.3, 0.5, 0.65), softness), rng, 1.5
    )


def glare(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """A lamp's reflection, in which paper is white and ink gets grey."""
    size = rng.uniform(0.3, 0.7) * page.shape[0]
    return virtual_camera.noise(disturbances.glare(page, rng, by_strength(strength, 70, 110, 145), size), rng, 1.0)


def dim(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """40, 20 and 10 % of the light, and the sensor's noise."""
    return disturbances.underexpose(
        page, rng, by_strength(strength, 0.4, 0.2, 0.1), by_strength(strength, 2.5, 1.8, 1.2)
    )


def near_black(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """10, 7 and 5 % of the light: a person has to brighten the picture."""
    return disturbances.underexpose(
        page, rng, by_strength(strength, 0.1, 0.07, 0.05), by_strength(strength, 0.8, 0.7, 0.6)
    )


def jpeg(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """Quality about 40, 18 and 8."""
    return virtual_camera.jpeg(page, int(by_strength(strength, 40, 18, 8) * rng.uniform(0.8, 1.2)))


def noise(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """Gaussian, 10, 20 and 32 greys."""
    return virtual_camera.noise(page, rng, by_strength(strength, 10, 20, 32))


def salt(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """1, 4 and 10 % of the pixels are black or white."""
    return disturbances.salt_and_pepper(page, rng, by_strength(strength, 0.01, 0.04, 0.1))


def defocus(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """A Gaussian of 2, 3.5 and 5 % of the em: at last nearly half a pen's width."""
    return virtual_camera.noise(virtual_camera.blur(page, by_strength(strength, 0.02, 0.035, 0.05) * em), rng, 1.5)


def shake(page: Pixels, rng: Rng, strength: int, em: float) -> Pixels:
    """The camera moved by 5, 10 and 16 % of the em."""
    return virtual_camera.noise(
        disturbances.motion_blur(page, rng, by_strength(strength, 0.05, 0.1, 0.16) * em), rng, 1.5
    )


def pencil(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Thin, faint and grainy."""
    made = plan(rng)
    sheet = write_page(rng, digits, made, pen=with_pen(rng.uniform(0.045, 0.075)))
    ink = pens.add_grain(sheet.ink, rng, by_strength(strength, 0.35, 0.5, 0.6), 1.6)
    return photograph(
        rng, ink, strength=by_strength(strength, 0.55, 0.4, 0.28) * rng.uniform(0.9, 1.1)
    ), sheet.block.truth


def ball_pen(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """A thin even line, thinner with strength."""
    sheet = write_page(rng, digits, plan(rng), pen=with_pen(by_strength(strength, 0.07, 0.05, 0.034)))
    return photograph(rng, sheet.ink), sheet.block.truth


def marker(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """A broad line, broader with strength: loops nearly close."""
    sheet = write_page(rng, digits, plan(rng), pen=with_pen(by_strength(strength, 0.14, 0.17, 0.2)), gap=(0.35, 0.6))
    return photograph(rng, sheet.ink), sheet.block.truth


def chalk(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Light ink on a dark board, grainy, and dusty where it was wiped."""
    made = plan(rng)
    sheet = write_page(rng, digits, made, pen=with_pen(rng.uniform(0.1, 0.14)))
    ink = pens.add_grain(sheet.ink, rng, by_strength(strength, 0.3, 0.5, 0.65), 2.0)
    ink = pens.smear(ink, rng, by_strength(strength, 0.15, 0.4, 0.7), 0.5 * made.em)
    dust = cv2.resize(rng.random((6, 8), np.float32), made.shape[::-1], interpolation=cv2.INTER_CUBIC)
    board = rng.uniform(35, 85)
    page = photograph(rng, ink, paper=board, strength=by_strength(strength, 0.8, 0.65, 0.5), chalk=True)
    wiped = page + np.clip(dust, 0, 1) * np.float32(by_strength(strength, 10, 25, 40))
    return np.clip(wiped, 0, 255).astype(np.uint8), sheet.block.truth


def coloured_paper(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """Paper that is no longer white, so that ink stands out by less."""
    sheet = write_page(rng, digits, plan(rng))
    grey = by_strength(strength, 185, 140, 95) * rng.uniform(0.9, 1.1)
    return photograph(rng, sheet.ink, paper=grey, strength=by_strength(strength, 0.6, 0.45, 0.32)), sheet.block.truth


def ruled_paper(rng: Rng, digits: Digits, strength: int, squared: bool = False) -> tuple[Pixels, str]:
    """Digits stand on printed lines or reach below them, with ``squared`` also squares; darker at each strength."""
    made = plan(rng)
    pitch = rng.uniform(1.3, 1.9)
    sheet = write_page(rng, digits, made, margin=0.4, pitch=pitch)
    apart = pitch / int(rng.integers(2, 6)) if squared else pitch / int(rng.integers(1, 3))
    base = sheet.top + sheet.block.baselines[0] + rng.normal(0, 0.04) * made.em
    degrees = rng.uniform(-1, 1) * by_strength(strength, 1, 3, 6)
    width = 1 if made.em < 70 or rng.uniform() < 0.5 else 2
    lines = disturbances.ruled_lines(made.shape, apart * made.em, width, degrees, start=base, squared=squared)
    dark = rng.uniform(0.7, 0.9)
    ink = cv2.max(sheet.ink, cv2.convertScaleAbs(lines, alpha=by_strength(strength, 0.2, 0.4, 0.65) / dark))
    return photograph(rng, ink, strength=dark), sheet.block.truth


def bleed_through(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """The other side of the sheet shows through, mirrored and soft."""
    made = plan(rng)
    sheet = write_page(rng, digits, made)
    back = write_page(rng, digits, replace(made, rows=tuple(max(2, n) for n in made.rows)), pitch=1.4)
    behind = cv2.GaussianBlur(cv2.flip(back.ink, 1), (0, 0), 0.02 * made.em)
    dark = rng.uniform(0.7, 0.9)
    ink = cv2.max(sheet.ink, cv2.convertScaleAbs(behind, alpha=by_strength(strength, 0.08, 0.16, 0.26) / dark))
    return photograph(rng, ink, strength=dark), sheet.block.truth


def light_on_dark(rng: Rng, digits: Digits, strength: int) -> tuple[Pixels, str]:
    """White ink on dark paper, with less contrast at each strength."""
    sheet = write_page(rng, digits, plan(rng))
    page = photograph(
        rng,
        sheet.ink,
        paper=by_strength(strength, 20, 60, 100),
        strength=by_strength(strength, 0.85, 0.5, 0.3),
        chalk=True,
    )
    return page, sheet.block.truth
