"""The digits in a user's own photographs, as the model will meet them: to calibrate a quantised model on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge import images
from edge.candidates import Candidate
from edge.errors import DataError
from edge.reader import MIN_CONFIDENCE, Reader
from edge.sources.files import natural
from edge.types import Frame, Pixels


def glyphs(folder: Path) -> Pixels:
    """What may be a digit in all photographs and crops of a folder and of those in it, (n, 28, 28), light ink on black.

    Files in natural order, digits in reading order; nobody has to say which digits they are. Raises ImageError for a
    file that cannot be read, and DataError where there is no photograph, or no digit in any.
    """
    paths = find(folder)
    with Reader() as reader:
        seen = (reader.look(Frame(images.load(path), str(path))).candidates for path in paths)
        found = [candidate.glyph for candidates in seen for candidate in candidates if may_be_digit(candidate)]
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
    return sorted(visible, key=natural)


def may_be_digit(candidate: Candidate) -> bool:
    """Not what is as surely no digit as a digit has to be one to be read; how sure a digit is does not matter.

    What a model doubts is worth as much to calibrate on as what it knows.
    """
    return candidate.digit is not None or candidate.confidence < MIN_CONFIDENCE
