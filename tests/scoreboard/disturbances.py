"""Disturbances of a page: shadows, glare, darkness, motion blur, ruled lines, dust, tables, hands.

Pure functions of a random generator, as ``edge.handwriting.virtual_camera``. A page is (height, width) uint8, 0 =
black, 255 = white; ink is the same with 0 = none, 255 = full. Lengths are pixels, angles degrees.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edge.types import Pixels


def shadow(page: Pixels, rng: np.random.Generator, depth: float, softness: float) -> Pixels:
    """A shadow that takes ``depth`` (0 to 1) of the light; its edge is ``softness`` pixels wide (1: hard).

    Its shape is straight, as of a lamp's arm or a book, or that of a hand: some round lobes from a border.
    """
    height, width = page.shape
    dark = np.zeros((height, width), np.uint8)
    if rng.uniform() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        middle = np.array([width, height]) * rng.uniform(0.25, 0.75, 2)
        far = 2.0 * (height + width)
        deep = rng.uniform(0.2, 0.5) * height if rng.uniform() < 0.5 else far
        band = [middle - along * far, middle + along * far, middle + along * far + across * deep]
        cv2.fillConvexPoly(dark, np.round([*band, middle - along * far + across * deep]).astype(np.int32), 255)
    else:
        draw_hand(dark, rng, rng.uniform(0.4, 0.8) * height, rng.uniform(0.25, 0.5) * height, least=2)
    soft = cv2.GaussianBlur(dark, (0, 0), softness / 2.5) if softness > 1 else dark
    return cv2.multiply(page, 255 - np.float32(depth) * soft.astype(np.float32), scale=1 / 255, dtype=cv2.CV_8U)


def glare(page: Pixels, rng: np.random.Generator, level: float, size: float) -> Pixels:
    """A lamp's reflection: up to ``level`` grey levels are added in a spot ``size`` pixels wide; white stays white."""
    height, width = page.shape
    x0, y0 = rng.uniform(0.15, 0.85) * width, rng.uniform(0.15, 0.85) * height
    wide = size * rng.uniform(0.6, 1.6)
    x = (np.arange(width, dtype=np.float32)[None, :] - np.float32(x0)) / np.float32(wide / 2)
    y = (np.arange(height, dtype=np.float32)[:, None] - np.float32(y0)) / np.float32(size / 2)
    # Flatter on top than a Gaussian and with a sharper edge, as the image of a lamp is.
    spot = 1 / (1 + np.square(x * x + y * y))
    return np.clip(page + np.float32(level) * spot, 0, 255).astype(np.uint8)


def underexpose(page: Pixels, rng: np.random.Generator, exposure: float, read_noise: float) -> Pixels:
    """Underexposed: ``exposure`` (0 to 1) of the light, with shot noise, and read noise of ``read_noise`` grey levels.

    Shot noise has a variance of a tenth of a level for each level, as a full well of about 2,500 electrons has.
    """
    light = page.astype(np.float32) * np.float32(exposure)
    grain = rng.standard_normal(page.shape, np.float32) * np.sqrt(0.1 * light + np.float32(read_noise**2))
    return np.clip(light + grain + 0.5, 0, 255).astype(np.uint8)


def salt_and_pepper(page: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    """A ``share`` (0 to 1) of the pixels becomes black or white."""
    page = page.copy()
    fate = rng.random(page.shape, np.float32)
    page[fate < share / 2] = 0
    page[fate > 1 - share / 2] = 255
    return page


def motion_blur(page: Pixels, rng: np.random.Generator, length: float) -> Pixels:
    """Blurred by a movement of the camera of ``length`` pixels in a random direction."""
    side = int(np.ceil(length)) + 2 | 1
    angle, middle = rng.uniform(0, np.pi), side / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    # OpenCV counts from a pixel's middle; 4 bits are the fraction.
    a, b = (np.round((middle - 0.5 + sign * reach) * 16).astype(int).tolist() for sign in (-1, 1))
    window = np.zeros((side, side), np.uint8)
    cv2.line(window, a, b, 255, 1, cv2.LINE_AA, 4)
    return cv2.filter2D(page, -1, window.astype(np.float32) / window.sum(), borderType=cv2.BORDER_REPLICATE)


def ruled_lines(
    shape: tuple[int, int], pitch: float, width: int, degrees: float, *, start: float = 0.0, squared: bool = False
) -> Pixels:
    """Ink of printed lines, (height, width) uint8: ``pitch`` pixels apart, ``width`` wide, rotated clockwise.

    One goes through y = ``start``. With ``squared`` other lines cross them.
    """
    ink = np.zeros(shape, np.uint8)
    height, width_ = shape
    far = float(height + width_)
    angle = np.radians(degrees)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    middle = np.array([width_ / 2, height / 2])
    for here, there in ((along, down), (down, along)) if squared else ((along, down),):
        first = start - height / 2 if here is along else 0.0
        for k in range(-int(far / pitch), int(far / pitch) + 1):
            at = middle + there * (first + k * pitch)
            a, b = (np.round((at + sign * far * here) * 16).astype(int).tolist() for sign in (-1, 1))
            cv2.line(ink, a, b, 255, width, cv2.LINE_AA, 4)
    return ink


def draw_specks(shape: tuple[int, int], rng: np.random.Generator, count: int, largest: float) -> Pixels:
    """Dust: ``count`` specks up to ``largest`` pixels across, most of them round, some of them fibres."""
    ink = np.zeros(shape, np.uint8)
    for _ in range(count):
        x, y = (rng.uniform(0, (shape[1], shape[0])) * 16).astype(int).tolist()
        size, grey = float(rng.uniform(0.3, 1)) * largest, int(rng.integers(90, 256))
        if rng.uniform() < 0.85:
            cv2.circle(ink, (x, y), max(8, round(size * 8)), grey, cv2.FILLED, cv2.LINE_AA, 4)
        else:
            dx, dy = (rng.normal(0, size * 16, 2)).astype(int).tolist()
            cv2.line(ink, (x, y), (x + dx, y + dy), grey, 1, cv2.LINE_AA, 4)
    return ink


def wooden_table(shape: tuple[int, int], rng: np.random.Generator, grey: float, grain: float) -> Pixels:
    """A table top of this grey, with ``grain`` (0 to 1) of wood: streaks in a random direction."""
    height, width = shape
    side = int(np.hypot(height, width)) + 4
    rough = rng.standard_normal((side, max(2, side // 40)), np.float32)
    streaks: Any = cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC)
    streaks = cv2.GaussianBlur(streaks, (0, 0), 0.8)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 180), 1.0)
    streaks = cv2.warpAffine(streaks, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)
    streaks = streaks[(side - height) // 2 :, (side - width) // 2 :][:height, :width]
    return np.clip(grey * (1 + 0.3 * grain * streaks), 0, 255).astype(np.uint8)


def sheet_on_table(
    ink: Pixels, rng: np.random.Generator, degrees: float, margin: tuple[float, float], *, sides: int
) -> Pixels:
    """Where a sheet of paper lies that holds all the ink: (height, width) uint8, 255 = paper, 0 = table.

    ``sides`` of its four sides are in the picture, ``margin`` (from, to) pixels off the ink, rotated by ``degrees``.
    """
    height, width = ink.shape
    x, y, w, h = cv2.boundingRect(ink)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array([x + w / 2, y + h / 2])
    corners = (np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]) - middle) @ turn.T
    reach = [-corners[:, 0].min(), -corners[:, 1].min(), corners[:, 0].max(), corners[:, 1].max()]
    far = 2.0 * (height + width)
    seen = rng.permutation(4)[:sides]
    left, top, right, bottom = (reach[i] + (rng.uniform(*margin) if i in seen else far) for i in range(4))
    edges = np.array([[-left, -top], [right, -top], [right, bottom], [-left, bottom]]) @ turn + middle
    paper = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(paper, np.round(edges * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return paper


def draw_hand(
    mask: Pixels,
    rng: np.random.Generator,
    reach: float,
    width: float,
    *,
    least: int = 1,
    towards: tuple[float, float] | None = None,
) -> None:
    """Draw a hand into ``mask`` at 255: from a border inwards, up to ``reach`` pixels, with fingers ``width`` / 3 wide.

    It has ``least`` to four fingers, and points ``towards`` (x, y), where that is given.
    """
    height, across = mask.shape
    side = int(rng.integers(4))
    at = rng.uniform(0.1, 0.9)
    start = np.array([(at * across, -1), (across, at * height), (at * across, height), (-1, at * height)][side])
    inwards = np.array([(0, 1), (-1, 0), (0, -1), (1, 0)][side], float)
    beside = np.array([inwards[1], -inwards[0]])
    heading = inwards + rng.normal(0, 0.25) * beside
    if towards is not None:
        heading = np.array(towards) - start + rng.normal(0, 0.1) * reach * beside
    heading = heading / max(float(np.linalg.norm(heading)), 1e-6)
    finger = max(3, round(width / 3))
    for i in range(int(rng.integers(least, 5))):
        root = start + beside * (i - 1) * finger * 0.9
        tip = root + heading * reach * (1 - 0.18 * abs(i - 1)) * rng.uniform(0.85, 1)
        a, b = (np.round(point).astype(int).tolist() for point in (root - heading * finger, tip))
        cv2.line(mask, a, b, 255, finger, cv2.LINE_AA)
        cv2.circle(mask, tuple(b), finger // 2, 255, cv2.FILLED, cv2.LINE_AA)


def hand(page: Pixels, ink: Pixels, rng: np.random.Generator, reach: float, clear: float) -> Pixels:
    """Fingers of somebody who holds the page, from a border, up to ``reach`` pixels long, ``clear`` pixels off the ink.

    Where they find no such room they are shorter.
    """
    taken = cv2.dilate(ink, np.ones((2 * round(clear) + 1,) * 2, np.uint8)) > 0
    fingers = np.zeros(page.shape, np.uint8)
    x, y, width, height = cv2.boundingRect(ink)
    for attempt in range(40):
        trial = np.zeros(page.shape, np.uint8)
        wide = rng.uniform(0.25, 0.4) * min(page.shape) * 0.97**attempt
        draw_hand(trial, rng, reach * 0.95**attempt, wide, towards=(x + width / 2, y + height / 2))
        if not (taken & (trial > 0)).any():
            fingers = trial
            break
    # Skin is rounder at its edge, and throws a little shadow beside it.
    depth: Any = cv2.distanceTransform((fingers > 127).astype(np.uint8), cv2.DIST_L2, 3)
    roundness = np.clip(depth / max(float(depth.max()), 1), 0, 1)
    skin = rng.uniform(95, 185) * (0.7 + 0.3 * np.sqrt(roundness))
    moved = np.array([[1, 0, rng.uniform(-6, 6)], [0, 1, rng.uniform(-6, 6)]])
    beside = cv2.warpAffine(fingers, moved, page.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    shade: Any = cv2.GaussianBlur(beside, (0, 0), 4).astype(np.float32)
    shaded = page * (1 - 0.3 * shade / 255)
    cover = fingers.astype(np.float32) / 255
    return np.clip(shaded * (1 - cover) + skin * cover, 0, 255).astype(np.uint8)
