"""Digits of the stroke model where those of many writers are wanted: files of strokes, and pages with their truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convert.data.marks import is_held_out
from convert.samples.scenes import Page
from convert.samples.scenes.sheet import Sheet
from edge.handwriting.rendering import Stroke, draw, extent
from edge.handwriting.styles import random_style
from tests.support import small

WRITERS = [next(name for name in map(str, range(100)) if is_held_out(name) == held_out) for held_out in (False, True)]
"""One who is not held out, and one who is."""


def strokes(digit: int, seed: int = 1) -> list[Stroke]:
    """A digit, about 0.6 wide and 1 tall, as the person with that seed writes it."""
    rng = np.random.default_rng(seed)
    return draw(digit, rng, random_style(rng))


def data(folder: Path) -> Path:
    """A data folder: ``marks/`` with the digits of two writers and zigzags as letters, and a small ``mnist.npz``."""
    (folder / "marks").mkdir(parents=True)
    rng = np.random.default_rng(1)
    zigzags = [[rng.integers(0, 100, (5, 2))] for _ in range(52)]
    digits = [[1000 * one for one in strokes(digit, seed)] for digit in range(10) for seed in (1, 2)]
    for name, labels, marks in (
        ("unipen_digits", "0123456789", digits), ("unipen_lower", "abcdefghijklmnopqrstuvwxyz", zigzags),
    ):  # fmt: skip
        parts = [stroke for mark in marks for stroke in mark]
        np.savez(
            folder / "marks" / f"{name}.npz",
            points=np.concatenate(parts).astype(np.int16),
            stroke_start=np.cumsum([0, *map(len, parts)]),
            sample_start=np.cumsum([0, *map(len, marks)]),
            y=[label for label in labels for _ in WRITERS],
            writer=WRITERS * len(labels),
        )
    small.write_npz(folder / "mnist.npz")
    return folder


def sheet(digits: str, gap: float | Sequence[float] = 40, *, height: float = 60, seed: int = 1) -> Sheet:
    """A line of digits ``height`` pixels tall; ``gap``: from the pen's path in one to that in the next, pixels."""
    gaps = [gap] * len(digits) if isinstance(gap, int | float) else [*gap, 0]
    found, x = Sheet.blank(200, 480), 40.0
    for digit, after in zip(digits, gaps, strict=True):
        placed = [(height * one).astype(np.float32) for one in strokes(int(digit), seed)]
        left, _, right, _ = extent(placed)
        found.trace([one + np.array([x - left, 70], np.float32) for one in placed], 7, digit)
        x += right - left + after
    return found


def page(of: Sheet, *, light_ink: bool = False) -> Page:
    """The sheet as a clean picture."""
    ink = np.maximum(of.ink, of.printed).astype(np.float32)
    pixels = (230 - 0.7 * ink).astype(np.uint8)
    return Page(255 - pixels if light_ink else pixels, of.ids, tuple(of.labels), light_ink, "plain")
