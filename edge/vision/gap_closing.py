"""Close gaps in strokes: a pen that skips, the dots of a stamp."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.clean import Cleaned
from edge.vision.components import Part
from edge.vision.statistics import median

FEW = 3
"""With fewer parts of ink than this there is no typical gap."""
MANY = 1000
"""More parts of ink than this are a texture, and no gap is closed."""
DOT = 0.6
"""A dot fills at least this share of its box; a stroke of writing fills less."""
BETWEEN_DOTS = 1.5
"""Where parts are dots, a gap wider than this many typical parts is between digits, and is not closed."""
BETWEEN_STROKES = 0.25
"""Where parts are strokes, a gap wider than this share of a typical part is between digits, and is not closed."""


def typical_gap(mask: Pixels, ink: Sequence[Part]) -> int:
    """The typical distance from a part of a mask to the nearest other one, whole pixels; 0 if there is none to close.

    It is the upper quartile, so that most gaps are closed. ``ink``: the parts that may belong to digits.
    """
    if not FEW <= len(ink) <= MANY:
        return 0
    nearest = nearest_distances(mask)
    if not len(nearest):
        return 0
    gap = float(nearest[len(nearest) * 3 // 4])
    parts = np.array(ink)
    dots = median(parts[:, 4] / (parts[:, 2] * parts[:, 3])) >= DOT
    widest = (BETWEEN_DOTS if dots else BETWEEN_STROKES) * median(parts[:, 2:4].max(axis=1))
    return int(np.ceil(gap)) if gap <= widest else 0


def nearest_distances(mask: Pixels) -> NDArray[np.float32]:
    """(n,): the distance from each part of a mask, 255 = ink, to the nearest other one, pixels, the smallest first.

    Where the areas of paper meet that are nearest to two parts, the distances to both add up to the gap between them.
    The boxes of two parts may overlap where their ink does not: the segments of a display that slants.
    """
    away, owner = cv2.distanceTransformWithLabels(
        cv2.bitwise_not(mask), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_CCOMP
    )
    nearest = np.full(int(owner.max()) + 1, np.inf, np.float32)
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        meet = owner[here] != owner[there]
        between = (away[here] + away[there])[meet]
        for side in (here, there):
            np.minimum.at(nearest, owner[side][meet], between)
    return np.sort(nearest[np.isfinite(nearest)])


def close_gaps(cleaned: Cleaned, gap: int) -> Cleaned:
    """The same ink with gaps of up to ``gap`` pixels closed: a morphological closing with a disc.

    A disc leaves no notches between round dots. It is computed from distance transforms, so its cost does not grow
    with the disc.
    """
    edge = gap + 1
    mask = cv2.copyMakeBorder(cleaned.mask, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    wide = _within(cv2.bitwise_not(mask), gap)
    whole = cv2.bitwise_not(_within(wide, gap))[edge:-edge, edge:-edge]
    whole = cv2.bitwise_or(whole, cleaned.mask)
    # A closed gap becomes as dark as the ink is on average.
    level = cv2.mean(cleaned.ink, cleaned.mask)[0]
    ink = np.maximum(cleaned.ink, np.where(whole > cleaned.mask, np.uint8(level), np.uint8(0)))
    return cleaned._replace(ink=ink, mask=np.ascontiguousarray(whole))


def _within(outside: Pixels, gap: int) -> Pixels:
    """255 where the nearest pixel that is 0 is at most ``gap`` pixels away."""
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    return cv2.threshold(distance, gap + 0.5, 255, cv2.THRESH_BINARY_INV)[1].astype(np.uint8)
