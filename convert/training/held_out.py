"""Hold digits out of a training, to see after each epoch how it reads what it has not seen."""

from __future__ import annotations

import numpy as np

from convert.data.mnist import Mnist
from edge.errors import DataError

EVERY = 11
"""Every eleventh training image is held out, whatever the seed: of MNIST's 60,000 these are 5,455, half as many as its
test images. A model that edge-train made has not seen them either, when it is trained further. Chosen: a prime, so that
all digits are among them also where the data have a regular order."""


def split(data: Mnist) -> Mnist:
    """The training images that are trained on, and as ``test`` those that are held out; equal ones are not trained on.

    Raises DataError if none are left to train on.
    """
    out = np.arange(len(data.train)) % EVERY == 0
    held = {glyph.tobytes() for glyph in data.train[out]}
    kept = [i for i in np.flatnonzero(~out) if data.train[i].tobytes() not in held]
    if not kept:
        raise DataError(
            f"--data: has no training image besides those that are held out, every {EVERY}th; give more of them"
        )
    return Mnist(data.train[kept], data.train_labels[kept], data.train[out], data.train_labels[out])
