"""The digits that a conversion needs: to calibrate quantisation on, to fit the temperature on, and to test on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.data import photographs
from convert.data.mnist import Labels, Mnist
from convert.samples import pages
from convert.tflite import quantise
from edge.types import Pixels

TEMPERATURE_IMAGES = 2000
"""Number of training images on which the temperature is fitted; each is used as it is and once more through the camera.
Chosen: it is one number, so more images hardly change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Glyphs (n, 28, 28) uint8, light ink on black, and their labels, (n,), 0 to 9."""

    calibration: Pixels
    """To calibrate quantisation on: all different, none of them a test image."""
    own_count: int
    """How many of ``calibration`` come from the user's own photographs."""
    temperature: Pixels
    """To fit the temperature on: some of the training images."""
    temperature_labels: Labels
    test: Pixels
    """MNIST's test images."""
    test_labels: Labels
    digest: str
    """sha256 of MNIST's pixels and labels."""


def select(data: Mnist, *, images: int, seed: int, photos: Path | None) -> Dataset:
    """Select from MNIST and from the folder ``photos``: ``images`` to calibrate on, and the rest.

    The same for the same seed. Raises DataError if there are too few, or ``photos`` has no digit.
    """
    own = np.zeros((0, 28, 28), np.uint8) if photos is None else photographs.glyphs(photos)
    calibration = quantise.calibration_glyphs(data, images, seed, own)
    fitting = np.random.default_rng([seed, 1]).permutation(len(data.train))[:TEMPERATURE_IMAGES]
    return Dataset(
        calibration=calibration,
        own_count=min(len(own), len(calibration)),
        temperature=data.train[fitting],
        temperature_labels=data.train_labels[fitting],
        test=data.test,
        test_labels=data.test_labels,
        digest=data.digest,
    )


def through_camera(fitting: Pixels, test: Pixels, seed: int) -> Pixels:
    """Both, one after the other, as the synthetic camera sees them: done by another process while TensorFlow starts."""
    return np.concatenate([pages.through_camera(fitting, seed), pages.through_camera(test, seed + 1)])
