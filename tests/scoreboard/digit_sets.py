"""The labelled sets of single digits in a data folder, as pictures for the reader and as glyphs for the model."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.samples.augment import main_ink
from edge.errors import DataError
from edge.types import Pixels
from edge.vision.clean import clean
from edge.vision.normalise import normalise
from edge.vision.settings import VisionSettings

MARGIN = 4
"""Pixels of paper that are added around digits that fill their picture to its border: no page is like that."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a set of single digits lies, under the data folder's ``digits/``."""

    name: str
    file: str
    images: str
    """The array of pictures in it, (n, height, width)."""
    labels: str
    light_ink: bool
    """Whether its ink is lighter than its paper: then a picture is nothing but ink, and paper is 0."""


SOURCES = (
    Source("nsysu_dev", "nsysu_dev.npz", "x", "y", light_ink=False),
    Source("scan_cells_dev", "scan_cells_dev.npz", "x", "y", light_ink=False),
    Source("usps", "usps.npz", "x_test", "y_test", light_ink=True),
    Source("semeion", "semeion.npz", "x", "y", light_ink=True),
    Source("hwd1000", "hwd1000.npz", "x", "y", light_ink=False),
)


@dataclass(frozen=True, slots=True)
class DigitSet:
    """Pictures of one digit each."""

    name: str
    pictures: Pixels
    """(n, height, width) uint8."""
    labels: NDArray[np.uint8]
    """(n,), 0 to 9."""
    light_ink: bool

    def frames(self) -> Iterator[Pixels]:
        """The pictures as the reader gets them: with a margin where the ink fills the picture."""
        for picture in self.pictures:
            if self.light_ink:
                yield cv2.copyMakeBorder(picture, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0)
            else:
                yield picture

    def glyphs(self) -> Pixels:
        """Each picture as the glyph of one mark, whatever it shows: (n, 28, 28) uint8."""
        return np.stack([normalise(picture if self.light_ink else _ink(picture)) for picture in self.pictures])


def _ink(picture: Pixels) -> Pixels:
    cleaned = clean(picture, VisionSettings(), light_ink=False)
    return main_ink(cleaned.ink, cleaned.mask)


def load_digits(folder: Path, source: Source) -> DigitSet | None:
    """One set of the data folder, or None where it is missing. Raises DataError where it is damaged."""
    path = folder / "digits" / source.file
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pictures, labels = arrays[source.images], arrays[source.labels]
    # As in convert.data.mnist: which error np.load raises depends on the damage.
    except (
        OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, IndexError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        wanted = f"{source.images} and {source.labels}"
        raise DataError(f"{path}: no whole .npz with {wanted} ({error}); fetch it again") from error
    if pictures.ndim != 3 or not len(pictures) or labels.shape != pictures.shape[:1]:
        raise DataError(
            f"{path}: has pictures of shape {pictures.shape} with labels of shape {labels.shape};"
            " (n, height, width) and (n,) are wanted"
        )
    if pictures.dtype.kind not in "iuf" or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise DataError(f"{path}: has pictures of {pictures.dtype} and labels of {labels.dtype}; labels are 0 to 9")
    return DigitSet(source.name, _eight_bits(pictures), labels.astype(np.uint8), source.light_ink)


def _eight_bits(pictures: NDArray[Any]) -> Pixels:
    """Bytes as they are; any other range, such as 0 to 1, is stretched to 0 to 255."""
    if pictures.dtype == np.uint8 and pictures.max() > 1:
        return pictures.astype(np.uint8)
    real = pictures.astype(np.float32)
    low, high = float(real.min()), float(real.max())
    return ((real - low) * (255 / max(high - low, 1e-6))).round().astype(np.uint8)
