"""Writing styles: how one person writes, and styles drawn at random. Lengths are in em; a digit is about 1 em tall."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge.handwriting.forms import FORMS

GAP = 0.3
"""The least distance between two digits, between two lines, and to the border, in em. Chosen: digits do not touch."""


@dataclass(frozen=True, slots=True)
class WritingStyle:
    """How one person writes. Standard deviations are of normal distributions around 0."""

    forms: tuple[int, ...]
    """For each digit 0 to 9, the index of its form in ``FORMS``."""
    slant: float = 0.0
    """Sideways lean, em per em of height; positive leans to the right."""
    aspect: float = 1.0
    """Width of the digits, as a multiple of the forms' width."""
    size: float = 0.9
    """Share of the page that the writing takes, 0 to 1."""
    habit: float = 0.0
    """How far this person's points always differ from those of the form, em (standard deviation)."""
    jitter: float = 0.0
    """How far a point differs from one drawing to the next, em (standard deviation)."""
    pen: float = 0.08
    """Greatest width of the line, em."""
    pressure: float = 0.0
    """By what share the line is thinner in places, 0 to 1."""
    wobble: float = 0.0
    """How far digits are above or below the baseline, em (standard deviation)."""
    slope: float = 0.0
    """How much a line falls, em per em to the right."""
    spacing: float = 0.4
    """Mean distance between two digits, em, at least GAP."""
    seed: int = 0
    """The seed of what is always the same for this person: ``habit``, ``waist`` and ``taper``."""
    waist: float = 0.0
    """How far the middle of a digit is moved up or down, em (standard deviation)."""
    taper: float = 0.0
    """How much wider the top of a digit is than its bottom, or the reverse, as a share (standard deviation)."""
    turn: float = 0.03
    """How far a digit is rotated, radians (standard deviation)."""
    overshoot: float = 0.0
    """How far the ends of a stroke go on too long, or stop too early, em (standard deviation)."""
    tick: float = 0.0
    """Share of the ends of strokes that have a small hook, from a pen that was not lifted in time, 0 to 1."""
    tremble: float = 0.0
    """How far the line strays sideways, em (standard deviation)."""


def random_style(rng: np.random.Generator) -> WritingStyle:
    """A style drawn at random: tidy or less tidy, upright or slanted, with a fine or a broad pen."""
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
    """A style drawn from a wider range than ``random_style``, for training: also crooked, shaky and hurried writing.

    A third of the styles are those of ``random_style``.
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
        # A narrow digit gets a finer pen: a broad one would fill its loops.
        pen=float(rng.uniform(0.035, 0.14) * min(1, aspect)),
        waist=float(rng.uniform(0, 0.07)),
        taper=float(rng.uniform(0, 0.2)),
        turn=float(rng.uniform(0, 0.12)),
        overshoot=float(rng.uniform(0, 0.06)),
        tick=float(rng.uniform(0, 0.3)),
        tremble=float(rng.uniform(0.006, 0.016)) if shaky else 0.0,
    )
