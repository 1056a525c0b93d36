"""Rows of digits on ordinary paper, photographed by an ordinary camera: the base of every condition of the suite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.handwriting import virtual_camera
from edge.types import Pixels
from tests.scoreboard import pens
from tests.scoreboard.layout import Block, Digits, Pen, Plan, block, place

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of ink, before paper and camera are added."""

    ink: Pixels
    block: Block
    top: int
    """The row, in pixels, at which the block begins."""


def write_page(rng: Rng, digits: Digits, made: Plan, margin: float = 0.25, **how: object) -> Sheet:
    """The rows of a plan, written somewhere on its page; ``margin`` in em; ``how`` is passed to ``layout.block``."""
    rows = block(rng, digits, made.rows, made.em, **how)  # type: ignore[arg-type]
    ink, _, top = place(rng, rows.ink, made.shape, margin * made.em)
    return Sheet(ink, rows, top)


def photograph(
    rng: Rng, ink: Pixels, *, paper: float | None = None, strength: float | None = None, chalk: bool = False
) -> Pixels:
    """An ordinary photograph of the ink: slightly uneven light, slight blur and noise."""
    own = rng.uniform(200, 245), rng.uniform(0.65, 0.92), rng.uniform(0, 0.12), rng.uniform(0.3, 0.7)
    grey = own[0] if paper is None else paper
    taken = own[1] if strength is None else strength
    page = virtual_camera.write(ink, 255 - grey if chalk and paper is None else grey, -taken if chalk else taken)
    page = virtual_camera.light(page, rng, own[2])
    return virtual_camera.noise(virtual_camera.blur(page, own[3]), rng, rng.uniform(1, 3))


def either_polarity(rng: Rng, ink: Pixels) -> Pixels:
    """As ``photograph``: dark ink on light paper three times out of four, else light on dark."""
    return photograph(rng, ink, chalk=bool(rng.uniform() < 0.25))


def with_pen(share: float) -> Pen:
    """A pen as wide as this share of the em."""
    return lambda glyph, em: pens.redraw(glyph, em, max(1.6, share * em))


def by_strength(strength: int, *choices: float) -> float:
    """The choice for a strength from 1 on."""
    return choices[strength - 1]
