"""What lies beside the writing: the desk around the paper, phones, pens, hands, cups, cables, a spiral binding.

Each is laid over a page (height, width) float32, 0 to 255, and never over a mark.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.scenes import fields
from convert.samples.scenes.fields import Field, Shape
from convert.samples.scenes.laid import Laid
from convert.samples.scenes.paper import cut
from convert.samples.scenes.printed_things import die, display, keys, ruler
from convert.samples.scenes.sheet import UNCLEAR, Sheet
from convert.samples.scenes.sizes import LARGEST, between
from convert.samples.scenes.writers import Writers, pick
from edge.handwriting.rendering import curve
from edge.types import Pixels

Thing = Callable[[Shape, np.random.Generator], Laid]
"""Lays one thing anywhere on a page of this shape."""
TRIES = 4
"""How often a place that covers no mark is looked for."""
ROOM = 5
"""A thing leaves this many pixels around the marks free."""


def _mask(shape: Shape) -> Pixels:
    return np.zeros(shape, np.uint8)


def _shade(shape: Shape, rng: np.random.Generator, least: float = 5, most: float = 245) -> Field:
    grey = np.full(shape, rng.uniform(least, most), np.float32)
    grey += fields.slope(shape, rng) * np.float32(rng.uniform(0, 25))
    return grey + fields.grains(shape, rng, between(rng, 3, 40)) * np.float32(rng.uniform(0, 8))


def phone(shape: Shape, rng: np.random.Generator) -> Laid:
    """A dark box, as a phone or a calculator, or a light one, as a rubber or a note."""
    long = rng.uniform(0.2, 0.7) * max(shape)
    at = rng.uniform(0, 1, 2) * shape[::-1]
    box = cv2.boxPoints(((float(at[0]), float(at[1])), (long, long * rng.uniform(0.3, 0.8)), rng.uniform(0, 180)))
    there = _mask(shape)
    cv2.fillPoly(there, [np.round(box * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return Laid(there, _shade(shape, rng, 5, 90) if rng.uniform() < 0.7 else _shade(shape, rng))


def pencil(shape: Shape, rng: np.random.Generator) -> Laid:
    """A pen, a ruler or a finger that reaches in from a side."""
    width = max(3, round(between(rng, 0.015, 0.12) * max(shape)))
    start = np.array([rng.uniform(-0.1, 1.1), rng.choice([-0.1, 1.1])])[:: rng.choice([-1, 1])] * shape[::-1]
    end = start + (rng.uniform(0.1, 0.9, 2) * shape[::-1] - start) * rng.uniform(0.3, 1)
    middle = (start + end) / 2 + rng.normal(0, 0.02 * max(shape), 2)
    there = _mask(shape)
    path = np.round(16 * curve(np.stack([start, middle, end]))).astype(np.int32)
    cv2.polylines(there, [path], False, 255, width, cv2.LINE_AA, 4)
    return Laid(there, _shade(shape, rng))


def hand(shape: Shape, rng: np.random.Generator) -> Laid:
    """Fingers that reach in from below or from a side, with the shade of skin in any light."""
    width = max(6, round(rng.uniform(0.05, 0.14) * max(shape)))
    root = np.array([rng.uniform(0.1, 0.9), 1.05])
    there = _mask(shape)
    for i in range(int(rng.integers(2, 5))):
        foot = (root + [0.9 * i * width / shape[1], 0]) * shape[::-1]
        tip = foot - np.array([rng.normal(0, 0.08), rng.uniform(0.1, 0.4)]) * shape[::-1]
        path = np.round(16 * curve(np.stack([foot, (foot + tip) / 2 + rng.normal(0, 3, 2), tip]))).astype(np.int32)
        cv2.polylines(there, [path], False, 255, width, cv2.LINE_AA, 4)
    turned = np.rot90(there, int(rng.choice([0, 2])))
    return Laid(np.ascontiguousarray(turned), _shade(shape, rng, 60, 200))


def cup(shape: Shape, rng: np.random.Generator) -> Laid:
    """Something round: a coin, a cup, a stain, or a ring so large or so thick that nobody takes it for a 0."""
    there = _mask(shape)
    at = (rng.uniform(0, 1, 2) * shape[::-1]).astype(int).tolist()
    full, thick = rng.uniform(size=2) < (0.6, 0.5)
    radius = rng.uniform(*((0.03, 0.25) if full or thick else (0.25, 0.45))) * max(shape) + 2
    axes = (radius * np.array([1, rng.uniform(0.7, 1)])).astype(int)
    width = -1 if full else max(1, int(radius * (rng.uniform(0.5, 0.7) if thick else rng.uniform(0.03, 0.15))))
    cv2.ellipse(there, at, axes.tolist(), float(rng.uniform(0, 180)), 0, 360, 255, width, cv2.LINE_AA)
    return Laid(there, _shade(shape, rng))


def cable(shape: Shape, rng: np.random.Generator) -> Laid:
    """A long bent line from side to side: a cable, a hair, a thread."""
    points = np.stack([np.linspace(-0.1, 1.1, 5), rng.uniform(0, 1) + rng.normal(0, 0.15, 5)], axis=1)
    if rng.uniform() < 0.5:
        points = points[:, ::-1]
    there = _mask(shape)
    width = max(1, round(between(rng, 0.002, 0.03) * max(shape)))
    path = np.round(16 * curve(points * shape[::-1])).astype(np.int32)
    cv2.polylines(there, [path], False, 255, width, cv2.LINE_AA, 4)
    return Laid(there, _shade(shape, rng, 5, 120))


def binding(shape: Shape, rng: np.random.Generator) -> Laid:
    """The holes or rings of a notebook along one side."""
    there = _mask(shape)
    step = between(rng, 0.03, 0.12) * max(shape) + 6
    radius, away = max(2, round(step * rng.uniform(0.15, 0.3))), round(step * rng.uniform(0.4, 0.8))
    upright = rng.uniform() < 0.5
    rings = rng.uniform() < 0.5
    for along in np.arange(rng.uniform(0, step), shape[0 if upright else 1], step):
        at = (away, round(along)) if upright else (round(along), away)
        if rings:
            edge = (0, at[1]) if upright else (at[0], 0)
            cv2.line(there, edge, at, 255, max(1, radius // 2), cv2.LINE_AA)
        cv2.circle(there, at, radius, 255, -1, cv2.LINE_AA)
    return Laid(there, _shade(shape, rng, 5, 130))


THINGS: tuple[Thing, ...] = (
    phone, phone, pencil, pencil, hand, cup, cup, cable, binding, ruler, ruler, ruler, ruler, display, keys, die,
)  # fmt: skip
"""All kinds; what is seen more often is listed more often."""


def lay(page: Field, sheet: Sheet, rng: np.random.Generator, thing: Thing) -> Field:
    """The page with a thing on it, or unchanged where no place is free; the sheet gets the print on it as a mark."""
    shape: Shape = (page.shape[0], page.shape[1])
    marks = cv2.dilate((sheet.ids > 0).astype(np.uint8), np.ones((2 * ROOM + 1, 2 * ROOM + 1), np.uint8)) > 0
    for _ in range(TRIES):
        there, shade, unclear = thing(shape, rng)
        if not (marks & (there > 0)).any():
            if unclear is not None and unclear.any():
                sheet.ids[unclear > 127] = len(sheet.labels)
                sheet.labels.append(UNCLEAR)
            soft = cv2.GaussianBlur(there, (0, 0), rng.uniform(0.5, 2)).astype(np.float32) * np.float32(1 / 255)
            if rng.uniform() < 0.5:
                # Its shadow, which may fall on the writing.
                offset = np.array([[1, 0, rng.normal(0, 0.02) * shape[1]], [0, 1, rng.normal(0, 0.02) * shape[0]]])
                cast = cv2.GaussianBlur(cv2.warpAffine(there, offset, shape[::-1]), (0, 0), between(rng, 1, 8))
                page = page * (1 - cast.astype(np.float32) * np.float32(rng.uniform(0.1, 0.5) / 255))
            return page + soft * (shade - page)
    return page


def choose_margins(shape: Shape, rng: np.random.Generator) -> NDArray[np.int64]:
    """How much desk is seen on the left, at the top, on the right and below, pixels; 0 on some sides."""
    sides = rng.uniform(size=4) < rng.choice([0.3, 0.5, 1.0])
    if not sides.any():
        sides[rng.integers(4)] = True
    lengths = np.array([shape[1], shape[0], shape[1], shape[0]])
    margins = np.where(sides, np.round(rng.uniform(0.03, 0.22, 4) * lengths + 2), 0).astype(np.int64)
    room = LARGEST - np.array([shape[1], shape[0]])
    for axis in (0, 1):
        if margins[axis::2].sum() > room[axis]:
            margins[axis::2] = 0
    return margins


def lay_desk(
    page: Field, margins: NDArray[np.int64], rng: np.random.Generator, writers: Writers, *, dark: bool | None
) -> Field:
    """The page with a desk around its paper, which ends within these margins and may be turned a little.

    ``dark``: whether the desk is darker than the paper; None: either.
    """
    shape: Shape = (page.shape[0], page.shape[1])
    tall, wide = shape
    inset = margins * rng.uniform(0.45, 1.0, 4)
    left, top, right, bottom = np.where(margins > 0, inset, -0.3 * max(shape))
    corners = np.array([[left, top], [wide - right, top], [wide - right, tall - bottom], [left, tall - bottom]])
    # No side may move farther inwards than its margin.
    slack = np.minimum(margins - inset, inset).clip(0)
    corners += rng.uniform(-1, 1, (4, 2)) * slack[[[0, 1], [2, 1], [2, 3], [0, 3]]]
    paper = fields.area(shape, corners, rng.uniform(0.7, 3))
    grey = float(np.median(page))
    if dark is None:
        dark = bool(rng.uniform() < 0.75)
    least, most = (2.0, max(10.0, 0.8 * grey)) if dark else (min(245.0, grey + 15), 255.0)
    desk = np.full(shape, rng.uniform(least, most), np.float32)
    if writers.papers and rng.uniform() < 0.3:
        desk *= cut(pick(rng, writers.papers), shape, rng) / np.float32(200)
    else:
        rough = fields.grains(shape, rng, between(rng, 1.5, 12), between(rng, 0.3, 8))
        desk *= 1 + rough * np.float32(rng.uniform(0, 0.15))
    return desk + paper * (page - desk)
