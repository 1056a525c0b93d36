"""Ink on paper, or on a screen, as a camera shows it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.scenes import fields, things
from convert.samples.scenes.fields import Field
from convert.samples.scenes.hand import Hand
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.sizes import LARGEST, between
from convert.samples.scenes.writers import Writers, pick
from edge.types import Pixels

LIGHTEST_BOARD = 0.4
"""A board is this share of the grey of paper."""
LEAST_CONTRAST = 0.07
"""Ink differs by at least this share of the paper's grey after blur. Chosen: what a careful person still reads."""
CLEAR_OF_NOISE = 4.0
"""Ink differs from the paper by at least this many standard deviations of the noise."""
SHARPENED_SHARE = 0.2
"""Share of the photographs, 0 to 1, that the camera sharpens: ink then has a lighter edge. Chosen."""
JPEG_SHARE = 0.4
"""Share of the pages, 0 to 1, that are compressed."""


class Surroundings(NamedTuple):
    """What is seen besides the paper."""

    desk: NDArray[np.int64]
    """How much of the desk is seen on the left, at the top, on the right and below, pixels; 0 = the paper goes on."""
    strip: NDArray[np.int64]
    """The same for what a sloppy crop has taken in from beyond the photograph."""
    things: int
    """How many things lie there."""


def choose_surroundings(shape: fields.Shape, rng: np.random.Generator, share: float) -> Surroundings:
    """Something besides the paper on about this share of the pages, 0 to 1."""
    desk, strip, count = np.zeros(4, np.int64), np.zeros(4, np.int64), 0
    if rng.uniform() < 0.55 * share:
        desk = things.choose_margins(shape, rng)
    elif rng.uniform() < 0.35 * share and max(shape) + 60 <= LARGEST:
        strip[rng.integers(4)] = rng.integers(2, 31)
        if rng.uniform() < 0.25:
            strip[:] = rng.integers(2, 31)
    if rng.uniform() < 0.5 * share:
        count = int(rng.integers(1, 3))
    return Surroundings(desk, strip, count)


def screenshot(sheet: Sheet, hand: Hand, rng: np.random.Generator) -> tuple[Pixels, bool]:
    """The sheet as drawn on a screen: even, without noise, with smooth or hard edges; and whether its ink is light."""
    ink = np.maximum(sheet.ink, sheet.printed)
    if rng.uniform() < 0.35 and hand.pen >= 1:
        ink = cv2.threshold(ink, 80, 255, cv2.THRESH_BINARY)[1]
    ground = 255.0 if rng.uniform() < 0.85 else rng.uniform(200, 255)
    colour = 0.0 if rng.uniform() < 0.6 else rng.uniform(0, 150)
    light = rng.uniform() < 0.2
    levels = ground + (colour - ground) * np.arange(256) / 255
    grey = cv2.LUT(ink, np.round(255 - levels if light else levels).astype(np.uint8))
    return (_jpeg(grey, rng) if rng.uniform() < 0.2 else grey), light


def photograph(
    sheet: Sheet,
    hand: Hand,
    rng: np.random.Generator,
    writers: Writers,
    background: Field,
    surroundings: Surroundings,
    *,
    light: bool,
) -> Pixels:
    """The sheet on its background, photographed, (height, width) uint8. ``light``: whether its ink is light."""
    shape = sheet.height, sheet.width
    contrast = _contrast(rng)
    ink = _worn(sheet.ink, hand, rng)
    if sheet.printed.any():
        ink = np.maximum(ink, sheet.printed.astype(np.float32) * np.float32(1 / 255))
    grey = float(background.mean())
    if light:
        page = background * np.float32(LIGHTEST_BOARD * rng.uniform(0.5, 1))
        page += ink * np.float32(contrast) * (np.float32(rng.uniform(200, 250)) - page)
    else:
        page = background * (1 - ink * np.float32(contrast))
    if surroundings.desk.any():
        page = things.lay_desk(page, surroundings.desk, rng, writers, dark=None if light else rng.uniform() < 0.85)
    for _ in range(surroundings.things):
        page = things.lay(page, sheet, rng, pick(rng, things.THINGS))
    blur, noise = _disturbance(hand, contrast, rng)
    page = _blurred(page, blur, rng)
    if noise > 0.3 / 255:
        page += fields.noise(shape, rng) * np.float32(noise * grey)
    if rng.uniform() < SHARPENED_SHARE:
        strength = rng.uniform(0.3, 1.2)
        page = cv2.addWeighted(page, 1 + strength, cv2.GaussianBlur(page, (0, 0), rng.uniform(0.8, 2)), -strength, 0)
    pixels = np.clip(page, 0, 255).astype(np.uint8)
    if surroundings.strip.any():
        _paint_strip(pixels, surroundings.strip, rng)
    return _jpeg(pixels, rng) if rng.uniform() < JPEG_SHARE else pixels


def _contrast(rng: np.random.Generator) -> float:
    """How much of the paper's light full ink takes, 0 to 1."""
    kind = rng.uniform()
    if kind < 0.12:
        return float(rng.uniform(0.12, 0.3))
    return float(rng.uniform(0.3, 0.9) if kind < 0.9 else rng.uniform(0.9, 0.97))


def _worn(written: Pixels, hand: Hand, rng: np.random.Generator) -> Field:
    """Ink from 0 to 1 as a pen leaves it: even, weaker in places, grainy as a pencil's, with gaps as a dry pen's."""
    shape = written.shape[0], written.shape[1]
    ink = written.astype(np.float32) * np.float32(1 / 255)
    kind = rng.uniform()
    if kind < 0.25:
        ink *= np.clip(0.9 + rng.uniform(0.1, 0.3) * fields.grains(shape, rng, max(4.0, 0.5 * hand.height)), 0.45, 1)
    elif kind < 0.4:
        ink *= np.clip(1 - rng.uniform(0.1, 0.5) * np.abs(fields.grains(shape, rng, rng.uniform(1, 2.5))), 0.3, 1)
    elif kind < 0.45 and hand.pen > 1.5:
        ink *= np.clip(2.2 + 1.5 * fields.grains(shape, rng, max(1.5, 0.6 * hand.pen)), 0.15, 1)
    return ink


def _disturbance(hand: Hand, contrast: float, rng: np.random.Generator) -> tuple[float, float]:
    """Blur, pixels (standard deviation), and noise, a share of the paper's grey, that leave the ink readable."""
    blur = rng.uniform(0.3, 1.5) * np.clip(hand.height / 45, 0.6, 2.5) if rng.uniform() < 0.65 else 0.0
    blur = min(blur, 0.3 + 0.45 * hand.pen, hand.pen * (contrast / LEAST_CONTRAST - 1) / 1.5)
    left = contrast * min(1.0, hand.pen) * hand.pen / (hand.pen + 1.5 * max(blur, 0.0))
    noise = min(between(rng, 0.0015, 0.035), left / CLEAR_OF_NOISE)
    return max(0.0, float(blur)), float(noise)


def _blurred(page: Field, sigma: float, rng: np.random.Generator) -> Field:
    """Out of focus, or a little moved in one direction."""
    if sigma > 0.6 and rng.uniform() < 0.1:
        length = max(2, round(2.5 * sigma))
        kernel = np.zeros((2 * length + 1, 2 * length + 1), np.uint8)
        angle = rng.uniform(0, np.pi)
        reach = np.round(np.array([np.cos(angle), np.sin(angle)]) * length / 2).astype(int)
        cv2.line(kernel, (length - reach).tolist(), (length + reach).tolist(), 1)
        return cv2.filter2D(page, -1, kernel.astype(np.float32) / kernel.sum())
    return cv2.GaussianBlur(page, (0, 0), sigma) if sigma > 0.2 else page


def _paint_strip(pixels: Pixels, strip: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Fill the margins with one grey, as where a crop ends beyond the photograph."""
    left, top, right, bottom = strip.tolist()
    grey = pick(rng, (0, 0, 255, int(rng.integers(256))))
    pixels[:top], pixels[:, :left] = grey, grey
    pixels[pixels.shape[0] - bottom :], pixels[:, pixels.shape[1] - right :] = grey, grey


def _jpeg(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    quality = int(rng.integers(35, 93))
    packed: Pixels = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    unpacked = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    assert unpacked is not None
    return unpacked
