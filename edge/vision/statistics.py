"""What a picture is like as a whole: its noise, its quantiles, whether its ink is dark or light. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels, halved
from edge.vision.paper_sheet import SIDE, has_sheet

SAMPLE = 40_000
"""Statistics of a picture are taken from about as many of its pixels: enough for its rarest five thousandth."""

RIM = 0.05
"""The outermost share of the picture on each side says nothing about what its ink is like."""
_SURFACE_SIDE = 32
_X, _Y = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-1, 1, _SURFACE_SIDE, dtype=np.float32)] * 2))
_SQUARE = np.float32(np.mean(_X * _X))
_SURFACE = np.stack([np.ones_like(_X), _X, _Y, _X * _Y, _X * _X - _SQUARE, _Y * _Y - _SQUARE])
_SURFACE /= np.sqrt(np.sum(np.square(_SURFACE), axis=1, keepdims=True))
"""An orthonormal basis of quadratic surfaces on a 32x32 picture, (6, 1024): Legendre polynomials up to degree 2."""

BLOB = 4
"""A square of so many of those pixels is broader than most strokes."""
SOLID_LIGHT = 0.5
"""Where such squares hold so much of what is light, it may be a sheet of paper and no ink:"""
DOUBTFUL = 2.0
"""then light ink fits at most so many times better than dark."""


def reduced(grey: Pixels, side: int) -> Pixels:
    """Halved until the longer side has ``side`` pixels at most."""
    while max(grey.shape) > side:
        grey = halved(grey)
    return grey


def sample(grey: Pixels, count: int = SAMPLE) -> Pixels:
    """Every n-th row, about ``count`` pixels in all: as good for statistics, and quicker."""
    return grey[:: max(1, -(-grey.size // count))]


def above(ink: Pixels, level: int) -> Pixels:
    """255 where a picture (height, width) uint8 is at least ``level``, else 0."""
    return cv2.threshold(ink, level - 1, 255, cv2.THRESH_BINARY)[1]


def enclosed(mask: Pixels) -> Pixels:
    """255 where a mask (height, width) of 0 and 255 is 255 and cannot be reached from its border (4 neighbours)."""
    # One more pixel all around hangs everything together that goes to the border.
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    cv2.floodFill(framed, None, (0, 0), 0)
    return framed[1:-1, 1:-1]


def median(values: Sequence[float] | NDArray[Any]) -> float:
    """The middle one, or the mean of the two in the middle; at least one value.

    NumPy's own imports a module, a megabyte, when it is first called.
    """
    ordered = np.sort(values)
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def quantiles(grey: Pixels, *shares: float, where: Pixels | None = None) -> list[float]:
    """For each share (0 to 1), the grey level that as many pixels do not exceed, from a sample of the rows.

    ``where``: only where this mask, as large as ``grey``, is not 0; without any such pixel every level is 0.
    """
    mask = None if where is None else sample(where)
    below = cv2.calcHist([sample(grey)], [0], mask, [256], [0, 256]).ravel().cumsum()
    count = float(below[-1])
    levels: list[int] = below.searchsorted([share * count for share in shares]).tolist()
    return [float(level) for level in levels]


def exceeds(grey: Pixels, level: float, share: float) -> bool:
    """Whether the quantile at this ``share`` (0 to 1) of all pixels is at least ``level``: quicker than to know it."""
    below = grey.size - cv2.countNonZero(above(grey, ceil(level)))
    return below < share * grey.size


def noise(ink: Pixels) -> tuple[float, float]:
    """The paper's level, and the standard deviation of its noise and texture, in grey levels.

    The larger of two robust measures. Pixel noise: the median of |a - 2b + c| along rows at a distance of 4 pixels,
    where a 3x3 median filter no longer correlates it (sigma = median / (0.6745 sqrt 6)). Texture of any grain: the
    distance of the 20th to the 60th percentile (1.095 sigma of a normal distribution), where even thick writing that
    fills the picture is paper.
    """
    rows = sample(ink, SAMPLE // 2)
    middle, rough = texture(rows)
    if rows.shape[1] < 16:
        return middle, rough
    kernel = np.array([[1, 0, 0, 0, -2, 0, 0, 0, 1]], np.float32)
    second = cv2.convertScaleAbs(cv2.filter2D(rows, cv2.CV_16S, kernel))
    return middle, max(rough, quantiles(second, 0.5)[0] / 1.652)


def texture(values: Pixels, where: Pixels | None = None) -> tuple[float, float]:
    """The 40th percentile of any values (uint8), and the standard deviation of the grain they lie in.

    By the distance of the 20th to the 60th percentile: even where two fifths are ink it is that of the paper.
    ``where``: only where this mask is not 0.
    """
    low, middle, high = quantiles(values, 0.2, 0.4, 0.6, where=where)
    return middle, (high - low) / 1.095


def largest_mark(mask: Pixels) -> int:
    """Pixels of the largest connected component of a mask; 0 where it is empty."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))


def solid_share(ink: Pixels) -> float:
    """How much of the ink (90 and more) is solid (160 and more), 0 to 1: strokes are, the tail of noise is not."""
    rows = sample(ink)
    return cv2.countNonZero(above(rows, 160)) / max(cv2.countNonZero(above(rows, 90)), 1)


def polarity(grey: Pixels) -> float:
    """How much more the picture looks like dark ink than like light ink: over 1 dark, under 1 light.

    Ink is the minority: with a quadratic surface of light taken out, deviations from a median over half the picture
    are squared and summed on either side of it.
    """
    # A dark table or a scanner's lid at the border would bend the surface far into the page.
    y, x = (round(RIM * side) for side in grey.shape)
    grey = grey[y : grey.shape[0] - y, x : grey.shape[1] - x]
    small = cv2.resize(reduced(grey, 2 * _SURFACE_SIDE), (_SURFACE_SIDE, _SURFACE_SIDE), interpolation=cv2.INTER_AREA)
    values = small.astype(np.float32).ravel()
    flat = values - (_SURFACE @ values) @ _SURFACE
    flat = np.minimum(flat - flat.min(), 255).astype(np.uint8).reshape(small.shape)
    middle = cv2.medianBlur(flat, _SURFACE_SIDE // 2 | 1)
    light = cv2.subtract(flat, middle)
    darker, lighter = (cv2.norm(part, cv2.NORM_L2SQR) for part in (cv2.subtract(middle, flat), light))
    ratio = (darker + 1) / (lighter + 1)
    if ratio > 1 / DOUBTFUL:
        return ratio
    square = np.square(light.astype(np.float32))
    solid = float(cv2.morphologyEx(square, cv2.MORPH_OPEN, np.ones((BLOB, BLOB), np.uint8)).sum())
    if solid > SOLID_LIGHT * lighter or has_sheet(reduced(grey, SIDE)):
        return 1 / DOUBTFUL
    return ratio
