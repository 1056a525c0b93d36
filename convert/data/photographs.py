"""The digits in a user's own photographs, as the model will meet them: to calibrate a quantised model on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge import images
from edge.errors import DataError
from edge.reading.candidates import Candidate
from edge.reading.reader import MIN_CONFIDENCE, Reader
from edge.sources.files import natural_key
from edge.types import Frame, Pixels


def glyphs(folder: Path) -> Pixels:
    """What may be a digit in all photographs and crops of a folder and of those in it, (n, 28, 28), light ink on black.

    An image that is a glyph already, as ``edge corrections export`` writes them, is taken as it is. Files in natural
    order, digits in reading order; nobody has to say which digits they are. Raises ImageError for a file that cannot be
    read, and DataError where there is no photograph, or no digit in any.
    """
    paths = find(folder)
    with Reader() as reader:
        found = [glyph for path in paths for glyph in _in(Frame(images.load(path), str(path)), reader)]
    if not found:
        raise DataError(
            f"{folder}: no digit is found in {'its image' if len(paths) == 1 else f'any of its {len(paths):,} images'};"
            " look at one with edge read, and take them nearer, in better light"
        )
    return np.stack(found)


def find(folder: Path) -> list[Path]:
    """The images in a folder and in those in it, in natural order, without hidden ones. Raises DataError."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name one that holds photographs or crops of digits")
    every = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    visible = [folder / path for path in every if not any(part.startswith(".") for part in path.parts)]
    if not visible:
        raise DataError(
            f"{folder}: no image in this folder; put photographs or crops of digits there,"
            f" as {', '.join(sorted(images.SUFFIXES))}"
        )
    return sorted(visible, key=natural_key)


def is_glyph(pixels: Pixels) -> bool:
    """Whether it is 28x28, its ink is light and does not touch the border: MNIST's form, which the model gets."""
    border = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return pixels.shape == (28, 28) and max(int(side.max()) for side in border) < 64 <= int(pixels.max())


def _in(frame: Frame, reader: Reader) -> list[Pixels]:
    if is_glyph(frame.pixels):
        return [frame.pixels]
    return [candidate.glyph for candidate in reader.analyse(frame).candidates if may_be_digit(candidate)]


def may_be_digit(candidate: Candidate) -> bool:
    """Not what is as surely no digit as a digit has to be one to be read; how sure a digit is does not matter.

    What a model doubts is worth as much to calibrate on as what it knows.
    """
    return candidate.digit is not None or candidate.confidence < MIN_CONFIDENCE
