"""Load MNIST: from a folder with the four original files, from an ``mnist.npz``, or with Keras's downloader."""

from __future__ import annotations

import gzip
import hashlib
import os
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import DataError
from edge.system.text import one_line
from edge.types import Pixels

Labels = NDArray[np.uint8]
"""The digits written, (n,), 0 to 9."""

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The original files: training images and labels, test images and labels."""
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
"""The arrays in an ``mnist.npz``, in the same order."""


@dataclass(frozen=True, slots=True)
class Mnist:
    """MNIST: glyphs (n, 28, 28) uint8, light ink on black; labels (n,) uint8, 0 to 9."""

    train: Pixels
    train_labels: Labels
    test: Pixels
    test_labels: Labels

    @property
    def digest(self) -> str:
        """sha256 of all pixels and labels: a model's card contains it to identify the data."""
        sha = hashlib.sha256()
        for part in (self.train, self.train_labels, self.test, self.test_labels):
            sha.update(np.ascontiguousarray(part).tobytes())
        return sha.hexdigest()

    def limited(self, count: int) -> Mnist:
        """The same, with only the first ``count`` training images."""
        return replace(self, train=self.train[:count], train_labels=self.train_labels[:count])


def load_mnist(place: str | None = None) -> Mnist:
    """MNIST from ``place``: a folder of the four original files (plain or .gz), or an ``mnist.npz``.

    Without a place, Keras downloads it once. Raises DataError if it is missing or is not MNIST.
    """
    if place is None:
        parts = _read_npz(downloaded())
    elif Path(place).is_dir():
        parts = tuple(_read_idx(Path(place), name) for name in FILES)
    elif Path(place).is_file():
        parts = _read_npz(Path(place))
    else:
        raise DataError(f"{place}: no such file or folder; give a folder with {FILES[0]}.gz and so on, or an mnist.npz")
    train, train_labels, test, test_labels = parts
    for images, labels in ((train, train_labels), (test, test_labels)):
        if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1] or not len(images):
            raise DataError(
                f"{place}: has images of shape {images.shape} with labels of shape {labels.shape};"
                " MNIST has (n, 28, 28) and (n,)"
            )
        if labels.max() > 9:
            raise DataError(f"{place}: has a label {labels.max()}; MNIST has 0 to 9")
    return Mnist(train, train_labels, test, test_labels)


def _read_idx(folder: Path, name: str) -> NDArray[np.uint8]:
    """One file of the IDX format (http://yann.lecun.com/exdb/mnist): magic, sizes, bytes."""
    plain, packed = folder / name, folder / (name + ".gz")
    if not plain.exists() and not packed.exists():
        raise DataError(f"{folder}: has neither {name} nor {name}.gz; --data needs the four original MNIST files")
    path = plain if plain.exists() else packed
    try:
        data = path.read_bytes() if path is plain else gzip.decompress(path.read_bytes())
        axes = data[3]
        shape = tuple(int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes))
        if data[:3] != b"\0\0\x08":
            raise ValueError("not an IDX file of bytes")
        return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DataError(f"{path}: is not a complete MNIST file ({error}); download it again") from error


def _read_npz(path: Path) -> tuple[NDArray[np.uint8], ...]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            parts = [arrays[name] for name in ARRAYS]
        if not all(part.dtype.kind in "iu" and part.min() >= 0 and part.max() <= 255 for part in parts):
            raise ValueError("its values are not whole numbers from 0 to 255")
    # AttributeError and TypeError: np.load returns a plain array for an .npy, and can raise anything for a text file.
    except (
        OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, IndexError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise DataError(
            f"{path}: is not a complete mnist.npz with {', '.join(ARRAYS)} ({error}); download it again"
        ) from error
    return tuple(part.astype(np.uint8) for part in parts)


def downloaded() -> Path:
    """The ``mnist.npz`` that Keras downloads once. Raises DataError if it cannot be downloaded."""
    try:
        path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets" / "mnist.npz"
    except RuntimeError as error:
        raise DataError(
            "MNIST: you have no home folder to keep it in; give a folder or an mnist.npz with --data"
        ) from error
    if path.is_file():
        return path
    from keras.datasets import mnist

    try:
        mnist.load_data()
        return path
    except Exception as error:  # Keras raises a bare Exception when the download fails
        why = one_line(error, 200)
        raise DataError(f"MNIST: cannot be downloaded ({why}); give a folder or an mnist.npz with --data") from error
