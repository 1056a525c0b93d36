"""Glare: where a lamp is reflected by the page."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.resize import shrink_by_halves

SIDE = 256
"""Glare is looked for on a picture that is halved until its longer side has this many pixels at most."""
SMALLEST_SIDE = 200
"""A picture whose longer side is shorter was cut out of a page. Chosen: no camera gives so few pixels."""
WHITE = 250
"""What is at least this grey there is white."""
SMALLEST, LARGEST = 0.003, 0.5
"""Which share of the view glare takes: a smaller spot hides no digit, a larger one is paper that is over-exposed."""
NEAR, FAR = 0.012, 0.06
"""The light is compared at these distances from the white, as shares of the picture's longer side."""
SOFT = 0.5
"""Glare fades: close to it the paper is brighter than far from it by at least this share of the way to white. A white
thing has a sharp edge. Of 147 photographs with a lamp's reflection added to them, 131 have glare by these limits; of
145 without it 2, which show a cat and a dog."""
RING = 0.75
"""And it fades on all sides: on at least this share of the way round. Chosen: ink may cross the rest."""
FADED = 240
"""Far from it the paper has less than this grey: paper that is nearly white everywhere is over-exposed."""
ROWS, COLUMNS = ("top", "", "bottom"), ("left", "", "right")
"""The names of thirds of a view."""


class Glare(NamedTuple):
    """The largest glare in a view."""

    share: float
    """Which share of the view is white there, 0 to 1."""
    where: str
    """``top left``, ``top``, ``middle`` and so on."""


def find_glare(grey: Pixels) -> Glare | None:
    """The largest glare in a picture (height, width) uint8; None if there is none."""
    if max(grey.shape) < SMALLEST_SIDE:
        return None
    small = shrink_by_halves(grey, SIDE)
    # Single pixels are noise, or the gaps in a line.
    white = cv2.morphologyEx(cv2.compare(small, WHITE, cv2.CMP_GE), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if not cv2.countNonZero(white):
        return None
    _, labels, stats, middles = cv2.connectedComponentsWithStats(white)
    for i in sorted(range(1, len(stats)), key=lambda i: -stats[i, cv2.CC_STAT_AREA]):
        share = float(stats[i, cv2.CC_STAT_AREA]) / small.size
        if share < SMALLEST:
            return None
        if share <= LARGEST and _fades(small, cv2.compare(labels.astype(np.uint16), i, cv2.CMP_EQ)):
            return Glare(share, _where(middles[i][0] / small.shape[1], middles[i][1] / small.shape[0]))
    return None


def _fades(grey: Pixels, white: Pixels) -> bool:
    """Whether the light falls slowly from the white part (255 there) to the paper around it."""
    side = max(grey.shape)
    near, far = (max(least, round(share * side)) for share, least in ((NEAR, 2), (FAR, 6)))
    rings = [_grown(white, radius) for radius in (0, near, far, far + near)]
    close, distant = grey[(rings[1] > 0) & (rings[0] == 0)], grey[(rings[3] > 0) & (rings[2] == 0)]
    if not len(close) or not len(distant):
        return False
    # Most of the ring: a white thing may have a white neighbour.
    around, paper = float(np.quantile(close, 1 - RING)), float(np.median(distant))
    return paper < FADED and around - paper >= SOFT * (255 - paper)


def _grown(mask: Pixels, radius: int) -> Pixels:
    size = 2 * radius + 1
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def _where(across: float, down: float) -> str:
    """The name of a place in the view, given from 0 (left, top) to 1."""
    names = ROWS[min(2, int(3 * down))], COLUMNS[min(2, int(3 * across))]
    return " ".join(filter(None, names)) or "middle"
