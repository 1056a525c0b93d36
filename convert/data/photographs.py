"""Cut the digits out of a user's own photographs, to calibrate a quantised model on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge import images
from edge.errors import DataError
from edge.reading.candidates import Candidate
from edge.reading.reader import Reader
from edge.sources.image_paths import natural_key
from edge.types import Frame, Pixels

REJECTED = 0.6
"""What the model takes for no digit with at least this probability is not calibrated on. Chosen: unsure digits stay."""


def glyphs(folder: Path) -> Pixels:
    """All probable digits in the images of a folder and its subfolders, (n, 28, 28) uint8, light ink on black.

    An image that is a glyph already, as ``edge corrections export`` writes them, is used unchanged. Files are in
    natural order, digits in reading order; they need no labels. Raises ImageError for a file that cannot be read, and
    DataError if there is no image, or no digit in any.
    """
    paths = image_files(folder)
    with Reader() as reader:
        found = [glyph for path in paths for glyph in _glyphs_in(Frame(images.load(path), str(path)), reader)]
    if not found:
        raise DataError(
            f"{folder}: found no digit in {'its image' if len(paths) == 1 else f'any of its {len(paths):,} images'};"
            " try one with edge read, and photograph from closer, in better light"
        )
    return np.stack(found)


def image_files(folder: Path) -> list[Path]:
    """The images in a folder and its subfolders, in natural order, without hidden ones. Raises DataError."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give one with photographs or crops of digits")
    every = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    visible = [folder / path for path in every if not any(part.startswith(".") for part in path.parts)]
    if not visible:
        raise DataError(
            f"{folder}: no image in this folder; put photographs or crops of digits there,"
            f" as {', '.join(sorted(images.SUFFIXES))}"
        )
    return sorted(visible, key=natural_key)


def is_glyph(pixels: Pixels) -> bool:
    """Whether pixels are a glyph, as in MNIST: 28x28, with light ink that does not touch the border."""
    border = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return pixels.shape == (28, 28) and max(int(side.max()) for side in border) < 64 <= int(pixels.max())


def _glyphs_in(frame: Frame, reader: Reader) -> list[Pixels]:
    if is_glyph(frame.pixels):
        return [frame.pixels]
    return [candidate.glyph for candidate in reader.analyse(frame).candidates if may_be_digit(candidate)]


def may_be_digit(candidate: Candidate) -> bool:
    """Whether to calibrate on a candidate: all but those that the model rejects with at least REJECTED.

    Digits of low confidence are included: they are as useful for calibration as clear ones.
    """
    return sum(candidate.others) < REJECTED
