"""Statistics of a picture: quantiles, noise and texture of the paper, how solid the ink is."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels
from edge.vision.masks import at_least

SAMPLE = 40_000
"""Statistics are taken from about this many pixels of a picture: enough for its rarest five thousandth."""


TILE = 8
"""Side of the squares in which noise and the strongest ink are looked up, pixels: less than most strokes are long."""


def sample_rows(grey: Pixels, count: int = SAMPLE) -> Pixels:
    """Every n-th row, about ``count`` pixels in all: as good for statistics as all rows, and quicker."""
    return grey[:: max(1, -(-grey.size // count))]


def median(values: Sequence[float] | NDArray[Any]) -> float:
    """The middle value, or the mean of the two in the middle; at least one value.

    NumPy's own imports a module, a megabyte, when it is first called.
    """
    ordered = np.sort(values)
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def quantiles(grey: Pixels, *shares: float, where: Pixels | None = None) -> list[float]:
    """For each share (0 to 1), the grey level that this share of the pixels does not exceed, from a sample of the rows.

    ``where``: only where this mask, as large as ``grey``, is not 0; without any such pixel every level is 0.
    """
    mask = None if where is None else sample_rows(where)
    below = cv2.calcHist([sample_rows(grey)], [0], mask, [256], [0, 256]).ravel().cumsum()
    count = float(below[-1])
    levels: list[int] = below.searchsorted([share * count for share in shares]).tolist()
    return [float(level) for level in levels]


def quantile_reaches(grey: Pixels, level: float, share: float) -> bool:
    """Whether the quantile at this ``share`` (0 to 1) of the pixels is at least ``level``, quickly."""
    below = grey.size - cv2.countNonZero(at_least(grey, ceil(level)))
    return below < share * grey.size


def noise(ink: Pixels) -> tuple[float, float]:
    """The paper's level, and the standard deviation of its noise and texture, in grey levels.

    In squares of TILE pixels, a sample of them: the median over the squares of the 40th percentile, and of the distance
    of the 20th to the 60th (1.095 sigma of a normal distribution). Writing, and the edges of what lies on the page, are
    in few squares. Or of pixel noise, if it is larger: the lower third of |a - 2b + c| along rows at a distance of 4
    pixels, where a 3x3 median filter no longer correlates it (0.431 sqrt 6 sigma).
    """
    height, width = (side // TILE * TILE for side in ink.shape)
    if not height or not width:
        return 0.0, 0.0
    rows = ink[:height, :width].reshape(height // TILE, TILE, width)[:: max(1, -(-ink.size // SAMPLE))]
    tiles = np.sort(rows.reshape(len(rows), TILE, -1, TILE).swapaxes(1, 2).reshape(-1, TILE * TILE), axis=1)
    low, middle, high = (tiles[:, round(share * TILE * TILE)] for share in (0.2, 0.4, 0.6))
    level, spread = median(middle), median((high - low).astype(np.float32)) / 1.095
    if width < 2 * TILE:
        return level, spread
    kernel = np.array([[1, 0, 0, 0, -2, 0, 0, 0, 1]], np.float32)
    second = cv2.convertScaleAbs(cv2.filter2D(sample_rows(ink, SAMPLE // 2), cv2.CV_16S, kernel))
    return level, max(spread, quantiles(second, 1 / 3)[0] / 1.055)


def solid_ink_share(ink: Pixels) -> float:
    """How much of the ink (90 and more) is solid (160 and more), 0 to 1: strokes are, the tail of noise is not."""
    rows = sample_rows(ink)
    return cv2.countNonZero(at_least(rows, 160)) / max(cv2.countNonZero(at_least(rows, 90)), 1)
