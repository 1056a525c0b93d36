"""Paper and the light on it: grain, gradients, shadows, folds, ruled lines."""

from __future__ import annotations

import cv2
import numpy as np

from convert.samples.nondigits.textures import texture
from convert.samples.scenes import fields
from convert.samples.scenes.fields import Field, Shape
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.sizes import between
from convert.samples.scenes.writers import Writers, pick
from edge.types import Pixels


def rule(sheet: Sheet, rng: np.random.Generator, height: float, tilt: float) -> None:
    """Print ruled or squared paper; ``height``: of a digit, pixels. Lines may run below the digits or through them."""
    step = max(8.0, height * (rng.uniform(1.3, 2.4) if rng.uniform() < 0.6 else rng.uniform(0.4, 1.3)))
    dark = rng.uniform(30, 190)
    width = 1 if height < 60 else int(rng.integers(1, 3))
    fall = tilt if rng.uniform() < 0.5 else rng.normal(0, 0.02)
    square = rng.uniform() < 0.35
    tall, wide = sheet.height, sheet.width
    for y in np.arange(rng.uniform(0, step) - abs(fall) * wide, tall + abs(fall) * wide, step):
        ends = (0, round(16 * y)), (16 * wide, round(16 * (y + fall * wide)))
        cv2.line(sheet.printed, *ends, dark, width, cv2.LINE_AA, 4)
    if square:
        for x in np.arange(rng.uniform(0, step) - abs(fall) * tall, wide + abs(fall) * tall, step):
            ends = (round(16 * x), 0), (round(16 * (x - fall * tall)), 16 * tall)
            cv2.line(sheet.printed, *ends, dark, width, cv2.LINE_AA, 4)
    elif rng.uniform() < 0.25:
        x = round(rng.uniform(0, 0.25) * wide)
        cv2.line(sheet.printed, (x, 0), (x, tall), dark, width, cv2.LINE_AA)


def light(shape: Shape, rng: np.random.Generator, shadows: float = 0.0) -> Field:
    """How bright each part of the page is, about 1: a gradient, clouds, a vignette, up to two shadows.

    ``shadows``: the share of the pages, 0 to 1, with a first and with a second one.
    """
    bright = np.exp(fields.slope(shape, rng) * np.float32(rng.uniform(0, 0.25)))
    if rng.uniform() < 0.6:
        bright *= np.exp(fields.grains(shape, rng, max(shape) / 2) * np.float32(rng.uniform(0, 0.12)))
    if rng.uniform() < 0.2:
        x, y = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape[::-1])
        bright *= 1 - np.float32(rng.uniform(0.05, 0.35)) * (np.square(x)[None] + np.square(y)[:, None]) / 2
    for _ in range(2):
        if rng.uniform() < shadows:
            bright *= 1 - np.float32(rng.uniform(0.08, 0.55)) * shadow(shape, rng)
    return bright


def shadow(shape: Shape, rng: np.random.Generator) -> Field:
    """1 in the shadow: a strip, a corner or something round, with a soft or a sharp edge."""
    corners = rng.uniform(-0.3, 1.3, (int(rng.integers(3, 7)), 2)) * shape[::-1]
    hull = cv2.convexHull(corners.astype(np.float32)).reshape(-1, 2).astype(float)
    return fields.area(shape, hull, between(rng, 0.5, max(2.0, 0.2 * min(shape))))


def fold(shape: Shape, rng: np.random.Generator) -> Field:
    """Brightness along a fold, about 1: one side is lighter, the other darker, and the crease itself a thin line."""
    width = between(rng, 1, 0.04 * max(shape) + 2)
    angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.12)
    x, y = (np.arange(side, dtype=np.float32) for side in shape[::-1])
    at = rng.uniform(0.1, 0.9, 2) * shape[::-1]
    away = np.float32(np.cos(angle)) * (x - at[0])[None] + np.float32(np.sin(angle)) * (y - at[1])[:, None]
    near = np.exp(-np.square(away / np.float32(width)))
    sides = np.tanh(away / np.float32(width)) * np.exp(-np.abs(away) / np.float32(0.3 * max(shape)))
    return 1 + np.float32(rng.normal(0, 0.07)) * near + np.float32(rng.normal(0, 0.05)) * sides


def grain(shape: Shape, rng: np.random.Generator, writers: Writers) -> Field:
    """Brightness of the paper's own grain, about 1: of a photographed paper, or fibres."""
    if writers.papers and rng.uniform() < 0.6:
        picture = cut(pick(rng, writers.papers), shape, rng).astype(np.float32)
        return (picture / np.float32(max(1.0, float(picture.mean())))) ** np.float32(rng.uniform(0.2, 1))
    rough = fields.grains(shape, rng, between(rng, 1.5, 8), between(rng, 0.5, 3))
    return 1 + rough * np.float32(rng.uniform(0.005, 0.05))


def cut(picture: Pixels, shape: Shape, rng: np.random.Generator) -> Pixels:
    """A piece of a picture, (height, width), enlarged where it is too small and up to twice beyond."""
    scale = max(shape[0] / picture.shape[0], shape[1] / picture.shape[1]) * rng.uniform(1.02, 2)
    tall, wide = (min(side, int(side_of_page / scale)) for side, side_of_page in zip(picture.shape, shape, strict=True))
    top, left = int(rng.integers(picture.shape[0] - tall + 1)), int(rng.integers(picture.shape[1] - wide + 1))
    return cv2.resize(picture[top : top + tall, left : left + wide], shape[::-1], interpolation=cv2.INTER_LINEAR)


def blank_paper(shape: Shape, rng: np.random.Generator, writers: Writers, things: float) -> Field:
    """Grey paper in some light, 0 to 255. ``things``: how much else may be on it, 0 to 1, such as shadows and folds."""
    paper = rng.uniform(150, 250) if rng.uniform() < 0.7 else rng.uniform(80, 250)
    grey = np.full(shape, paper, np.float32) * light(shape, rng, 0.03 + 0.25 * things)
    for _ in range(2):
        if rng.uniform() < 0.02 + 0.2 * things:
            grey *= fold(shape, rng)
    if rng.uniform() < 0.15 + 0.3 * things:
        grey *= grain(shape, rng, writers)
    # Overexposed paper is white; ink on it stays as strong as elsewhere.
    return np.minimum(grey, np.float32(254))


def scenery(shape: Shape, rng: np.random.Generator, writers: Writers) -> Field:
    """A picture without paper, 0 to 255: cloth, wood, leaves, things, fur, or a page full of words."""
    kind = rng.uniform()
    if kind < 0.25 and writers.written_pages:
        return cut(pick(rng, writers.written_pages), shape, rng).astype(np.float32)
    if kind < 0.35 and writers.papers:
        return cut(pick(rng, writers.papers), shape, rng) * light(shape, rng)
    if kind < 0.6:
        small = cv2.resize(texture(rng), shape[::-1], interpolation=cv2.INTER_CUBIC)
        return small.astype(np.float32)
    grey = np.full(shape, rng.uniform(40, 220), np.float32)
    size = 0.7 * max(shape)
    while size > 2:
        grey += fields.grains(shape, rng, size, between(rng, 0.5, 2)) * np.float32(rng.uniform(3, 26))
        size *= rng.uniform(0.2, 0.6)
    for _ in range(rng.integers(0, 6)):
        patch = shadow(shape, rng)
        grey += patch * np.float32(rng.normal(0, 50))
    if rng.uniform() < 0.5:
        grey += hairs(shape, rng)
    return grey


def hairs(shape: Shape, rng: np.random.Generator) -> Field:
    """Many short lines that lie in about the same direction, as in fur and grass: grey levels to add."""
    light_and_dark = np.full(shape, 128, np.uint8)
    count = int(rng.integers(60, 400))
    start = rng.uniform(0, 1, (count, 2)) * shape[::-1]
    angle = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.35, count)
    reach = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.02, 0.12, (count, 1)) * max(shape)
    bend = start + reach / 2 + rng.normal(0, 0.006 * max(shape), (count, 2))
    paths = np.round(16 * np.stack([start, bend, start + reach], axis=1)).astype(np.int32)
    shades = rng.integers(30, 226, count).tolist()
    thickness = int(rng.integers(1, 4))
    for path, shade in zip(paths, shades, strict=True):
        cv2.polylines(light_and_dark, [path], False, shade, thickness, cv2.LINE_AA, 4)
    return (light_and_dark.astype(np.float32) - 128) * np.float32(rng.uniform(0.2, 0.9))
