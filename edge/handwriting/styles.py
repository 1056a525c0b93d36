"""How people write: one seeded hand, and hands drawn at random. Lengths are in em, a digit is about 1 em tall."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge.handwriting.forms import FORMS

GAP = 0.3
"""The least distance between two digits, between lines, and to the border, em."""


@dataclass(frozen=True, slots=True)
class WritingStyle:
    """How one person writes."""

    forms: tuple[int, ...]
    """For each digit 0 to 9, the index of the form it is written in."""
    slant: float = 0.0
    """Sideways lean, em per em of height; positive leans to the right."""
    aspect: float = 1.0
    """Width against the forms' own width."""
    size: float = 0.9
    """Share of the room on a page that the writing takes, 0 to 1."""
    habit: float = 0.0
    """How far this person's points are from the table's, always the same way, em (standard deviation)."""
    jitter: float = 0.0
    """How far the same point of two of this person's digits differs, em (standard deviation)."""
    pen: float = 0.08
    """Width of the pen's line at most, em."""
    pressure: float = 0.0
    """By how much the line gets thinner here and there, 0 to 1."""
    wobble: float = 0.0
    """How far digits stand off their baseline, em (standard deviation)."""
    slope: float = 0.0
    """How much a line falls, em per em to the right."""
    spacing: float = 0.4
    """Mean distance between two digits, em, at least GAP."""
    seed: int = 0
    """What the habit is drawn from."""
    waist: float = 0.0
    """How far the middle of this person's digits is from the table's, up or down, em (standard deviation)."""
    taper: float = 0.0
    """How much wider than its other end the top or the bottom of a digit is, as a share (standard deviation)."""
    turn: float = 0.03
    """How far a digit is turned, radians (standard deviation)."""
    overshoot: float = 0.0
    """How far the ends of a stroke go on where they were heading, or stop short, em (standard deviation)."""
    tick: float = 0.0
    """Share of strokes that begin, and that end, with the small hook of a pen not lifted in time, 0 to 1."""
    tremble: float = 0.0
    """How far the line strays to its sides on its way, em (standard deviation)."""


def random_style(rng: np.random.Generator) -> WritingStyle:
    """The hand of random_style drawn at random: tidy or not, upright or not, with a fine pen or a broad one."""
    return WritingStyle(
        forms=tuple(int(rng.integers(len(FORMS[digit]))) for digit in range(10)),
        slant=float(np.clip(rng.normal(0.08, 0.14), -0.25, 0.4)),
        aspect=float(rng.uniform(0.75, 1.3)),
        size=float(rng.uniform(0.55, 1.0)),
        habit=float(rng.uniform(0.01, 0.04)),
        jitter=float(rng.uniform(0.006, 0.022)),
        pen=float(rng.uniform(0.05, 0.13)),
        pressure=float(rng.uniform(0.0, 0.3)),
        wobble=float(rng.uniform(0.0, 0.04)),
        slope=float(rng.normal(0, 0.012)),
        spacing=float(rng.uniform(GAP, 0.7)),
        seed=int(rng.integers(2**32)),
    )


def varied_style(rng: np.random.Generator) -> WritingStyle:
    """The hand of varied_style at all, for training: also of those who write crookedly, shakily or in a hurry.

    A third of them are as tidy as :func:`random_style`.
    """
    tidy = random_style(rng)
    if rng.uniform() < 0.33:
        return tidy
    shaky, strong = rng.uniform(size=2) < (0.2, 0.15)
    aspect = float(np.exp(rng.normal(0, 0.28)).clip(0.65, 1.8))
    return replace(
        tidy,
        slant=float(rng.uniform(-0.47, 0.47)) if strong else tidy.slant,
        aspect=aspect,
        # A broad pen fills the loops of a narrow digit.
        pen=float(rng.uniform(0.035, 0.14) * min(1, aspect)),
        waist=float(rng.uniform(0, 0.07)),
        taper=float(rng.uniform(0, 0.2)),
        turn=float(rng.uniform(0, 0.12)),
        overshoot=float(rng.uniform(0, 0.06)),
        tick=float(rng.uniform(0, 0.3)),
        tremble=float(rng.uniform(0.006, 0.016)) if shaky else 0.0,
    )
