"""Labelled glyphs of a user's own, as ``edge corrections export`` writes them: to train on besides MNIST."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convert.data.mnist import Labels
from edge.corrections.database import SIDE
from edge.corrections.export import LABELS
from edge.errors import DataError
from edge.reading.evaluation import load_labelled
from edge.types import Pixels

NONE = 10
"""The class of what is no digit."""


class Taught(NamedTuple):
    """Glyphs (n, 28, 28) uint8, light ink on black, and their classes, (n,): the digits, and NONE."""

    glyphs: Pixels
    classes: Labels

    @property
    def digest(self) -> str:
        """sha256 of all of them."""
        return sha256(self.glyphs.tobytes() + self.classes.tobytes()).hexdigest()


def load(folder: Path) -> Taught:
    """What ``labels.csv`` in ``folder`` names. Raises DataError, or ImageError for a file that cannot be read."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name one that edge corrections export wrote")
    rows = load_labelled(folder / LABELS)
    for frame, text in rows:
        if frame.pixels.shape != (SIDE, SIDE):
            height, width = frame.pixels.shape
            raise DataError(
                f"{folder / frame.source}: has {width}x{height} pixels; glyphs of {SIDE}x{SIDE} are wanted,"
                " as edge corrections export writes them"
            )
        if len(text) > 1:
            raise DataError(f"{folder / LABELS}: {frame.source}: {text!r} is more than one digit")
    glyphs = np.stack([frame.pixels for frame, _ in rows])
    return Taught(glyphs, np.array([int(text) if text else NONE for _, text in rows], np.uint8))
