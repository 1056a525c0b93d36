"""The digits that a conversion needs: some to calibrate on, some to find things out with, the rest to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.data import photographs
from convert.data.mnist import Labels, Mnist
from convert.samples import pages
from convert.tflite import quantise
from edge.types import Pixels

TRIED = 2000
"""The first so many test images say what input a model wants: it may have seen those of the training too often."""
KNOWN = 2000
"""So many training images, and they through the camera, say how sure it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Glyphs (n, 28, 28) uint8, light ink on black, and what they are, (n,)."""

    calibration: Pixels
    """Distinct, none of them evaluated on."""
    photographed: int
    """How many of them are from the user's own photographs."""
    known: Pixels
    known_labels: Labels
    test: Pixels
    test_labels: Labels
    digest: str
    """sha256 of the data set."""


def gather(data: Mnist, *, images: int, seed: int, photos: Path | None) -> Material:
    """Choose from ``data``, and from the folder ``photos``; the same for the same seed. Raises DataError."""
    own = np.zeros((0, 28, 28), np.uint8) if photos is None else photographs.glyphs(photos)
    chosen = quantise.calibration(data, images, seed, own)
    known = np.random.default_rng([seed, 1]).permutation(len(data.train))[:KNOWN]
    return Material(
        calibration=chosen,
        photographed=min(len(own), len(chosen)),
        known=data.train[known],
        known_labels=data.train_labels[known],
        test=data.test,
        test_labels=data.test_labels,
        digest=data.digest,
    )


def photographed(known: Pixels, test: Pixels, seed: int) -> Pixels:
    """One after the other as the synthetic camera sees them: what another process does while TensorFlow starts."""
    return np.concatenate([pages.camera(known, seed), pages.camera(test, seed + 1)])
