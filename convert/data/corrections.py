"""Load a user's corrections, as ``edge corrections export`` writes them, to train on besides MNIST."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convert.classes import NO_DIGIT
from convert.data.mnist import Labels
from edge.corrections.database import GLYPH_SIDE
from edge.corrections.export import LABELS
from edge.errors import DataError
from edge.reading.evaluation import load_labelled
from edge.types import Pixels


class LabelledGlyphs(NamedTuple):
    """Glyphs (n, 28, 28) uint8, light ink on black, and their classes, (n,): 0 to 9, or NO_DIGIT."""

    glyphs: Pixels
    classes: Labels

    @property
    def digest(self) -> str:
        """sha256 of all glyphs and classes."""
        return sha256(self.glyphs.tobytes() + self.classes.tobytes()).hexdigest()


def load(folder: Path) -> LabelledGlyphs:
    """The glyphs that ``labels.csv`` in ``folder`` lists. Raises DataError, or ImageError for an unreadable image."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give one that edge corrections export wrote")
    rows = load_labelled(folder / LABELS)
    for frame, text, _ in rows:
        if frame.pixels.shape != (GLYPH_SIDE, GLYPH_SIDE):
            height, width = frame.pixels.shape
            raise DataError(
                f"{folder / frame.source}: has {width}x{height} pixels, not {GLYPH_SIDE}x{GLYPH_SIDE};"
                " give a folder that edge corrections export wrote"
            )
        if len(text) > 1:
            raise DataError(
                f"{folder / LABELS}: {frame.source}: {text!r} is more than one digit; give one digit, or nothing"
            )
    glyphs = np.stack([row.frame.pixels for row in rows])
    return LabelledGlyphs(glyphs, np.array([int(row.text) if row.text else NO_DIGIT for row in rows], np.uint8))
