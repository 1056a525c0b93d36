"""Kinds of situations in which other things are in view: objects, rulers, calculators, sticky notes, dark borders."""

from __future__ import annotations

import cv2
import numpy as np

from edge.handwriting import virtual_camera
from edge.types import Pixels
from tests.scoreboard import disturbances
from tests.scoreboard.base_pages import Rng, by_strength, photograph
from tests.scoreboard.hands import Hands
from tests.scoreboard.situations.paper import Situation, number, on_page, written

SHAPE = (480, 640)


def _writing(
    rng: Rng, hands: Hands, strength: int, top: tuple[float, float], left: tuple[float, float], widest: float = 0.6
) -> tuple[Pixels, Pixels, str]:
    """A photograph of a page with a number on it, its ink, and the number; digits are smaller at each strength."""
    text = number(rng, 2, 5)
    line, _, _ = written(rng, hands, text, by_strength(strength, 65, 45, 32) * rng.uniform(0.9, 1.15))
    ink = line.ink
    if ink.shape[1] > widest * SHAPE[1]:
        fit = widest * SHAPE[1] / ink.shape[1]
        ink = cv2.resize(ink, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA)
    page = on_page(rng, ink, SHAPE, rng.uniform(*top), rng.uniform(*left))
    return photograph(rng, page), page, text


def _lay(page: Pixels, shape: Pixels, grey: float, shadow: float = 3.0) -> Pixels:
    """A thing of this shape (0 or 255) and grey on the page, with a soft shadow to its lower right."""
    moved = cv2.warpAffine(shape, np.array([[1, 0, shadow], [0, 1, 1.4 * shadow]]), shape.shape[::-1])
    shade = cv2.GaussianBlur(moved, (0, 0), max(1.0, 1.5 * shadow)).astype(np.float32) / 255
    cover = cv2.GaussianBlur(shape, (0, 0), 0.7).astype(np.float32) / 255
    made = page * (1 - 0.35 * shade) * (1 - cover) + grey * cover
    return np.clip(made, 0, 255).astype(np.uint8)


def _box(middle: tuple[float, float], size: tuple[float, float], degrees: float) -> Pixels:
    """A filled box, (SHAPE), 255 inside; middle (x, y), size (width, height)."""
    shape = np.zeros(SHAPE, np.uint8)
    corners = cv2.boxPoints((middle, size, degrees))
    cv2.fillConvexPoly(shape, np.round(np.array(corners) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return shape


def thing(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A dark object such as a phone or a mug lies beside the number; it is darker and larger at each strength."""
    page, _, text = _writing(rng, hands, strength, (0.08, 0.3), (0.05, 0.5))
    size = by_strength(strength, 0.7, 1.0, 1.2)
    middle = rng.uniform(330, 560), rng.uniform(330, 420)
    grey = by_strength(strength, 90, 50, 25) * rng.uniform(0.8, 1.2)
    if rng.uniform() < 0.6:
        shape = _box(middle, (size * rng.uniform(90, 170), size * rng.uniform(90, 190)), rng.uniform(-25, 25))
    else:
        shape = np.zeros(SHAPE, np.uint8)
        cv2.circle(shape, (round(middle[0]), round(middle[1])), round(size * rng.uniform(50, 85)), 255, cv2.FILLED)
    return virtual_camera.noise(_lay(page, shape, grey), rng, 1.5), text


def measuring_stick(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A ruler with ticks lies below the number, closer at each strength."""
    page, _, text = _writing(rng, hands, strength, (0.1, 0.3), (0.05, 0.6))
    y, tall = by_strength(strength, 390, 350, 310), rng.uniform(45, 65)
    page = _lay(page, _box((320, y), (rng.uniform(420, 560), tall), 0.0), rng.uniform(150, 200), 1.5)
    step, x, i = rng.uniform(7, 12), 130.0, 0
    while x < 510:
        reach = tall * (0.42 if i % 10 == 0 else 0.32 if i % 5 == 0 else 0.2)
        cv2.line(page, (round(x), round(y - tall / 2 + 2)), (round(x), round(y - tall / 2 + reach)), 45, 1)
        x, i = x + step, i + 1
    return virtual_camera.noise(virtual_camera.blur(page, 0.5), rng, 1.5), text


def calculator(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A calculator on a dark desk beside the page."""
    page, _, text = _writing(rng, hands, strength, (0.2, 0.7), (0.75, 0.97), 0.5)
    edge = round(rng.uniform(190, 235))
    desk = disturbances.wooden_table(SHAPE, rng, by_strength(strength, 140, 110, 70), 0.5)
    page[:, :edge] = desk[:, :edge]
    left, top, wide = rng.uniform(20, 40), rng.uniform(40, 120), rng.uniform(120, 145)
    body = rng.uniform(35, 80)
    page = _lay(page, _box((left + wide / 2, top + 0.75 * wide), (wide, 1.5 * wide), 0.0), body, 2)
    at = (round(left + 0.1 * wide), round(top + 0.1 * wide), round(0.8 * wide), round(0.28 * wide))
    cv2.rectangle(page, at, round(rng.uniform(150, 190)), cv2.FILLED)
    key = round(0.14 * wide)
    for row in range(4):
        for column in range(4):
            x, y = left + (0.1 + 0.21 * column) * wide, top + (0.5 + 0.23 * row) * wide
            cv2.rectangle(page, (round(x), round(y), key, key), round(rng.uniform(170, 225)), cv2.FILLED)
    return virtual_camera.noise(virtual_camera.blur(page, 0.5), rng, 1.5), text


def sticky_note(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A note on a desk or a wall, with a shadow below it, darker and sharper at each strength."""
    page, ink, text = _writing(rng, hands, strength, (0.3, 0.5), (0.3, 0.6), 0.45)
    desk = disturbances.wooden_table(SHAPE, rng, rng.uniform(80, 150), rng.uniform(0.2, 0.6))
    x, y, width, height = cv2.boundingRect(ink)
    margin = rng.uniform(0.5, 1.2, 4) * 50
    left, right = x - margin[0], x + width + margin[1]
    upper, lower = y - margin[2], y + height + margin[3]
    note = _box(((left + right) / 2, (upper + lower) / 2), (right - left, lower - upper), rng.uniform(-5, 5))
    away = by_strength(strength, 5, 4, 3)
    moved = cv2.warpAffine(note, np.array([[1, 0, rng.uniform(0, away)], [0, 1, 2.0 * away]]), SHAPE[::-1])
    shade = cv2.GaussianBlur(moved, (0, 0), by_strength(strength, 6, 3, 1.5)).astype(np.float32) / 255
    cover = cv2.GaussianBlur(note, (0, 0), 0.7).astype(np.float32) / 255
    made = desk * (1 - by_strength(strength, 0.3, 0.5, 0.7) * shade) * (1 - cover) + page * 0.85 * cover
    return virtual_camera.noise(np.clip(made, 0, 255).astype(np.uint8), rng, 1.5), text


def dark_border(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A strip of a dark desk, or of a scanner's lid, along one or two borders, darker and wider at each strength."""
    page, ink, text = _writing(rng, hands, strength, (0.3, 0.7), (0.25, 0.7), 0.55)
    x, y, width, height = cv2.boundingRect(ink)
    free = {"left": x, "top": y, "right": SHAPE[1] - x - width, "bottom": SHAPE[0] - y - height}
    for side in rng.permutation(list(free))[: int(rng.integers(1, 3))].tolist():
        deep = min(by_strength(strength, 20, 45, 90) * rng.uniform(0.6, 1.4), 0.75 * free[side])
        skew = rng.uniform(-0.05, 0.05) * deep * 2
        far = 2000.0
        edge = {
            "left": [(-far, -10), (deep, -10), (deep + skew, 490), (-far, 490)],
            "right": [
                (SHAPE[1] - deep, -10),
                (SHAPE[1] + far, -10),
                (SHAPE[1] + far, 490),
                (SHAPE[1] - deep + skew, 490),
            ],
            "top": [(-10, -far), (650, -far), (650, deep + skew), (-10, deep)],
            "bottom": [
                (-10, SHAPE[0] - deep),
                (650, SHAPE[0] - deep + skew),
                (650, SHAPE[0] + far),
                (-10, SHAPE[0] + far),
            ],
        }[side]
        strip = np.zeros(SHAPE, np.uint8)
        cv2.fillConvexPoly(strip, np.round(np.array(edge)).astype(np.int32), 255, cv2.LINE_AA)
        cover = cv2.GaussianBlur(strip, (0, 0), rng.uniform(0.6, 2)).astype(np.float32) / 255
        top = disturbances.wooden_table(SHAPE, rng, by_strength(strength, 90, 50, 20) * rng.uniform(0.6, 1.2), 0.5)
        page = np.clip(page * (1 - cover) + top * cover, 0, 255).astype(np.uint8)
    return virtual_camera.noise(page, rng, 1.5), text


KINDS: dict[str, Situation] = {
    "dark thing in view": thing,
    "ruler in view": measuring_stick,
    "calculator in view": calculator,
    "sticky note": sticky_note,
    "dark border": dark_border,
}
