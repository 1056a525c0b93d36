"""Data augmentation: vary digits as other writers and cameras would, and generate handwritten digits.

A glyph is (28, 28) uint8, light ink on black. Geometric variations are displacement fields, (28, 28, 2) float32: for
each pixel, how far away (x, y, in pixels) its grey value is taken from. Fields are added, so that a glyph is resampled
only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.typefaces import printed
from edge.handwriting import rendering, styles, virtual_camera
from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.normalise import SIDE, crop_to_ink, normalise, stroke_width, thicken
from edge.vision.settings import VisionSettings

Displacement = NDArray[np.float32]
"""A displacement field, (28, 28, 2), pixels."""

STRETCHED_SHARE = 0.12
"""Share of the varied glyphs, 0 to 1, that are made wider or narrower: data sets of 16x16 digits stretch them."""
HANDWRITTEN_STRETCHED_SHARE = 0.25
"""Share of the generated handwritten digits, 0 to 1, that are made wider or narrower."""
COARSE_SHARE = 0.1
"""Share of the varied glyphs, 0 to 1, that are reduced to 12 to 16 pixels and enlarged again."""
HANDWRITTEN_COARSE_SHARE = 0.16
"""Share of the generated handwritten digits, 0 to 1, that are reduced to 12 to 16 pixels and enlarged again."""
PRINTED_SHARE = 0.05
"""Share of the generated digits, 0 to 1, that are printed in a typeface instead of handwritten."""
MIN_UPSTROKE = 0.2
"""A generated 1 may look like a 7, and is not used, if its upstroke is wider than this, em, and its foot narrower, and
the slope is below MAX_UPSTROKE_SLOPE."""
MAX_UPSTROKE_SLOPE = 0.75
"""Slope of an upstroke, height over width, below which a 1 may look like a 7; 0.75 is 37 degrees."""
BLEMISHED_SHARE = 0.1
"""Share of the varied glyphs, 0 to 1, that have a blemish as from imperfect cutting of touching digits."""

_GRID = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float32)
_FROM_CENTRE = (_GRID - np.float32(SIDE / 2)).reshape(-1, 2)


def _linear(matrix: list[list[float]]) -> Displacement:
    displacement: Any = _FROM_CENTRE @ np.array(matrix, np.float32).T
    return np.asarray(displacement, np.float32).reshape(SIDE, SIDE, 2)


def rotate(rng: np.random.Generator, degrees: float = 12.0) -> Displacement:
    """A rotation by up to ``degrees`` in either direction."""
    angle = np.radians(rng.uniform(-degrees, degrees))
    return _linear([[np.cos(angle) - 1, -np.sin(angle)], [np.sin(angle), np.cos(angle) - 1]])


def slant(rng: np.random.Generator, shear: float = 0.2) -> Displacement:
    """A shear by up to ``shear`` of the height, with each axis scaled by up to 10 %."""
    wide, high = rng.uniform(-0.08, 0.1, 2)
    return _linear([[wide, rng.uniform(-shear, shear)], [0, high]])


def translate(rng: np.random.Generator, pixels: float = 1.5) -> Displacement:
    """A shift by up to ``pixels`` on each axis."""
    return rng.uniform(-pixels, pixels, (1, 1, 2)).astype(np.float32)


def elastic(rng: np.random.Generator, pixels: float = 0.8, knots: int = 5) -> Displacement:
    """An elastic distortion: random, with a standard deviation of up to ``pixels`` at 5x5 knots, cubic in between.

    After Simard, Steinkraus and Platt, "Best practices for convolutional neural networks" (2003). They smooth a field
    of one random value a pixel; knots give the same result and cost less.
    """
    rough = rng.standard_normal((knots, knots, 2), np.float32) * np.float32(rng.uniform(0, pixels))
    return cv2.resize(rough, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def warp(glyph: Pixels, displacement: Displacement) -> Pixels:
    """The glyph with each pixel taken from where its displacement points."""
    return cv2.remap(glyph, _GRID + displacement, None, cv2.INTER_LINEAR)


def thickness(glyph: Pixels, rng: np.random.Generator, pixels: float = 0.7) -> Pixels:
    """The glyph as if written with another pen: strokes up to ``pixels`` thicker or thinner on each side."""
    # At three times the size, for steps of a third of a pixel.
    large = cv2.resize(glyph, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR)
    size = 2 * round(3 * rng.uniform(0.3, pixels)) + 1
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    if rng.uniform() < 0.6:
        large = cv2.dilate(large, window)
    else:
        thin = cv2.erode(large, window)
        # A stroke thinner than the window would vanish: keep some of the original.
        large = cv2.max(thin, cv2.convertScaleAbs(large, alpha=0.6))
    small = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(small, alpha=255 / max(int(small.max()), 1))


def through_camera_once(glyph: Pixels, rng: np.random.Generator, vision: VisionSettings | None = None) -> Pixels:
    """The glyph on paper, seen by a poor camera, then cleaned and normalised by the code that runs on the Pi.

    Unchanged if it is empty, or cleaning finds no ink.
    """
    if not glyph.any():
        return glyph
    scale = rng.uniform(1.5, 5)
    ink: Any = enlarge(glyph, scale)
    margin = int(rng.uniform(0.2, 1.0) * scale * 8)
    ink = cv2.copyMakeBorder(ink, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    paper = rng.uniform(90, 250)
    strength = rng.uniform(0.25, 0.95)
    page = virtual_camera.write(ink, paper, strength)
    page = virtual_camera.light(page, rng, rng.uniform(0, 0.6))
    page = virtual_camera.blur(page, rng.uniform(0, 0.35) * scale)
    page = virtual_camera.noise(page, rng, rng.uniform(0, 0.07) * strength * paper)
    if rng.uniform() < 0.3:
        page = virtual_camera.jpeg(page, int(rng.integers(30, 90)))
    cleaned = clean(page, vision or VisionSettings(), light_ink=False)
    if cleaned.reason:
        return glyph
    found = normalise(main_ink(cleaned.ink, cleaned.mask))
    return found if found.any() else glyph


def enlarge(glyph: Pixels, scale: float) -> Pixels:
    """A glyph of MNIST enlarged ``scale`` times, with sharp edges.

    MNIST's soft edges come from its small size: ink on a page has edges of about a pixel.
    """
    return sharpen(cv2.resize(glyph, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))


def sharpen(large: Pixels) -> Pixels:
    """Enlarged glyphs, any shape, with sharper edges: half ink becomes full ink or none."""
    return cv2.convertScaleAbs(cv2.subtract(large, 90), alpha=255 / 75)


def main_ink(ink: Pixels, mask: Pixels) -> Pixels:
    """The ink without specks: components of at least a twentieth of the largest one's area, with their soft edges."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return np.zeros_like(ink)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = areas >= areas[1:].max() / 20
    keep[0] = False
    mask_kept: Any = cv2.dilate(keep[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    cleaned: Pixels = ink * mask_kept
    return cleaned


def stretch(ink: Pixels, rng: np.random.Generator, max_factor: float = 2.0) -> Pixels:
    """The ink of one digit, any size, made wider or narrower by up to ``max_factor``; half of them fill a square.

    Returns (height, width) uint8 of another width, without its border. Data sets of 16x16 digits often fill the square
    on both axes (USPS: Hull, "A database for handwritten text recognition research", 1994), which makes a 1 wide.
    """
    ink = crop_to_ink(ink)
    height, width = ink.shape
    square = rng.uniform() < 0.5
    factor = height / width if square else np.exp(rng.uniform(-1, 1) * np.log(max_factor))
    # A digit that is narrow already is not made narrower.
    least = min(1.0, max(1 / max_factor, 0.4 * height / width))
    wide = max(4, round(width * float(np.clip(factor, least, max_factor))))
    return cv2.resize(ink, (wide, height), interpolation=cv2.INTER_AREA if wide < width else cv2.INTER_LINEAR)


def coarsen(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """The ink of one digit, any size, reduced to 12 to 16 pixels on its longer side; half of them become binary."""
    ink = crop_to_ink(ink)
    side = int(rng.integers(12, 17))
    reduce = side / max(ink.shape)
    # A stroke of half such a pixel would be nearly invisible.
    ink = thicken(ink, max(0.0, 1.4 / reduce - stroke_width(ink)))
    size = (max(2, round(ink.shape[1] * reduce)), max(2, round(ink.shape[0] * reduce)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    if rng.uniform() < 0.5:
        return cv2.threshold(small, 110, 255, cv2.THRESH_BINARY)[1]
    return small


def reshape_randomly(ink: Pixels, rng: np.random.Generator, stretched: float, coarse: float) -> Pixels:
    """The ink, with the probability ``stretched`` stretched and with the probability ``coarse`` made coarse."""
    if rng.uniform() < stretched:
        ink = stretch(ink, rng)
    return coarsen(ink, rng) if rng.uniform() < coarse else ink


def vary(glyph: Pixels, rng: np.random.Generator, *, moved: bool = True) -> Pixels:
    """One glyph as another person might have written it; ``moved``: also shifted."""
    displacement = rotate(rng) + slant(rng) + elastic(rng)
    if moved:
        displacement += translate(rng)
    other = reshape_randomly(glyph, rng, STRETCHED_SHARE, COARSE_SHARE)
    if other is not glyph and other.any():
        glyph = normalise(other)
    glyph = warp(glyph, displacement)
    return thickness(glyph, rng) if rng.uniform() < 0.3 else glyph


def through_camera(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """All glyphs (n, 28, 28) varied and seen by the camera, in their order; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return np.stack([through_camera_once(vary(glyph, rng, moved=False), rng) for glyph in glyphs])


def varied(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """All glyphs (n, 28, 28) varied, in their order, some with a blemish; the same for the same seed."""
    rng = np.random.default_rng(seed)
    found = [vary(glyph, rng) for glyph in glyphs]
    for i in np.flatnonzero(rng.uniform(size=len(found)) < BLEMISHED_SHARE):
        found[i] = add_blemish(found[i], found[int(rng.integers(len(found)))], rng)
    return np.stack(found)


def add_blemish(glyph: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """A digit as after imperfect cutting: on one side a little of it is missing, or a little of ``other`` is added."""
    digit, rest = crop_to_ink(glyph), crop_to_ink(other)
    height, width = digit.shape
    if min(width, rest.shape[1]) < 6:
        # A narrow 1 has nothing to spare.
        return glyph
    at_left = rng.uniform() < 0.5
    if rng.uniform() < 0.4:
        lost = int(rng.integers(1, 3))
        return normalise(np.ascontiguousarray(digit[:, lost:] if at_left else digit[:, :-lost]))
    wide, overlap = int(rng.integers(2, 5)), int(rng.integers(0, 2))
    # Only the end of a stroke: a complete stroke would be another digit.
    tall = int(height * rng.uniform(0.15, 0.4))
    top = int(rng.integers(0, height - tall + 1))
    crumb = (rest[:, -wide:] if at_left else rest[:, :wide])[top : top + tall]
    joined = np.zeros((height, width + wide - overlap), np.uint8)
    crumb_at, digit_at = (0, wide - overlap) if at_left else (width - overlap, 0)
    joined[top : top + len(crumb), crumb_at : crumb_at + wide] = crumb
    part = joined[:, digit_at : digit_at + width]
    np.maximum(part, digit, out=part)
    return normalise(joined)


def handwriting(digits: Sequence[int], seed: int | Sequence[int]) -> Pixels:
    """Generated handwriting of each of ``digits``, photographed, cleaned and normalised: (n, 28, 28).

    MNIST was written by Americans; the project's stroke model also has the 1 with an upstroke and the crossed 7.
    """
    rng = np.random.default_rng(seed)
    return np.stack([_handwritten(digit, rng) for digit in digits])


def _handwritten(digit: int, rng: np.random.Generator) -> Pixels:
    while True:
        if rng.uniform() < PRINTED_SHARE:
            found = photograph(printed(str(digit), rng), rng)
            if found.any():
                return found
        style = styles.varied_style(rng)
        drawn = rendering.draw(digit, rng, style)
        if digit == 1 and is_like_seven(drawn):
            continue
        if rng.uniform() < 0.25:
            drawn = rotated(drawn, np.radians(rng.uniform(-15, 15)))
        side = int(rng.integers(36, 90))
        ink = rendering.render(drawn, side, side, style.pen * side)
        ink = reshape_randomly(ink, rng, HANDWRITTEN_STRETCHED_SHARE, 0)
        # Coarse digits come from scanners, so the camera is left out.
        found = normalise(coarsen(ink, rng)) if rng.uniform() < HANDWRITTEN_COARSE_SHARE else photograph(ink, rng)
        if found.any():
            return found


def is_like_seven(one: Sequence[rendering.Stroke]) -> bool:
    """Whether the strokes of a 1, in em, look like a 7: a long flat upstroke and no foot."""
    points = np.concatenate(one)
    low = points[:, 1] > points[:, 1].max() - 0.1
    foot = np.ptp(points[low, 0])
    top = one[0][one[0][:, 1].argmin()]
    run, fall = top - one[0][0]
    return bool(foot < MIN_UPSTROKE and run > MIN_UPSTROKE and -fall < MAX_UPSTROKE_SLOPE * run)


def rotated(drawn: Sequence[rendering.Stroke], angle: float) -> list[rendering.Stroke]:
    """The strokes rotated by ``angle``, radians."""
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    return [stroke @ matrix for stroke in drawn]


def photograph(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Ink of any size on a page of its own, photographed, cleaned and normalised; all zeros if nothing is left."""
    edge = round(max(ink.shape) * rng.uniform(0.2, 0.4)) + 2
    page = cv2.copyMakeBorder(ink, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    cleaned = clean(virtual_camera.photograph(page, rng, rng.uniform(0, 1.5)), VisionSettings(), light_ink=False)
    return np.zeros((SIDE, SIDE), np.uint8) if cleaned.reason else normalise(main_ink(cleaned.ink, cleaned.mask))
