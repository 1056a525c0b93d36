"""How one person forms marks: wide twos, long-tailed sevens, hooks and bars, strokes that do not meet, corners."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from convert.data.marks import Stroke, extent

PLAIN_SHARE = 0.35
"""Share of the people, 0 to 1, whose marks stay as somebody wrote them."""
TAILED = "479"
"""Digits with a tail that some people draw far below the line."""
WAIST = 0.45
"""The tail begins this far down, in heights of the digit. Chosen: below the loop of a 9."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What one person does to all marks alike."""

    widths: tuple[float, ...] = (1.0,) * 10
    """The width of each digit, 0 to 9, in that of a usual one."""
    tail: float = 1.0
    """The length of a tail in that of a usual one."""
    apart: float = 0.0
    """By how far strokes of one mark miss each other, in its height: the standard deviation."""
    hook: float = 0.0
    """How far down the top of a 7 hooks at its left end, in its height."""
    bar: bool = False
    """Whether a 7 has a bar."""
    foot: bool = False
    """Whether a 7 has a foot."""
    corner: float = 0.0
    """By how much the pen cuts corners, in the height of a mark: where this is above 0 strokes are a few straight
    lines."""
    lean: float = 0.0
    """How far the top of a 1 that is a plain bar stands to the right, in its height."""
    joined: bool = False
    """Whether letters of a word are joined."""

    def of_mark(self, character: str, strokes: list[Stroke], rng: np.random.Generator) -> tuple[list[Stroke], float]:
        """The strokes of a character as this person forms them, and by how much taller that makes it."""
        _, height = extent(strokes)
        size = max(height, 1e-3)
        longer = 1.0
        if character == "7":
            strokes = self._seven(strokes, size)
        if self.apart:
            moves = rng.normal(0, self.apart, (len(strokes), 2)).clip(-0.08, 0.08) * size
            strokes = [stroke + move.astype(np.float32) for stroke, move in zip(strokes, moves, strict=True)]
        if character in TAILED and self.tail > 1:
            waist = min(float(stroke[:, 1].min()) for stroke in strokes) + WAIST * size
            strokes = [_longer_below(stroke, waist, self.tail) for stroke in strokes]
            longer = 1 + (1 - WAIST) * (self.tail - 1)
        if character.isdecimal():
            strokes = [stroke * np.array([self.widths[int(character)], 1], np.float32) for stroke in strokes]
        if self.corner:
            strokes = [_with_corners(stroke, self.corner * size) for stroke in strokes]
        return strokes, longer

    def _seven(self, strokes: list[Stroke], size: float) -> list[Stroke]:
        first = strokes[0]
        left, top = np.concatenate(strokes).min(axis=0).tolist()
        if self.hook and first[0, 0] < left + 0.25 * size and first[0, 1] < top + 0.3 * size:
            start = first[:1] + np.array([[-0.03, self.hook]], np.float32) * np.float32(size)
            strokes = [np.concatenate([start, first]), *strokes[1:]]
        if len(strokes) > 1 or len(first) < 4:
            return strokes
        half, added = np.array([0.22 * size, 0], np.float32), []
        middle = first[np.abs(first[:, 1] - (top + 0.55 * size)).argmin()]
        if self.bar:
            added.append(np.stack([middle - half, middle + half]))
        if self.foot:
            added.append(np.stack([first[-1] - half, first[-1] + half]))
        return [*strokes, *added]


def _longer_below(stroke: Stroke, waist: float, factor: float) -> Stroke:
    y = stroke[:, 1]
    return np.stack([stroke[:, 0], np.where(y > waist, waist + factor * (y - waist), y)], axis=1).astype(np.float32)


def _with_corners(stroke: Stroke, most: float) -> Stroke:
    if len(stroke) < 3:
        return stroke
    return cv2.approxPolyDP(stroke.reshape(-1, 1, 2), most, False).reshape(-1, 2).astype(np.float32)


def choose_habits(rng: np.random.Generator) -> Habits:
    """What a random person does."""
    if rng.uniform() < PLAIN_SHARE:
        return Habits(joined=bool(rng.uniform() < 0.3))
    spread = rng.uniform(0, 0.4)
    # Many people write wide twos and sevens, and narrow zeros.
    usual = np.array([-0.3, 0, 0.5, 0, 0.2, 0.4, 0, 0.3, 0, 0])
    widths: list[float] = np.exp(spread * (usual + rng.normal(0, 0.8, 10))).clip(0.55, 1.6).tolist()
    draws = rng.uniform(size=6)
    return Habits(
        widths=tuple(widths),
        tail=rng.uniform(1.1, 1.9) if draws[0] < 0.25 else 1.0,
        apart=rng.uniform(0.01, 0.06) if draws[1] < 0.4 else 0.0,
        hook=rng.uniform(0.1, 0.35) if draws[2] < 0.25 else 0.0,
        bar=bool(draws[3] < 0.2),
        foot=bool(draws[3] < 0.05),
        corner=rng.uniform(0.01, 0.05) if draws[4] < 0.12 else 0.0,
        lean=float(np.clip(rng.normal(0.04, 0.12), -0.35, 0.3)),
        joined=bool(draws[5] < 0.3),
    )
