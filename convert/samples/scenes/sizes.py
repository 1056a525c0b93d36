"""How large pages and digits are, and how a sheet is cropped around what is written."""

from __future__ import annotations

import numpy as np

from convert.samples.scenes.sheet import Sheet

SMALLEST = 28
"""Shortest side of a page, pixels: as MNIST's own pictures."""
LARGEST = 1100
"""Longest side of a page, pixels. Chosen: larger photographs are reduced before they are read."""
DIGIT = (12.0, 300.0)
"""Smallest and largest height of a digit, pixels. Chosen: smaller ones cannot be read."""


def between(rng: np.random.Generator, least: float, most: float) -> float:
    """A number between two limits, evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(least), np.log(max(least, most)))))


def page_size(rng: np.random.Generator) -> tuple[int, int]:
    """Height and width of a page on which the writing does not fill the picture, pixels."""
    kind = rng.uniform()
    if kind < 0.2:
        height, width = rng.uniform(50, 160), rng.uniform(70, 320)
    elif kind < 0.3:
        height, width = rng.uniform(50, 130), rng.uniform(300, 800)
    elif kind < 0.35:
        height, width = rng.uniform(300, 800), rng.uniform(70, 160)
    elif kind < 0.8:
        height, width = rng.uniform(180, 520), rng.uniform(220, 680)
    else:
        height, width = rng.uniform(450, LARGEST), rng.uniform(500, LARGEST)
    return int(height), int(width)


def line_height(rng: np.random.Generator, height: int, width: int) -> float:
    """Height of the digits on a page of this size that has room for several, pixels."""
    return between(rng, DIGIT[0], max(DIGIT[0] + 4, min(0.5 * height, 0.3 * width, 110)))


def crop_around(sheet: Sheet, digit: float, rng: np.random.Generator) -> Sheet:
    """The sheet cropped to what is written, with narrow, usual or wide margins: ``digit`` is a digit's height.

    In one of twelve a side cuts through what stands there.
    """
    box = sheet.box()
    if box is None:
        return sheet
    left, top, right, bottom = box
    kind = rng.uniform()
    if kind < 0.2:
        margins = rng.integers(0, 4, 4).astype(float)
    elif kind < 0.6:
        margins = rng.uniform(0.08, 0.6, 4) * digit
    else:
        margins = rng.uniform(0.3, between(rng, 0.6, 4), 4) * digit
        if rng.uniform() < 0.5:
            # Written in the middle.
            margins[2:] = margins[:2] = margins[:2] * rng.uniform(0.85, 1.15)
    if rng.uniform() < 1 / 12:
        margins[rng.integers(4)] = -rng.uniform(0.15, 0.6) * digit
    across = _limited(margins[0::2], right - left)
    down = _limited(margins[1::2], bottom - top)
    return sheet.framed(left - across[0], top - down[0], right + across[1], bottom + down[1])


def _limited(margins: np.ndarray[tuple[int], np.dtype[np.float64]], length: int) -> tuple[int, int]:
    """Margins before and after something of this length, so that the page is neither too small nor too large."""
    before, after = (max(-length // 3, round(float(margin))) for margin in margins)
    missing = SMALLEST - (length + before + after)
    if missing > 0:
        before, after = before + missing // 2, after + missing - missing // 2
    too_much = max(0, length + before + after - LARGEST)
    return before - min(too_much // 2, max(before, 0)), after - min(too_much - too_much // 2, max(after, 0))
