"""Statistics of a picture: quantiles, noise and texture of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels

SAMPLE = 40_000
"""Statistics are taken from about this many pixels of a picture: enough for its rarest five thousandth."""


SQUARE = 64
"""Side of the squares in which noise is measured, pixels."""


def sample_rows(grey: Pixels, count: int = SAMPLE) -> Pixels:
    """Every n-th row, about ``count`` pixels in all: as good for statistics as all rows, and quicker."""
    return grey[:: max(1, -(-grey.size // count))]


def median(values: Sequence[float] | NDArray[Any]) -> float:
    """The middle value, or the mean of the two in the middle; at least one value.

    NumPy's own imports a module, a megabyte, when it is first called.
    """
    ordered = sorted(values)
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


def noise(ink: Pixels, side: int = SQUARE) -> tuple[Pixels, Pixels]:
    """The paper's level, and the standard deviation of its noise and texture, in each square of ``side`` pixels.

    Both (rows, columns) uint8, in grey levels, at least 1 x 1. From the median and its distance to the 20th percentile
    (0.842 sigma of a normal distribution), of a sample of pixels: less than half of a square is writing. Then the
    median over squares that touch: the edges of what lies on the page are in few of them.
    """
    step = max(1, side // 16)
    top, left = (min(step // 2, one - 1) for one in ink.shape)
    some = ink[top::step, left::step]
    size = side // step
    height, width = (-(-one // size) for one in some.shape)
    some = cv2.copyMakeBorder(some, 0, height * size - len(some), 0, width * size - some.shape[1], cv2.BORDER_REFLECT)
    squares = some.reshape(height, size, width, size).swapaxes(1, 2).reshape(height, width, -1)
    ranks = int(0.2 * size * size), int(0.5 * size * size)
    low, middle = np.moveaxis(np.partition(squares, ranks, axis=2)[..., ranks], 2, 0)
    spread = cv2.convertScaleAbs(cv2.subtract(middle, low), alpha=1 / 0.842)
    return cv2.medianBlur(middle.copy(), 3), cv2.medianBlur(spread, 3)
