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

from convert.samples.typefaces import printed
from edge.handwriting import rendering, styles, virtual_camera
from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.normalise import SIDE, crop_to_ink, normalise, stroke_width, thicken
from edge.vision.settings import VisionSettings

Field = NDArray[np.float32]

STRETCHED = 0.12
"""Share of varied glyphs that are made wider or narrower, as collections of 16x16 digits are."""
WRITTEN_STRETCHED = 0.25
"""The same of the stroke model's digits."""
COARSE = 0.1
"""Share of varied glyphs that were reduced to a dozen pixels on the way."""
WRITTEN_COARSE = 0.16
"""The same of the stroke model's digits."""
PRINTED = 0.05
"""Share of the handwriting that a printer wrote."""
UPSTROKE = 0.2
"""The upstroke of a 1 that reaches further to the left than this, em, while the foot is less wide,"""
FLAT = 0.75
"""and rises by less than this, em an em, makes it a 7 to many: 37 degrees."""
BLEMISHED = 0.1
"""Share of varied glyphs that were cut out of a clump not quite neatly."""

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


def camera(glyph: Pixels, rng: np.random.Generator, vision: VisionSettings | None = None) -> Pixels:
    """Written on paper, seen by a poor camera, then cleaned and normalised by the Pi's own code."""
    scale = rng.uniform(1.5, 5)
    ink: Any = enlarged(glyph, scale)
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
    seen = clean(page, vision or VisionSettings(), light_ink=False)
    if seen.reason:
        return glyph
    found = normalise(main_ink(seen.ink, seen.mask))
    return found if found.any() else glyph


def enlarged(glyph: Pixels, scale: float) -> Pixels:
    """A glyph of MNIST as ink on a page, so many times its size.

    MNIST's soft edges are an artefact of its size: ink on a page has edges of about a pixel.
    """
    return sharpened(cv2.resize(glyph, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))


def sharpened(large: Pixels) -> Pixels:
    """Glyphs that were enlarged, any shape, with edges less soft by the same: what is half ink is all or none."""
    return cv2.convertScaleAbs(cv2.subtract(large, 90), alpha=255 / 75)


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


def stretch(ink: Pixels, rng: np.random.Generator, most: float = 2.0) -> Pixels:
    """The ink of one digit, any size, made wider or narrower by up to ``most``, half of it so as to fill a square.

    (height, width) uint8 of another width, without its border. Who collects digits of 16x16 often fills the square
    on both axes (USPS: Hull, "A database for handwritten text recognition research", 1994), which makes a 1 wide.
    """
    ink = crop_to_ink(ink)
    height, width = ink.shape
    square = rng.uniform() < 0.5
    factor = height / width if square else np.exp(rng.uniform(-1, 1) * np.log(most))
    # What is narrow already keeps its width.
    least = min(1.0, max(1 / most, 0.4 * height / width))
    wide = max(4, round(width * float(np.clip(factor, least, most))))
    return cv2.resize(ink, (wide, height), interpolation=cv2.INTER_AREA if wide < width else cv2.INTER_LINEAR)


def coarsen(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """The ink of one digit, any size, on 12 to 16 pixels of its longer side, half of it black or white only."""
    ink = crop_to_ink(ink)
    side = int(rng.integers(12, 17))
    reduce = side / max(ink.shape)
    # A stroke of half such a pixel would hardly be seen.
    ink = thicken(ink, max(0.0, 1.4 / reduce - stroke_width(ink)))
    size = (max(2, round(ink.shape[1] * reduce)), max(2, round(ink.shape[0] * reduce)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    if rng.uniform() < 0.5:
        return cv2.threshold(small, 110, 255, cv2.THRESH_BINARY)[1]
    return small


def reshaped(ink: Pixels, rng: np.random.Generator, stretched: float, coarse: float) -> Pixels:
    """The ink as it is, or with these probabilities stretched, coarse, or both."""
    if rng.uniform() < stretched:
        ink = stretch(ink, rng)
    return coarsen(ink, rng) if rng.uniform() < coarse else ink


def vary(glyph: Pixels, rng: np.random.Generator, *, moved: bool = True) -> Pixels:
    """One glyph as somebody else might have written it."""
    field = rotate(rng) + slant(rng) + elastic(rng)
    if moved:
        field += translate(rng)
    other = reshaped(glyph, rng, STRETCHED, COARSE)
    if other is not glyph and other.any():
        glyph = normalise(other)
    glyph = warp(glyph, field)
    return thickness(glyph, rng) if rng.uniform() < 0.3 else glyph


def seen(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """All glyphs (n, 28, 28) varied and seen by the camera, in their order; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return np.stack([camera(vary(glyph, rng, moved=False), rng) for glyph in glyphs])


def varied(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """All glyphs (n, 28, 28) varied, in their order, some with a blemish; the same for the same seed."""
    rng = np.random.default_rng(seed)
    found = [vary(glyph, rng) for glyph in glyphs]
    for i in np.flatnonzero(rng.uniform(size=len(found)) < BLEMISHED):
        found[i] = blemished(found[i], found[int(rng.integers(len(found)))], rng)
    return np.stack(found)


def blemished(glyph: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """A digit cut out of a clump: at one side a little of it is missing, or a little of ``other`` has stayed."""
    whole, rest = crop_to_ink(glyph), crop_to_ink(other)
    height, width = whole.shape
    if min(width, rest.shape[1]) < 6:
        # Nothing can be spared of a 1.
        return glyph
    at_left = rng.uniform() < 0.5
    if rng.uniform() < 0.4:
        lost = int(rng.integers(1, 3))
        return normalise(np.ascontiguousarray(whole[:, lost:] if at_left else whole[:, :-lost]))
    wide, overlap = int(rng.integers(2, 5)), int(rng.integers(0, 2))
    # The end of a stroke, no whole one: that would be a digit more.
    tall = int(height * rng.uniform(0.15, 0.4))
    top = int(rng.integers(0, height - tall + 1))
    crumb = (rest[:, -wide:] if at_left else rest[:, :wide])[top : top + tall]
    joined = np.zeros((height, width + wide - overlap), np.uint8)
    crumb_at, digit_at = (0, wide - overlap) if at_left else (width - overlap, 0)
    joined[top : top + len(crumb), crumb_at : crumb_at + wide] = crumb
    part = joined[:, digit_at : digit_at + width]
    np.maximum(part, whole, out=part)
    return normalise(joined)


def handwriting(digits: Sequence[int], seed: int | Sequence[int]) -> Pixels:
    """Each of ``digits`` written by somebody of the project's own stroke model, photographed, cleaned and normalised.

    (n, 28, 28). MNIST was written by Americans; the stroke model also knows the 1 with an upstroke and the crossed 7.
    """
    rng = np.random.default_rng(seed)
    return np.stack([_handwritten(digit, rng) for digit in digits])


def _handwritten(digit: int, rng: np.random.Generator) -> Pixels:
    while True:
        if rng.uniform() < PRINTED:
            found = photographed(printed(str(digit), rng), rng)
            if found.any():
                return found
        hand = styles.varied_style(rng)
        drawn = rendering.draw(digit, rng, hand)
        if digit == 1 and like_seven(drawn):
            continue
        if rng.uniform() < 0.25:
            drawn = turned(drawn, np.radians(rng.uniform(-15, 15)))
        side = int(rng.integers(36, 90))
        ink = rendering.render(drawn, side, side, hand.pen * side)
        ink = reshaped(ink, rng, WRITTEN_STRETCHED, 0)
        # What is coarse was scanned so, and no camera saw it.
        found = normalise(coarsen(ink, rng)) if rng.uniform() < WRITTEN_COARSE else photographed(ink, rng)
        if found.any():
            return found


def like_seven(one: Sequence[rendering.Stroke]) -> bool:
    """Whether the strokes of a 1, em, may be taken for a 7: its upstroke is long and flat, and it has no foot."""
    points = np.concatenate(one)
    low = points[:, 1] > points[:, 1].max() - 0.1
    foot = np.ptp(points[low, 0])
    top = one[0][one[0][:, 1].argmin()]
    run, fall = top - one[0][0]
    return bool(foot < UPSTROKE and run > UPSTROKE and -fall < FLAT * run)


def turned(drawn: Sequence[rendering.Stroke], angle: float) -> list[rendering.Stroke]:
    """Strokes turned by this angle, radians."""
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    return [stroke @ matrix for stroke in drawn]


def photographed(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Ink of any size on a page of its own, photographed, cleaned and normalised; all zeros where nothing is left."""
    edge = round(max(ink.shape) * rng.uniform(0.2, 0.4)) + 2
    page = cv2.copyMakeBorder(ink, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    seen = clean(virtual_camera.photograph(page, rng, rng.uniform(0, 1.5)), VisionSettings(), light_ink=False)
    return np.zeros((SIDE, SIDE), np.uint8) if seen.reason else normalise(main_ink(seen.ink, seen.mask))
