"""MNIST as the camera would see it: many digits on one synthetic page, photographed and cleaned together.

``augment.seen`` shows a model in training one digit a picture. This is quicker by the whole page, so that all test
images can be seen whenever a model is converted; what is hard about a page (shadows, several pens, one peak of ink for
all) is here besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np

from convert.samples import augment
from edge.handwriting import virtual_camera
from edge.types import Box, Pixels
from edge.vision.clean import Cleaned, clean
from edge.vision.components import bounding_box_of_array, connected_components
from edge.vision.crop import crop_mark, with_soft_edges
from edge.vision.normalise import SIDE, normalise
from edge.vision.segment import Mark, Segments
from edge.vision.settings import VisionSettings

ROWS, COLUMNS = 8, 10
"""Digits on a page."""
CELL = (56, 84)
"""Each has a square of so many pixels, from and to, to itself,"""
FILLED = (0.42, 0.8)
"""and fills this share of its side, from and to."""
TURN = 8.0
"""Degrees by which a digit is turned at most, either way."""
PALEST = 0.7
"""The palest pen of a page has this share of the darkest one's ink."""
SHADED = 0.4
"""Share of the pages that a shadow falls on."""
PACKED = 0.3
"""Share of the pages that are saved as JPEG."""
SPECK = 1 / 20
"""Ink of less than this share of the largest part in its cell is a speck."""
_NORMAL = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
"""The standard normal distribution as 256 equally likely values."""


def camera(glyphs: Pixels, seed: int | Sequence[int]) -> Pixels:
    """Glyphs (n, 28, 28), light ink on black, as the Pi's own code makes them of photographed pages, in their order.

    All zeros where nothing is left of a digit. The same for the same seed, and whatever is on later pages.
    """
    found = np.zeros((len(glyphs), SIDE, SIDE), np.uint8)
    for page, first in enumerate(range(0, len(glyphs), ROWS * COLUMNS)):
        rng = np.random.default_rng([*np.atleast_1d(seed), page])
        some = slice(first, first + ROWS * COLUMNS)
        cell = int(rng.integers(CELL[0], CELL[1] + 1))
        picture = photographed(written(glyphs[some], cell, rng), rng, cell)
        found[some] = picked(clean(picture, VisionSettings(), light_ink=False), cell, len(glyphs[some]))
    return found


def written(glyphs: Pixels, cell: int, rng: np.random.Generator) -> Pixels:
    """Up to a page of glyphs (n, 28, 28) as ink, 0 = none, in cells of so many pixels, row by row.

    (8 cells, 10 cells) uint8. Each digit has its own size, turn and place in its cell, and its own pen.
    """
    soft = np.zeros((ROWS * cell, COLUMNS * cell), np.uint8)
    pens = np.zeros((ROWS, COLUMNS), np.uint8)
    for i, glyph in enumerate(glyphs):
        row, column = divmod(i, COLUMNS)
        pens[row, column] = round(255 * rng.uniform(PALEST, 1))
        # Several times as fast as a cubic warp, and as smooth.
        large = cv2.resize(glyph, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
        within = np.s_[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
        soft[within] = cv2.warpAffine(large, _place(large, cell, rng), (cell, cell))
    return cv2.multiply(augment.sharpened(soft), np.kron(pens, np.ones((cell, cell), np.uint8)), scale=1 / 255)


def _place(glyph: Pixels, cell: int, rng: np.random.Generator) -> Any:
    """Where in its cell a glyph of any size is drawn, and how: an affine matrix (2, 3)."""
    x, y, width, height = cv2.boundingRect(cv2.threshold(glyph, 63, 255, cv2.THRESH_BINARY)[1])
    share = rng.uniform(*FILLED)
    scale = share * cell / max(width, height, 1)
    centre = (x + (width - 1) / 2, y + (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, rng.uniform(-TURN, TURN), scale)
    room = max(0.0, 0.92 - 1.14 * share) * cell / 2
    matrix[:, 2] += (cell - 1) / 2 - np.array(centre) + rng.uniform(-room, room, 2)
    return matrix


def photographed(ink: Pixels, rng: np.random.Generator, cell: int) -> Pixels:
    """A page of ink, (height, width) uint8, 0 = none, as grey pixels: as strong, dim and blurred as ``augment.camera``.

    ``cell``: pixels a digit has to itself; blur is measured by it.
    """
    paper, strength = rng.uniform(90, 250), rng.uniform(0.25, 0.95)
    page = virtual_camera.light(virtual_camera.write(ink, paper, strength), rng, rng.uniform(0, 0.6))
    if rng.uniform() < SHADED:
        # A shadow much deeper than the ink swallows what its edge runs through, for any eye.
        page = shaded(page, rng, rng.uniform(0.2, 0.65) * strength, rng.uniform(2, 24))
    page = virtual_camera.blur(page, rng.uniform(0, 0.011) * cell)
    page = grained(page, rng, rng.uniform(0, 0.05) * strength * paper)
    return virtual_camera.jpeg(page, int(rng.integers(30, 90))) if rng.uniform() < PACKED else page


def shaded(page: Pixels, rng: np.random.Generator, depth: float, softness: float) -> Pixels:
    """A straight shadow somewhere across the page takes ``depth`` (0 to 1) of the light; its edge is so many pixels."""
    height, width = page.shape
    angle = rng.uniform(0, 2 * np.pi)
    x = (np.arange(width) - rng.uniform(0.2, 0.8) * width).astype(np.float32)[None, :]
    y = (np.arange(height) - rng.uniform(0.2, 0.8) * height).astype(np.float32)[:, None]
    within = np.clip((np.cos(angle) * x + np.sin(angle) * y) / softness + 0.5, 0, 1)
    return (page * (1 - depth * within)).astype(np.uint8)


def grained(page: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    """With the sensor's noise, ``sigma`` grey levels: ``virtual_camera.noise`` at a tenth of its cost."""
    drawn = np.frombuffer(rng.bytes(page.size), np.uint8).reshape(page.shape)
    return cv2.add(page, cv2.LUT(drawn, np.round(_NORMAL * sigma).astype(np.int16)), dtype=cv2.CV_8U)


def picked(cleaned: Cleaned, cell: int, count: int) -> Pixels:
    """The first so many digits of a cleaned page, (count, 28, 28): of each cell the ink that lies in it.

    As in ``edge.vision.segment``, ink is what has some sure ink; what is too large for a cell is no digit.
    """
    found = np.zeros((count, SIDE, SIDE), np.uint8)
    if cleaned.reason:
        return found
    labels, parts = connected_components(cleaned.mask)
    window = (slice(0, labels.shape[0]), slice(0, labels.shape[1]))
    segments = Segments(cleaned.mask, window, labels, (), 0.0, 0.0, (), None)
    sure = cleaned.mask if cleaned.sure is None else cleaned.sure
    certain = np.bincount(labels[sure > 0], minlength=len(parts)) > 0
    column, row = ((parts[:, :2] + parts[:, 2:4] // 2) // cell).T
    own = np.flatnonzero(certain & (parts[:, 2:4].max(axis=1) <= cell) & (parts[:, 4] > 0))
    place = (row * COLUMNS + column)[own]
    largest = np.zeros(ROWS * COLUMNS, np.int32)
    np.maximum.at(largest, place, parts[own, 4])
    whole = parts[own, 4] >= SPECK * largest[place]
    ink = with_soft_edges(cleaned.ink, cleaned.mask)
    for i in range(count):
        here = own[whole & (place == i)]
        if len(here):
            box = Box(*map(int, bounding_box_of_array(parts[here, :4])))
            found[i] = normalise(crop_mark(ink, segments, Mark(tuple(here.tolist()), box)))
    return found
