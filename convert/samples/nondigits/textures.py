"""Pictures without writing that may look like ink: paper, cloth, wood, leaves, ruled lines, print, edges, objects.

Each function returns a grey page (SIDE, SIDE) uint8, 0 = black, 255 = white.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.handwriting import rendering, virtual_camera
from edge.types import Pixels

SIDE = 110
"""Side of the page, pixels."""


def texture(rng: np.random.Generator) -> Pixels:
    """A page of a random kind, in uneven light, out of focus by up to a pixel, with the sensor's noise."""
    page = KINDS[int(rng.integers(len(KINDS)))](rng)
    page = virtual_camera.light(page, rng, rng.uniform(0, 0.5))
    return virtual_camera.noise(virtual_camera.blur(page, rng.uniform(0, 1.2)), rng, rng.uniform(0, 8))


def _clouds(rng: np.random.Generator, across: float, down: float) -> NDArray[np.float32]:
    """Smooth noise of standard deviation 1, with grains ``across`` pixels wide and ``down`` pixels tall."""
    size = (max(3, round(SIDE / across)), max(3, round(SIDE / down)))
    rough = rng.standard_normal(size[::-1], np.float32)
    return cv2.resize(rough, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def grains(rng: np.random.Generator) -> Pixels:
    """Gravel, plaster, foliage: noise with grains of two sizes; wood and cloth if they are longer in one direction."""
    across, down = np.exp(rng.uniform(np.log(3), np.log(22), 2))
    mixed = _clouds(rng, across, down) + rng.uniform(0, 1) * _clouds(rng, across / 2.5, down / 2.5)
    if rng.uniform() < 0.5:
        mixed = np.where(mixed > rng.uniform(0, 1), mixed + 1, 0).astype(np.float32)
    return _grey(mixed, rng)


def weave(rng: np.random.Generator) -> Pixels:
    """Cloth, a keyboard, a fence: stripes in one or two directions, slightly bent."""
    x, y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
    bend = _clouds(rng, 40, 40) * rng.uniform(0, 4)
    angle, length = rng.uniform(0, np.pi), rng.uniform(6, 20)
    along = np.sin(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y + bend) / length)
    across = np.sin(2 * np.pi * (np.cos(angle) * y - np.sin(angle) * x + bend) / (length * rng.uniform(0.7, 1.6)))
    mixed = along + across * (rng.uniform() < 0.7)
    return _grey(np.where(mixed > rng.uniform(0.2, 1), mixed, 0), rng)


def ruled(rng: np.random.Generator) -> Pixels:
    """A piece of squared or lined paper: lines with or without crossings."""
    page = np.full((SIDE, SIDE), rng.uniform(170, 250), np.uint8)
    step, width = int(rng.integers(14, 45)), int(rng.integers(1, 5))
    slope, dark = rng.normal(0, 3), float(rng.uniform(20, 130))
    both = rng.uniform() < 0.65
    for at in range(int(rng.integers(0, step)), SIDE, step):
        cv2.line(page, (0, at), (SIDE, int(at + slope)), dark, width, cv2.LINE_AA)
        if both:
            cv2.line(page, (at, 0), (int(at - slope), SIDE), dark, width, cv2.LINE_AA)
    return page


def fine_print(rng: np.random.Generator) -> Pixels:
    """Fine print: at least two rows of small bars and dots."""
    page = np.full((SIDE, SIDE), rng.uniform(150, 250), np.uint8)
    dark, tall = float(rng.uniform(10, 100)), int(rng.integers(5, 14))
    for row in range(int(rng.integers(2, 5))):
        y = 12 + int(row * tall * 1.5)
        x = 10
        while x < SIDE - 12:
            wide = int(rng.integers(2, tall))
            high = int(tall * rng.choice([0.6, 0.7, 1.0]))
            kind = int(rng.integers(3))
            if kind == 0:
                cv2.rectangle(page, (x, y + tall - high), (x + wide, y + tall), dark, 1)
            elif kind == 1:
                cv2.line(page, (x, y + tall - high), (x + wide // 2, y + tall), dark, 2, cv2.LINE_AA)
            else:
                cv2.ellipse(page, (x + wide // 2, y + tall - high // 2), (wide // 2 + 1, high // 2), 0, 0, 290, dark, 1)
            x += wide + int(rng.integers(1, 4)) + (tall if rng.uniform() < 0.15 else 0)
    return page


def edges(rng: np.random.Generator) -> Pixels:
    """Large areas of different grey: the corner of a page, the edge of a shadow, a dark table."""
    page = np.full((SIDE, SIDE), rng.uniform(150, 250), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        corner = rng.uniform(0.15, 0.85, 2) * SIDE
        angle = rng.uniform(0, 2 * np.pi) + np.array([0, rng.uniform(0.9, 2.4)])
        far = corner + 3 * SIDE * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        area = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(area, [np.round(np.concatenate([corner[None], far])).astype(np.int32)], 255, cv2.LINE_AA)
        page -= area * np.float32(rng.uniform(0.12, 0.5) * rng.choice([1, 1, 1, -0.5]))
    return page.clip(0, 255).astype(np.uint8)


def thing(rng: np.random.Generator) -> Pixels:
    """The silhouette of an object: a few filled shapes put together, some with a hole or a light spot."""
    page = np.full((SIDE, SIDE), rng.uniform(140, 250), np.uint8)
    dark = float(rng.uniform(10, 110))
    middle = SIDE / 2 + rng.normal(0, 6, 2)
    for part in range(int(rng.integers(2, 6))):
        at = middle + rng.uniform(-0.28, 0.28, 2) * SIDE * min(part, 1)
        axes = (rng.uniform(0.06, 0.26, 2) * SIDE).astype(int).tolist()
        where, angle = (int(at[0]), int(at[1])), float(rng.uniform(0, 180))
        shade = dark if part < 3 or rng.uniform() < 0.5 else float(page[0, 0])
        if rng.uniform() < 0.5:
            cv2.ellipse(page, where, axes, angle, 0, 360, shade, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints(((float(at[0]), float(at[1])), (2.0 * axes[0], 1.5 * axes[1]), angle))
            cv2.fillPoly(page, [np.round(box).astype(np.int32)], shade, cv2.LINE_AA)
    return page


def finger(rng: np.random.Generator) -> Pixels:
    """Two to four fingers or pens that reach in from an edge."""
    page = np.full((SIDE, SIDE), rng.uniform(150, 250), np.uint8)
    dark, width = float(rng.uniform(20, 130)), int(rng.integers(9, 22))
    start = np.array([rng.uniform(0, 0.6), 1.1]) * SIDE
    drawn = []
    for i in range(int(rng.integers(2, 5))):
        root = start + [i * width * rng.uniform(1.0, 1.3), 0]
        tip = root + np.array([rng.normal(0.05, 0.15), -rng.uniform(0.5, 0.9)]) * SIDE
        drawn.append(rendering.curve(np.stack([root, (root + tip) / 2 + rng.normal(0, 4, 2), tip])))
    cv2.polylines(page, [np.round(path).astype(np.int32) for path in drawn], False, dark, width, cv2.LINE_AA)
    return np.ascontiguousarray(np.rot90(page, int(rng.integers(4))))


KINDS = (grains, grains, weave, ruled, fine_print, edges, thing, thing, finger)
"""Every kind; those with more variety are listed twice, so that they are chosen twice as often."""


def _grey(pattern: NDArray[np.float32], rng: np.random.Generator) -> Pixels:
    """A pattern of any range as grey on a lighter background."""
    low, high = float(pattern.min()), float(pattern.max())
    paper, strength = rng.uniform(120, 250), rng.uniform(0.2, 0.9)
    dimmed = paper * (1 - strength * (pattern - low) / max(high - low, 1e-3))
    return dimmed.clip(0, 255).astype(np.uint8)
