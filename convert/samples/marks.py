"""Digits, letters and symbols of many writers as the model meets them: drawn with a pen, photographed and cleaned.

The files are those of a data folder's ``marks/``; writers who are held out (``convert.data.marks``) are never used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.classes import CLASSES
from convert.data.marks import LOOK_ALIKES, MarkPictures, Marks, draw, load_mark_pictures, load_marks
from edge.errors import DataError
from edge.model.card import DIGITS, NONE
from edge.types import Pixels
from edge.vision.normalise import normalise

STROKE_SETS = ("unipen_digits", "pendigits", "unipen_symbols", "unipen_upper", "unipen_lower", "omniglot")
"""The sets of pen strokes that are used, where they are there."""
PICTURE_SETS = ("bhmsds", "hasy20")
"""The sets of pictures that are used, where they are there."""
NO_SIZE = frozenset(",'`.")
"""Marks that are told from a digit by their size alone, which a glyph does not show: they are left out."""
UNCLEAR_PICTURES = frozenset("z*")
"""Labels of ``bhmsds`` that are left out: its z is a 2, and its asterisk a dot."""
SYMBOLS = {
    "-": "minus", "_": "minus", "/": "slash", "+": "plus", "=": "equals", "%": "percent",
    **dict.fromkeys("()[]{}<>", "bracket"), **dict.fromkeys(("x", "X", "*", "times"), "times"),
}  # fmt: skip
"""Label of a symbol in these sets -> its class; the letter x is written as a times sign."""
ALPHABETS = "/character"
"""Part of every label of ``omniglot``, which has letters of many alphabets."""
SHARES = {"digits": 0.31, "symbols": 0.2, "letters": 0.23, "pictures": 0.18}
"""Number of marks of each group in each epoch, as a share of the training set. Chosen: as in the trial that read the
fewest symbols and letters as digits; pictures are fewer than strokes, as fewer people wrote them."""
DIGIT_HEIGHT = (15.0, 75.0)
"""Smallest and largest size of a mark, pixels. Chosen: smaller ones cannot be read, and larger ones look the same."""
PEN_WIDTH = (0.035, 0.19)
"""Finest and broadest pen, as a share of the mark's size: a ball pen on a large digit, a marker on a small one."""
PICTURE_SCALE = (0.8, 2.5)
"""How much smaller and larger a picture of a mark is drawn. Chosen: its own 28 or 32 pixels do not show more."""
INK_LEVEL = (40.0, 110.0)
"""Range of the level, 0 to 255, from which ink is kept: cleaning keeps more or less of the edges of strokes."""


class Source(NamedTuple):
    """One mark that samples are made of."""

    marks: Marks | MarkPictures
    place: int
    label: int
    """Its class, a place in CLASSES."""


class MarkSamples(NamedTuple):
    """All marks of a folder, without those of held-out writers and those that nobody can tell from a digit."""

    sources: tuple[Source, ...]
    groups: dict[str, NDArray[np.int64]]
    """Name of a group, as in SHARES -> the places of its marks in ``sources``; groups without marks are missing."""

    def number(self, images: int) -> int:
        """How many marks an epoch has, for a training set of so many images."""
        return sum(round(SHARES[name] * images) for name in self.groups)

    def choose(self, images: int, seed: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places of one epoch's marks, drawn at random from each group, and the class of each."""
        rng = np.random.default_rng(seed)
        places = np.concatenate(
            [rng.choice(group, round(SHARES[name] * images)) for name, group in self.groups.items()]
        )
        return places, np.array([self.sources[place].label for place in places])


def class_of(label: str) -> int:
    """The class, a place in CLASSES, of a mark with this label in one of the sets."""
    if label.isdecimal():
        return int(label)
    is_letter = ALPHABETS in label or (len(label) == 1 and label.isalpha())
    return CLASSES.index(SYMBOLS.get(label, "letter" if is_letter else NONE))


@cache
def load(folder: Path) -> MarkSamples:
    """The marks in a folder. Raises DataError if it has no digits or no other marks."""
    sources = []
    for name in STROKE_SETS:
        if marks := load_marks(folder, name):
            sources += [
                Source(marks, i, class_of(label))
                for i, label in enumerate(marks.labels)
                if not (marks.held_out[i] or marks.looks_like_digit[i] or label in LOOK_ALIKES or label in NO_SIZE)
            ]
    for name in PICTURE_SETS:
        if pictures := load_mark_pictures(folder, name):
            sources += [
                Source(pictures, i, class_of(label))
                for i, label in enumerate(pictures.labels)
                if not pictures.held_out[i] and label not in UNCLEAR_PICTURES
            ]
    labels = np.array([source.label for source in sources], int)
    is_digit = labels < len(DIGITS)
    if is_digit.all() or not is_digit.any():
        raise DataError(f"{folder}: has no digits and other marks such as unipen_digits.npz and unipen_symbols.npz")
    of_picture = np.array([isinstance(source.marks, MarkPictures) for source in sources], bool)
    is_letter = labels == CLASSES.index("letter")
    groups = {
        "digits": is_digit & ~of_picture,
        "symbols": ~is_digit & ~is_letter & ~of_picture,
        "letters": is_letter & ~of_picture,
        "pictures": of_picture,
    }
    return MarkSamples(tuple(sources), {name: np.flatnonzero(of) for name, of in groups.items() if of.any()})


def digest(folder: Path) -> str:
    """A hash of the files that are used, as hexadecimal text."""
    sha = hashlib.sha256()
    for name in (*STROKE_SETS, *PICTURE_SETS):
        path = folder / f"{name}.npz"
        sha.update(name.encode() + (hashlib.sha256(path.read_bytes()).digest() if path.exists() else b""))
    return sha.hexdigest()


def glyphs(places: NDArray[np.int64], seed: Sequence[int], folder: Path) -> Pixels:
    """The marks at these places as glyphs (n, 28, 28) uint8, each drawn, photographed and cleaned in its own way."""
    rng = np.random.default_rng(seed)
    samples = load(folder)
    return np.array([_glyph(samples.sources[place], rng) for place in places], np.uint8).reshape(-1, 28, 28)


def _glyph(source: Source, rng: np.random.Generator) -> Pixels:
    slant, turn, stretch = rng.normal(0, 0.15), rng.normal(0, 5), float(np.exp(rng.normal(0, 0.16)))
    if isinstance(source.marks, Marks):
        size = _between(DIGIT_HEIGHT, rng)
        pen = max(1.0, size * _between(PEN_WIDTH, rng))
        strokes = source.marks.strokes(source.place)
        wobble = rng.uniform(0, 0.025)
        ink = draw(strokes, size, pen, slant=slant, turn=turn, stretch=stretch, wobble=wobble, rng=rng)
    else:
        ink = _scaled(source.marks.pictures[source.place], rng.uniform(*PICTURE_SCALE), slant, turn, stretch)
        if rng.uniform() < 0.3:
            ink = cv2.dilate(ink, np.ones((2, 2), np.uint8))
    return normalise(cleaned(cv2.copyMakeBorder(ink, 4, 4, 4, 4, cv2.BORDER_CONSTANT), rng))


def _between(limits: tuple[float, float], rng: np.random.Generator) -> float:
    """A number between two limits, evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _scaled(picture: Pixels, scale: float, slant: float, turn: float, stretch: float) -> Pixels:
    """A small picture of a mark at this scale, slanted, turned (degrees) and stretched."""
    height, width = picture.shape
    angle = np.radians(turn)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = scale * (matrix @ np.array([[stretch, -slant], [0, 1]]))
    side = round(1.6 * scale * max(height, width)) + 4
    offset = side / 2 - matrix @ np.array([width / 2, height / 2])
    return cv2.warpAffine(picture, np.hstack([matrix, offset[:, None]]), (side, side), flags=cv2.INTER_LINEAR)


def cleaned(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Ink (height, width) uint8 as a camera and cleaning leave it: blurred, uneven, noisy, cut at a level, coarse."""
    side = max(ink.shape)
    grey = ink.astype(np.float32)
    if rng.uniform() < 0.8:
        # A larger mark is seen from nearer, and so is its blur.
        grey = cv2.GaussianBlur(grey, (0, 0), _between((0.3, 1.4), rng) * min(1.5, max(0.5, side / 40)))
    if rng.uniform() < 0.3:
        patches = rng.uniform(0.5, 1.2, (max(1, ink.shape[0] // 4), max(1, ink.shape[1] // 4))).astype(np.float32)
        grey *= np.clip(cv2.resize(patches, ink.shape[::-1]), 0, 1)
    strongest = float(np.percentile(grey[grey > 20], 90)) if (grey > 20).any() else 255.0
    grey *= 255 / strongest * rng.uniform(0.75, 1.0)
    grey += rng.normal(0, np.exp(rng.uniform(0, 2.5)), grey.shape)
    mask = cv2.dilate((grey > rng.uniform(*INK_LEVEL)).astype(np.uint8), np.ones((3, 3), np.uint8))
    kept = np.where((mask > 0) & (grey >= 35), np.clip(grey, 0, 255), 0).astype(np.uint8)
    if rng.uniform() < 0.1:
        scale = rng.uniform(0.5, 0.85)
        kept = cv2.resize(cv2.resize(kept, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), kept.shape[::-1])
    return kept
