"""Ink that came apart: a pen that skips, a stamp's dots."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.clean import Cleaned
from edge.vision.components import Part
from edge.vision.statistics import median

FEW, MANY = 3, 1000
"""Fewer parts have no usual gap between them, and more are a texture."""
DOT = 0.6
"""A dot fills at least this share of its box, writing less."""
BETWEEN_DOTS = 1.5
"""Gaps wider than so many of the usual part are between digits, not within them: where parts are dots, and"""
BETWEEN_STROKES = 0.25
"""where they are strokes."""


def usual_gap(ink: Sequence[Part]) -> int:
    """The usual distance from a part to the nearest other one, whole pixels; 0 for none.

    That of the upper quartile, so that nearly all gaps are bridged.
    """
    if not FEW <= len(ink) <= MANY:
        return 0
    parts = np.array(ink)
    start = parts[:, :2].astype(np.float32)
    end = start + parts[:, 2:4]
    apart = np.maximum(np.maximum(start[:, None], start[None]) - np.minimum(end[:, None], end[None]), 0)
    between = np.hypot(apart[..., 0], apart[..., 1])
    np.fill_diagonal(between, np.inf)
    gap = float(np.quantile(between.min(axis=1), 0.75))
    dots = median(parts[:, 4] / (parts[:, 2] * parts[:, 3])) >= DOT
    widest = (BETWEEN_DOTS if dots else BETWEEN_STROKES) * median(parts[:, 2:4].max(axis=1))
    return int(np.ceil(gap)) if gap <= widest else 0


def closed(cleaned: Cleaned, gap: int) -> Cleaned:
    """The same ink with gaps of up to so many pixels closed over, by a disc that even round dots leave no notch of.

    A closing by distances: its cost does not grow with the disc.
    """
    edge = gap + 1
    mask = cv2.copyMakeBorder(cleaned.mask, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    wide = _nearer(cv2.bitwise_not(mask), gap)
    whole = cv2.bitwise_not(_nearer(wide, gap))[edge:-edge, edge:-edge]
    whole = cv2.bitwise_or(whole, cleaned.mask)
    # What was bridged becomes as dark as the ink is on average.
    level = cv2.mean(cleaned.ink, cleaned.mask)[0]
    ink = np.maximum(cleaned.ink, np.where(whole > cleaned.mask, np.uint8(level), np.uint8(0)))
    return cleaned._replace(ink=ink, mask=np.ascontiguousarray(whole))


def _nearer(outside: Pixels, gap: int) -> Pixels:
    """255 where the next pixel that is 0 is at most ``gap`` pixels away."""
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    return cv2.threshold(distance, gap + 0.5, 255, cv2.THRESH_BINARY_INV)[1].astype(np.uint8)
