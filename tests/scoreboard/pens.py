"""MNIST's small glyphs as ink on a page: enlarged with sharp edges, and written again with other pens.

Ink is (height, width) uint8, 0 = none, 255 = full; lengths are pixels; an ``em`` is the height of MNIST's 20x20 box.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.normalise import FIT, crop_to_ink

EDGES = (80, 55, 35)
"""The grey of a glyph where ink begins: in thin ones the first at which they hang together as well as at the last.

MNIST's soft edges are an artefact of its size, but so is that a thin stroke is grey there.
"""
THIN = 178
"""Glyphs whose ink has at most this mean grey are written with thin strokes; in others a loop would close."""
SMOOTH = 0.3
"""The enlarged glyph is blurred by so many of its own pixels, so that they leave no stairs."""
SKELETON_SCALE = 4
"""A glyph is thinned to its skeleton at so many times its size."""
FILLED = 1.4
"""Where ink is this many times deeper than in the middle of the usual stroke, it fills a loop."""
ROOM = 3
"""Pixels of the glyph that stay free around it."""


def framed(glyph: Pixels) -> Pixels:
    """The glyph's ink with ROOM pixels around it."""
    return cv2.copyMakeBorder(crop_to_ink(glyph, EDGES[-1] + 1), ROOM, ROOM, ROOM, ROOM, cv2.BORDER_CONSTANT, value=0)


def edge(glyph: Pixels) -> int:
    """The grey at which this glyph's ink begins, one of EDGES."""
    if glyph[glyph > EDGES[-1]].mean() > THIN:
        return EDGES[0]
    # Loops tell as much as parts: where one opens, two parts of paper become one.
    parts = [
        cv2.connectedComponents((glyph > grey).astype(np.uint8), connectivity=4)[0]
        - cv2.connectedComponents((glyph <= grey).astype(np.uint8), connectivity=8)[0]
        for grey in EDGES
    ]
    return next(grey for grey, count in zip(EDGES, parts, strict=True) if count <= parts[-1])


def enlarged(glyph: Pixels, em: float) -> Pixels:
    """The glyph, (28, 28), written ``em`` pixels tall with the pen it was written with; edges a pixel wide."""
    scale = em / FIT
    return _ramp(_grown(framed(glyph), scale) - edge(glyph), 1.6 * scale)


def rewritten(glyph: Pixels, em: float, pen: float) -> Pixels:
    """The same digit written with a pen ``pen`` pixels wide, along the middle of its strokes."""
    scale = em / FIT
    full = _grown(framed(glyph), SKELETON_SCALE) > edge(glyph)
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


def dotted(glyph: Pixels, em: float, pen: float, step: float) -> Pixels:
    """The digit in dots ``pen`` pixels wide, their middles at least ``step`` pixels apart along its strokes."""
    scale = em / FIT
    large = _grown(framed(glyph), SKELETON_SCALE)
    points = np.argwhere(skeleton(large > edge(glyph))).astype(np.float32)[:, ::-1] * np.float32(scale / SKELETON_SCALE)
    width, height = _size(large, scale / SKELETON_SCALE)
    ink = np.zeros((height, width), np.uint8)
    while len(points):
        middle = points[0]
        fixed = tuple(int(round(v * 16)) for v in middle.tolist())
        cv2.circle(ink, fixed, round(pen * 8), 255, cv2.FILLED, cv2.LINE_AA, 4)
        apart = np.hypot(*(points - middle).T)
        rest = points[apart >= step]
        # On along the stroke: the nearest point that is far enough comes next.
        points = rest[np.argsort(np.hypot(*(rest - middle).T), kind="stable")]
    return ink


def broken(ink: Pixels, rng: np.random.Generator, cuts: int, gap: float) -> Pixels:
    """The ink with ``cuts`` gaps of ``gap`` pixels, each across a stroke: the pen skipped there."""
    ink = ink.copy()
    ys, xs = np.nonzero(ink > 127)
    reach = max(ink.shape) * 0.09
    for _ in range(cuts):
        at = int(rng.integers(len(xs)))
        x, y = float(xs[at]), float(ys[at])
        near = (np.abs(xs - x) < reach) & (np.abs(ys - y) < reach)
        # Across the stroke: at right angles to how the ink lies hereabouts.
        spread = np.cov(np.stack([xs[near], ys[near]]))
        across = np.linalg.eigh(spread)[1][:, 0] if np.isfinite(spread).all() else np.array([1.0, 0.0])
        a, b = (np.round(np.array([x, y]) + sign * reach * across).astype(int).tolist() for sign in (-1, 1))
        cv2.line(ink, a, b, 0, max(1, round(gap)), cv2.LINE_AA)
    return ink


def grainy(ink: Pixels, rng: np.random.Generator, amount: float, size: float) -> Pixels:
    """Ink that the paper's tooth took up here and there only: up to ``amount`` (0 to 1) of it is missing.

    Grains are about ``size`` pixels wide.
    """
    rough: Any = cv2.GaussianBlur(rng.standard_normal(ink.shape, np.float32), (0, 0), max(size / 2, 0.3))
    tooth = np.clip(0.5 + 0.6 * rough / max(float(rough.std()), 1e-6), 0, 1)
    return (ink * (1 - np.float32(amount) * tooth)).astype(np.uint8)


def smeared(ink: Pixels, rng: np.random.Generator, amount: float, length: float) -> Pixels:
    """Chalk that a sleeve went over: ``amount`` (0 to 1) of it is also found up to ``length`` pixels further on."""
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


def _grown(glyph: Pixels, scale: float) -> np.ndarray:
    method = cv2.INTER_CUBIC if scale >= 1 else cv2.INTER_AREA
    large: Any = cv2.resize(glyph.astype(np.float32), _size(glyph, scale), interpolation=method)
    return cv2.GaussianBlur(large, (0, 0), max(0.1, SMOOTH * scale))


def _ramp(above: np.ndarray, gain: float) -> Pixels:
    """Ink where ``above`` is over 0: half at 0, and an edge of 255 / ``gain``."""
    return np.clip(127.5 + above * gain, 0, 255).astype(np.uint8)
