"""The synthetic camera of a conversion: 80 digits of MNIST on each page, photographed and cleaned together.

``augment.through_camera``, used in training, has one digit in each picture. Whole pages are faster, so that all test
images can be used in every conversion. They also contain what is hard about a page: shadows, several pens, and one
maximum of ink for all digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np

from convert.samples import augment
from edge.handwriting import virtual_camera
from edge.types import Pixels
from edge.vision.clean import Cleaned, clean
from edge.vision.crop import crop_mark, with_soft_edges
from edge.vision.normalise import SIDE, normalise
from edge.vision.segment import find_parts, mark_of
from edge.vision.settings import VisionSettings

ROWS, COLUMNS = 8, 10
"""Digits on a page."""
CELL_SIDE = (56, 84)
"""Smallest and largest side, in pixels, of the square cell that each digit of a page has to itself."""
FILLED_SHARE = (0.42, 0.8)
"""Smallest and largest size of a digit, as a share of the side of its cell."""
MAX_ROTATION = 8.0
"""Greatest rotation of a digit in either direction, degrees."""
PALEST_PEN = 0.7
"""Ink of the palest pen on a page, as a share of the darkest one's."""
SHADOW_SHARE = 0.4
"""Share of the pages, 0 to 1, with a shadow."""
JPEG_SHARE = 0.3
"""Share of the pages, 0 to 1, that are compressed as JPEG."""
SPECK_SHARE = 1 / 20
"""A connected component smaller than this share of the largest one in its cell is a speck, and is removed."""
_NORMAL = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
"""The standard normal distribution as 256 equally likely values."""


def through_camera(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """Glyphs (n, 28, 28), light ink on black, put on pages, photographed, and cut out by the Pi's own code, in order.

    All zeros if nothing is left of a digit. The same for the same seed, independent of the glyphs on later pages.
    """
    found = np.zeros((len(glyphs), SIDE, SIDE), np.uint8)
    for page, first in enumerate(range(0, len(glyphs), ROWS * COLUMNS)):
        rng = np.random.default_rng([*np.atleast_1d(seed), page])
        batch = slice(first, first + ROWS * COLUMNS)
        cell = int(rng.integers(CELL_SIDE[0], CELL_SIDE[1] + 1))
        picture = photograph(draw_page(glyphs[batch], cell, rng), rng, cell)
        found[batch] = cut_digits(clean(picture, VisionSettings(), light_ink=False), cell, len(glyphs[batch]))
    return found


def draw_page(glyphs: Pixels, cell: int, rng: np.random.Generator) -> Pixels:
    """Draw up to 80 glyphs (n, 28, 28) on a page, row by row, in cells of ``cell`` pixels.

    Returns ink (8 * cell, 10 * cell) uint8, 0 = none. Size, rotation, position in the cell and pen vary.
    """
    soft = np.zeros((ROWS * cell, COLUMNS * cell), np.uint8)
    pens = np.zeros((ROWS, COLUMNS), np.uint8)
    for i, glyph in enumerate(glyphs):
        row, column = divmod(i, COLUMNS)
        pens[row, column] = round(255 * rng.uniform(PALEST_PEN, 1))
        # Several times faster than a cubic warp, and as smooth.
        large = cv2.resize(glyph, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
        within = np.s_[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
        soft[within] = cv2.warpAffine(large, _place(large, cell, rng), (cell, cell))
    return cv2.multiply(augment.sharpen(soft), np.kron(pens, np.ones((cell, cell), np.uint8)), scale=1 / 255)


def _place(glyph: Pixels, cell: int, rng: np.random.Generator) -> Any:
    """A random affine matrix (2, 3) that draws a glyph of any size in its cell."""
    x, y, width, height = cv2.boundingRect(cv2.threshold(glyph, 63, 255, cv2.THRESH_BINARY)[1])
    share = rng.uniform(*FILLED_SHARE)
    scale = share * cell / max(width, height, 1)
    centre = (x + (width - 1) / 2, y + (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, rng.uniform(-MAX_ROTATION, MAX_ROTATION), scale)
    room = max(0.0, 0.92 - 1.14 * share) * cell / 2
    matrix[:, 2] += (cell - 1) / 2 - np.array(centre) + rng.uniform(-room, room, 2)
    return matrix


def photograph(ink: Pixels, rng: np.random.Generator, cell: int) -> Pixels:
    """A page of ink, (height, width) uint8, 0 = none, photographed: grey pixels, 0 = black.

    Contrast, light and blur vary as in ``augment.through_camera_once``; blur is relative to ``cell``, in pixels.
    """
    paper, strength = rng.uniform(90, 250), rng.uniform(0.25, 0.95)
    page = virtual_camera.light(virtual_camera.write(ink, paper, strength), rng, rng.uniform(0, 0.6))
    if rng.uniform() < SHADOW_SHARE:
        # With a shadow much darker than the ink, even a person could not read digits at its edge.
        page = add_shadow(page, rng, rng.uniform(0.2, 0.65) * strength, rng.uniform(2, 24))
    page = virtual_camera.blur(page, rng.uniform(0, 0.011) * cell)
    page = add_noise(page, rng, rng.uniform(0, 0.05) * strength * paper)
    return virtual_camera.jpeg(page, int(rng.integers(30, 90))) if rng.uniform() < JPEG_SHARE else page


def add_shadow(page: Pixels, rng: np.random.Generator, depth: float, softness: float) -> Pixels:
    """Add a straight shadow that takes ``depth`` (0 to 1) of the light; its edge is ``softness`` pixels wide."""
    height, width = page.shape
    angle = rng.uniform(0, 2 * np.pi)
    x = (np.arange(width) - rng.uniform(0.2, 0.8) * width).astype(np.float32)[None, :]
    y = (np.arange(height) - rng.uniform(0.2, 0.8) * height).astype(np.float32)[:, None]
    within = np.clip((np.cos(angle) * x + np.sin(angle) * y) / softness + 0.5, 0, 1)
    return (page * (1 - depth * within)).astype(np.uint8)


def add_noise(page: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    """Add sensor noise of ``sigma`` grey levels: as ``virtual_camera.noise``, in a tenth of the time."""
    drawn = np.frombuffer(rng.bytes(page.size), np.uint8).reshape(page.shape)
    return cv2.add(page, cv2.LUT(drawn, np.round(_NORMAL * sigma).astype(np.int16)), dtype=cv2.CV_8U)


def cut_digits(cleaned: Cleaned, cell: int, count: int) -> Pixels:
    """The first ``count`` digits of a cleaned page, (count, 28, 28): the ink in each cell, normalised.

    ``cell``: the side of a cell, pixels of the page before it was cleaned. As in ``edge.vision.segment``, a component
    needs some ``sure`` ink. Components too large for a cell are left out.
    """
    found = np.zeros((count, SIDE, SIDE), np.uint8)
    if cleaned.reason:
        return found
    parts = find_parts(cleaned.mask, cleaned.sure)
    boxes = np.array(parts.every, np.int32).reshape(-1, 5)
    side = cell * cleaned.scale
    column, row = ((boxes[:, :2] + boxes[:, 2:4] / 2) / side).astype(np.int32).T
    own = np.array([i for i in parts.usable if max(parts.every[i][2:4]) <= side], np.intp)
    place = (row * COLUMNS + column)[own]
    largest = np.zeros(ROWS * COLUMNS, np.int32)
    np.maximum.at(largest, place, boxes[own, 4])
    kept = boxes[own, 4] >= SPECK_SHARE * largest[place]
    ink = with_soft_edges(cleaned.ink, cleaned.mask)
    for i in range(count):
        here = own[kept & (place == i)]
        if len(here):
            found[i] = normalise(crop_mark(ink, parts, mark_of(parts, here.tolist())))
    return found
