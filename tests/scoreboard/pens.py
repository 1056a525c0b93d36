"""Enlarge MNIST's small glyphs to ink with sharp edges, or redraw them with other pens.

Ink is (height, width) uint8, 0 = none, 255 = full; lengths are pixels; an ``em`` is the height of MNIST's 20x20 box.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.normalise import FIT, crop_to_ink

EDGES = (80, 55, 35)
"""Levels of a glyph, 0 to 255, at which ink may begin.

For thin glyphs it is the first at which they are as connected as at the last. MNIST's soft edges are an artefact of its
size, but so is that a thin stroke is grey there.
"""
THIN = 178
"""Glyphs whose ink has at most this mean level have thin strokes; in others a loop would close."""
SMOOTH = 0.3
"""Sigma of the blur of an enlarged glyph, in pixels of the original: it removes their steps."""
SKELETON_SCALE = 4
"""A glyph is enlarged this many times before it is thinned to its skeleton."""
FILLED = 1.4
"""Ink that is this many times thicker than a typical stroke fills a loop."""
ROOM = 3
"""Pixels of paper around a glyph."""


def with_margin(glyph: Pixels) -> Pixels:
    """The glyph's ink with ROOM pixels around it."""
    return cv2.copyMakeBorder(crop_to_ink(glyph, EDGES[-1] + 1), ROOM, ROOM, ROOM, ROOM, cv2.BORDER_CONSTANT, value=0)


def ink_level(glyph: Pixels) -> int:
    """The level at which this glyph's ink begins, one of EDGES."""
    if glyph[glyph > EDGES[-1]].mean() > THIN:
        return EDGES[0]
    # Loops count as well as parts: where one opens, two parts of paper become one.
    parts = [
        cv2.connectedComponents((glyph > grey).astype(np.uint8), connectivity=4)[0]
        - cv2.connectedComponents((glyph <= grey).astype(np.uint8), connectivity=8)[0]
        for grey in EDGES
    ]
    return next(grey for grey, count in zip(EDGES, parts, strict=True) if count <= parts[-1])


def enlarge(glyph: Pixels, em: float) -> Pixels:
    """The glyph, (28, 28), enlarged to ``em`` pixels with its own pen; edges a pixel wide."""
    scale = em / FIT
    return _ramp(_enlarge_smooth(with_margin(glyph), scale) - ink_level(glyph), 1.6 * scale)


def redraw(glyph: Pixels, em: float, pen: float) -> Pixels:
    """The digit, redrawn with a pen ``pen`` pixels wide along the middle of its strokes."""
    scale = em / FIT
    full = _enlarge_smooth(with_margin(glyph), SKELETON_SCALE) > ink_level(glyph)
    bare = skeleton(full)
    away: Any = cv2.distanceTransform((~bare).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deep: Any = cv2.distanceTransform(full.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # A loop filled with ink stays filled, or a 9 would become a 7.
    usual = float(np.median(deep[bare]))
    core: Any = cv2.distanceTransform((deep <= FILLED * usual).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = np.minimum(away, np.maximum(core - np.float32((FILLED - 1) * usual), 0))
    size = _size(near, scale / SKELETON_SCALE)
    near = cv2.GaussianBlur(cv2.resize(near, size, interpolation=cv2.INTER_CUBIC), (0, 0), max(0.1, SMOOTH * scale))
    return _ramp(pen / 2 - near * np.float32(scale / SKELETON_SCALE), 255.0)


def draw_dotted(glyph: Pixels, em: float, pen: float, step: float) -> Pixels:
    """The digit in dots ``pen`` pixels wide, their middles at least ``step`` pixels apart along its strokes."""
    scale = em / FIT
    large = _enlarge_smooth(with_margin(glyph), SKELETON_SCALE)
    points = np.argwhere(skeleton(large > ink_level(glyph))).astype(np.float32)[:, ::-1] * np.float32(
        scale / SKELETON_SCALE
    )
    width, height = _size(large, scale / SKELETON_SCALE)
    ink = np.zeros((height, width), np.uint8)
    while len(points):
        middle = points[0]
        fixed = tuple(int(round(v * 16)) for v in middle.tolist())
        cv2.circle(ink, fixed, round(pen * 8), 255, cv2.FILLED, cv2.LINE_AA, 4)
        apart = np.hypot(*(points - middle).T)
        rest = points[apart >= step]
        # Further along the stroke: the nearest point that is far enough comes next.
        points = rest[np.argsort(np.hypot(*(rest - middle).T), kind="stable")]
    return ink


def break_strokes(ink: Pixels, rng: np.random.Generator, cuts: int, gap: float) -> Pixels:
    """The ink with ``cuts`` gaps of ``gap`` pixels, each across a stroke, as where a pen skips."""
    ink = ink.copy()
    ys, xs = np.nonzero(ink > 127)
    reach = max(ink.shape) * 0.09
    for _ in range(cuts):
        at = int(rng.integers(len(xs)))
        x, y = float(xs[at]), float(ys[at])
        near = (np.abs(xs - x) < reach) & (np.abs(ys - y) < reach)
        # Across the stroke: at right angles to the direction of the ink nearby.
        spread = np.cov(np.stack([xs[near], ys[near]]))
        across = np.linalg.eigh(spread)[1][:, 0] if np.isfinite(spread).all() else np.array([1.0, 0.0])
        a, b = (np.round(np.array([x, y]) + sign * reach * across).astype(int).tolist() for sign in (-1, 1))
        cv2.line(ink, a, b, 0, max(1, round(gap)), cv2.LINE_AA)
    return ink


def add_grain(ink: Pixels, rng: np.random.Generator, amount: float, size: float) -> Pixels:
    """Ink that rough paper took up in part: up to ``amount`` (0 to 1) of it is missing.

    Grains are about ``size`` pixels wide.
    """
    rough: Any = cv2.GaussianBlur(rng.standard_normal(ink.shape, np.float32), (0, 0), max(size / 2, 0.3))
    tooth = np.clip(0.5 + 0.6 * rough / max(float(rough.std()), 1e-6), 0, 1)
    return (ink * (1 - np.float32(amount) * tooth)).astype(np.uint8)


def smear(ink: Pixels, rng: np.random.Generator, amount: float, length: float) -> Pixels:
    """Chalk smeared by a sleeve: ``amount`` (0 to 1) of it is spread over up to ``length`` pixels."""
    side = max(3, round(length)) | 1
    window = np.zeros((side, side), np.float32)
    angle = rng.uniform(-0.5, 0.5)
    reach = side // 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = side // 2
    end = (round(middle + float(reach[0])), round(middle + float(reach[1])))
    cv2.line(window, (middle, middle), end, 1.0, 1)
    dust: Any = cv2.GaussianBlur(cv2.filter2D(ink, -1, window / window.sum()), (0, 0), max(0.5, length / 8))
    return cv2.max(ink, cv2.convertScaleAbs(dust, alpha=amount))


def skeleton(shape: np.ndarray) -> np.ndarray:
    """A shape (height, width) bool thinned to lines a pixel wide: Zhang and Suen, CACM 27 (1984)."""
    shape = np.pad(shape, 1)
    changed = True
    while changed:
        changed = False
        for step in (0, 1):
            n = [np.roll(shape, move, (0, 1)) for move in
                 ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))]  # fmt: skip
            count = np.sum(n, axis=0)
            turns = np.sum([~n[i] & n[(i + 1) % 8] for i in range(8)], axis=0)
            up, right, down, left = n[0], n[2], n[4], n[6]
            if step == 0:
                open_side = ~(up & right & down) & ~(right & down & left)
            else:
                open_side = ~(up & right & left) & ~(up & down & left)
            drop = shape & (count >= 2) & (count <= 6) & (turns == 1) & open_side
            if drop.any():
                shape = shape & ~drop
                changed = True
    return shape[1:-1, 1:-1]


def _size(picture: np.ndarray, scale: float) -> tuple[int, int]:
    return max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))


def _enlarge_smooth(glyph: Pixels, scale: float) -> np.ndarray:
    method = cv2.INTER_CUBIC if scale >= 1 else cv2.INTER_AREA
    large: Any = cv2.resize(glyph.astype(np.float32), _size(glyph, scale), interpolation=method)
    return cv2.GaussianBlur(large, (0, 0), max(0.1, SMOOTH * scale))


def _ramp(above: np.ndarray, gain: float) -> Pixels:
    """Ink where ``above`` is over 0: half at 0, with an edge 255 / ``gain`` wide."""
    return np.clip(127.5 + above * gain, 0, 255).astype(np.uint8)
