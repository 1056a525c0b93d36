"""What may happen to a digit between two people's hands and a sensor: named, seeded pieces, glyph by glyph.

A glyph is (28, 28) uint8, light ink on black. The geometric pieces give a displacement field, (28, 28, 2)
float32: for each pixel, how far away (x, y, in pixels) its grey is taken from. Fields add up, so a glyph is
resampled only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import scene, strokes
from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.normalise import SIDE, normalise
from edge.vision.recipe import Recipe

Field = NDArray[np.float32]

_GRID = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float32)
_FROM_CENTRE = (_GRID - np.float32(SIDE / 2)).reshape(-1, 2)


def _linear(matrix: list[list[float]]) -> Field:
    field: Any = _FROM_CENTRE @ np.array(matrix, np.float32).T
    return np.asarray(field, np.float32).reshape(SIDE, SIDE, 2)


def rotate(rng: np.random.Generator, degrees: float = 12.0) -> Field:
    """Turned by up to this angle either way."""
    angle = np.radians(rng.uniform(-degrees, degrees))
    return _linear([[np.cos(angle) - 1, -np.sin(angle)], [np.sin(angle), np.cos(angle) - 1]])


def slant(rng: np.random.Generator, shear: float = 0.2) -> Field:
    """Sheared sideways by up to this much of its height, and scaled by up to 10 % on each axis."""
    wide, high = rng.uniform(-0.08, 0.1, 2)
    return _linear([[wide, rng.uniform(-shear, shear)], [0, high]])


def translate(rng: np.random.Generator, pixels: float = 1.5) -> Field:
    """Moved by up to this many pixels on each axis."""
    return rng.uniform(-pixels, pixels, (1, 1, 2)).astype(np.float32)


def elastic(rng: np.random.Generator, pixels: float = 0.8, knots: int = 5) -> Field:
    """Slightly crumpled: a smooth random field, of up to this deviation at its 5x5 knots, cubic between.

    After Simard, Steinkraus and Platt, "Best practices for convolutional neural networks" (2003), who
    smooth a field of one value a pixel; knots give the same and cost less.
    """
    rough = rng.standard_normal((knots, knots, 2), np.float32) * np.float32(rng.uniform(0, pixels))
    return cv2.resize(rough, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def warp(glyph: Pixels, field: Field) -> Pixels:
    """The glyph, each pixel taken from where the field points."""
    return cv2.remap(glyph, _GRID + field, None, cv2.INTER_LINEAR)


def thickness(glyph: Pixels, rng: np.random.Generator, pixels: float = 0.7) -> Pixels:
    """Another pen: strokes up to this many pixels wider or narrower on each side."""
    # At three times the size, so that a third of a pixel counts.
    large = cv2.resize(glyph, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR)
    size = 2 * round(3 * rng.uniform(0.3, pixels)) + 1
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    if rng.uniform() < 0.6:
        large = cv2.dilate(large, window)
    else:
        thin = cv2.erode(large, window)
        # A stroke thinner than the window would break: some of the old one keeps it together.
        large = cv2.max(thin, cv2.convertScaleAbs(large, alpha=0.6))
    small = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(small, alpha=255 / max(int(small.max()), 1))


def camera(glyph: Pixels, rng: np.random.Generator, recipe: Recipe | None = None) -> Pixels:
    """Written on paper, seen by a poor camera, then cleaned and normalised by the Pi's own code."""
    scale = rng.uniform(1.5, 5)
    large: Any = cv2.resize(glyph, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    # MNIST's soft edges are an artefact of its size: ink on a page has edges of about a pixel.
    ink: Any = cv2.convertScaleAbs(cv2.subtract(large, 90), alpha=255 / 75)
    margin = int(rng.uniform(0.2, 1.0) * scale * 8)
    ink = cv2.copyMakeBorder(ink, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    paper = rng.uniform(90, 250)
    strength = rng.uniform(0.25, 0.95)
    page = scene.write(ink, paper, strength)
    page = scene.light(page, rng, rng.uniform(0, 0.6))
    page = scene.blur(page, rng.uniform(0, 0.35) * scale)
    page = scene.noise(page, rng, rng.uniform(0, 0.07) * strength * paper)
    if rng.uniform() < 0.3:
        page = scene.jpeg(page, int(rng.integers(30, 90)))
    seen = clean(page, recipe or Recipe(), light_ink=False)
    if seen.reason:
        return glyph
    found = normalise(main_ink(seen.ink, seen.mask))
    return found if found.any() else glyph


def main_ink(ink: Pixels, mask: Pixels) -> Pixels:
    """The ink without specks: parts of at least a twentieth of the largest one, with their soft edges."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return np.zeros_like(ink)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = areas >= areas[1:].max() / 20
    keep[0] = False
    kept: Any = cv2.dilate(keep[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    whole_parts: Pixels = ink * kept
    return whole_parts


def vary(glyph: Pixels, rng: np.random.Generator, *, moved: bool = True) -> Pixels:
    """One glyph as somebody else might have written it."""
    field = rotate(rng) + slant(rng) + elastic(rng)
    if moved:
        field += translate(rng)
    glyph = warp(glyph, field)
    return thickness(glyph, rng) if rng.uniform() < 0.3 else glyph


def seen(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """All glyphs (n, 28, 28) varied and seen by the camera, in their order; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return np.stack([camera(vary(glyph, rng, moved=False), rng) for glyph in glyphs])


def varied(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """All glyphs (n, 28, 28) varied, in their order; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return np.stack([vary(glyph, rng) for glyph in glyphs])


def handwriting(digits: Sequence[int], seed: int | Sequence[int]) -> Pixels:
    """Each of ``digits`` written by somebody of the project's own stroke model, photographed, cleaned and normalised.

    (n, 28, 28). MNIST was written by Americans; the stroke model also knows the 1 with an upstroke and the crossed 7.
    """
    rng = np.random.default_rng(seed)
    return np.stack([_handwritten(digit, rng) for digit in digits])


def _handwritten(digit: int, rng: np.random.Generator) -> Pixels:
    while True:
        hand = strokes.somebody(rng)
        side = int(rng.integers(40, 120))
        ink = strokes.render(strokes.draw(digit, rng, hand), side, side, hand.pen * side)
        ink = cv2.copyMakeBorder(ink, side // 3, side // 3, side // 3, side // 3, cv2.BORDER_CONSTANT)
        seen = clean(scene.photograph(ink, rng, rng.uniform(0, 1.5)), Recipe(), light_ink=False)
        found = normalise(main_ink(seen.ink, seen.mask))
        if not seen.reason and found.any():
            return found
