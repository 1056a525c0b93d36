"""Digits of seven segments, as displays of clocks, scales and calculators show them."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import Pixels

SEGMENTS = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")
"""The segments that are on for each digit: a at the top, the others clockwise, g in the middle."""
ENDS = {
    "a": ((0, 0), (1, 0)), "b": ((1, 0), (1, 1)), "c": ((1, 1), (1, 2)), "d": ((0, 2), (1, 2)), "e": ((0, 1), (0, 2)),
    "f": ((0, 0), (0, 1)), "g": ((0, 1), (1, 1)),
}  # fmt: skip
"""Where each segment begins and ends: across and down, in the width of a digit and in half its height."""
HEIGHT = 96
"""Height of a digit, pixels. Chosen: larger than most; it is reduced to what is needed."""
OTHER_FORMS = {6: "cdefg", 7: "abcf", 9: "abcfg"}
"""The segments of a 6, a 7 and a 9 as some displays show them."""


def segment_digit(digit: int, rng: np.random.Generator) -> Pixels:
    """A digit, (height, width) uint8, 255 = ink, cropped to it. The same seed gives all digits of one display."""
    other, blunt = rng.uniform() < 0.2, rng.uniform() < 0.35
    wide, bar = HEIGHT * rng.uniform(0.42, 0.65), HEIGHT * rng.uniform(0.07, 0.17)
    slit, lean = bar * rng.uniform(0, 0.9), rng.choice([0.0, rng.uniform(0, 0.18)])
    ink = np.zeros((round(HEIGHT + 2 * bar), round(wide + 2 * bar + lean * HEIGHT)), np.uint8)
    for name in OTHER_FORMS.get(digit, SEGMENTS[digit]) if other else SEGMENTS[digit]:
        start, end = (np.array(point) * [wide, HEIGHT / 2] + bar for point in ENDS[name])
        along = (end - start) / np.hypot(*(end - start))
        across, tip = along[::-1] * bar / 2, along * bar / 2 * (not blunt)
        start, end = start + along * slit / 2, end - along * slit / 2
        corners = np.array(
            [start, start + tip + across, end - tip + across, end, end - tip - across, start + tip - across]
        )
        corners[:, 0] += lean * (HEIGHT - corners[:, 1])
        cv2.fillPoly(ink, [np.round(16 * corners).astype(np.int32)], 255, cv2.LINE_AA, 4)
    x, y, width, height = cv2.boundingRect(ink)
    return np.ascontiguousarray(ink[y : y + height, x : x + width])
