"""All layouts of a page, and how often each is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from convert.samples.scenes import forms, instruments, lines, marked, no_digits, plain
from convert.samples.scenes.hand import Hand
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.writers import Writers

LIGHT_INK_SHARE = 0.12
"""Share of the photographs, 0 to 1, that are chalk on a board, or light ink on dark paper."""


class Layout(NamedTuple):
    """One way to write on a page."""

    draw: Callable[[Writers, np.random.Generator], tuple[Sheet, Hand]]
    share: float
    """Share of the pages, 0 to 1."""
    screen: float = 0.1
    """Share of its pages, 0 to 1, that are drawn on a screen instead of photographed."""
    ruled: float = 0.0
    """Share of its pages, 0 to 1, on ruled or squared paper."""
    things: float = 0.0
    """Share of its pages, 0 to 1, on which something else is in view."""
    light_ink: float = LIGHT_INK_SHARE
    """Share of its photographs, 0 to 1, whose ink is lighter than what it is on."""


LAYOUTS = {
    # Nothing but digits.
    "one digit": Layout(plain.one_digit, 0.065, screen=0.45),
    "one number": Layout(plain.one_number, 0.08, screen=0.15),
    "few numbers": Layout(plain.few_numbers, 0.055),
    "touching": Layout(plain.touching, 0.066, screen=0.3, ruled=0.05),
    # Digits among symbols, words, rules and things.
    "one sum": Layout(lines.one_sum, 0.065, screen=0.08, ruled=0.1, things=0.12),
    "sums": Layout(lines.sums, 0.02, ruled=0.35, things=0.3),
    "column sum": Layout(lines.column_sum, 0.025, ruled=0.3, things=0.1),
    "one entry": Layout(lines.one_entry, 0.101, screen=0.15, ruled=0.15, things=0.1),
    "entries": Layout(lines.entries, 0.042, ruled=0.4, things=0.4),
    "mixed": Layout(lines.mixed, 0.045, ruled=0.4, things=0.3),
    "labelled": Layout(lines.labelled, 0.042, ruled=0.1, things=0.2),
    "scattered": Layout(lines.scattered, 0.02, ruled=0.3, things=0.4),
    "marked": Layout(marked.marked, 0.053, ruled=0.25, things=0.2),
    "struck out": Layout(marked.struck_out, 0.05, ruled=0.12, things=0.2),
    "grid": Layout(forms.grid, 0.018, things=0.2),
    "table": Layout(forms.table, 0.013, things=0.2),
    "puzzle": Layout(forms.puzzle, 0.01, screen=0.3, things=0.2),
    "boxes": Layout(forms.boxes, 0.032, things=0.2),
    "comb": Layout(forms.comb, 0.018, things=0.2),
    "drums": Layout(instruments.drums, 0.013, screen=0.0, things=0.1, light_ink=1.0),
    "scale": Layout(instruments.scale, 0.017, ruled=0.05, things=0.2),
    # No digit.
    "words": Layout(no_digits.words, 0.052, ruled=0.3, things=0.3),
    "alphabets": Layout(no_digits.alphabets, 0.025, screen=0.3, ruled=0.1, things=0.1),
    "drawings": Layout(no_digits.drawings, 0.03, screen=0.2, ruled=0.1, things=0.2),
    "empty": Layout(no_digits.empty, 0.017, screen=0.0, ruled=0.3, things=0.7),
    "scenery": Layout(no_digits.empty, 0.026, screen=0.0, things=0.2),
}
"""Every layout by its name; the shares add up to 1.

Chosen: much of what people photograph is a digit or a number and nothing else. Boxes and grids are a
tenth, because their sides look like ones: more of them teach that a bar is none."""
