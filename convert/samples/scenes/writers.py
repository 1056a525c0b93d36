"""All marks by their writers, and the papers that they write on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from convert.data.marks import Marks, Stroke, load_mark_pictures, load_marks
from convert.data.mnist import Mnist
from edge.errors import DataError
from edge.types import Pixels

DIGIT_SETS = ("unipen_digits", "pendigits")
"""The sets of digits as strokes that are used, where they are there."""
CHARACTER_SETS = ("unipen_symbols", "unipen_upper", "unipen_lower")
"""The sets of letters and symbols as strokes that are used, where they are there."""
UNCLEAR_PICTURES = frozenset({"z", "*", "integral", "partial", "xi"})
"""Labels of pictures that are left out: the z of ``bhmsds`` is a 2, its asterisk a dot; the others may be digits."""
BACKGROUND_PERIOD = 4
"""Of the pictures of paper and of written pages, one in this many is held out."""
MIN_DIGITS = 9
"""A writer must have written at least this many of the ten digits. Chosen: nearly all; a missing one is another's."""
MNIST_LIMIT = 5000
"""At most this many pictures of MNIST are kept of each digit. Chosen: they are many enough, and loaded quickly."""

Item = TypeVar("Item")


class Source(NamedTuple):
    """One mark of a set of strokes."""

    marks: Marks
    place: int

    @property
    def strokes(self) -> list[Stroke]:
        """Its strokes, in the units of its set."""
        return self.marks.strokes(self.place)


Characters = Mapping[str, Sequence[Source]]
"""Marks by what they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Writers:
    """The marks of either the writers who are held out or of all others."""

    digits: Mapping[str, Characters]
    """The digits of each writer."""
    characters: Mapping[str, Characters]
    """The letters and symbols of each writer."""
    all_characters: Characters
    """The letters and symbols of all of them."""
    words: Sequence[Source]
    """Whole words."""
    alphabets: Sequence[Source]
    """Letters of many alphabets that nobody takes for a digit."""
    pictures: Mapping[str, Mapping[str, Sequence[Pixels]]]
    """Digits and signs as pictures, light ink on black, by their set (mnist, bhmsds) and by what they are."""
    symbols: Sequence[Pixels]
    """Mathematical symbols as pictures, light ink on black."""
    papers: Sequence[Pixels]
    """Grey pictures of paper, canvas and cork."""
    written_pages: Sequence[Pixels]
    """Grey photographs of pages full of words, without digits."""

    @classmethod
    def load(cls, folder: Path, mnist: Mnist, *, held_out: bool) -> Writers:
        """The marks of a data folder's ``marks/``. Raises DataError if there are no digits as strokes.

        ``held_out``: only writers who are held out (``convert.data.marks``), MNIST's test set and every fourth
        picture of paper; otherwise only the others and MNIST's training set.
        """
        digits = _by_writer(folder, DIGIT_SETS, held_out)
        characters = _by_writer(folder, CHARACTER_SETS, held_out)
        every: dict[str, list[Source]] = defaultdict(list)
        for of_writer in characters.values():
            for label, sources in of_writer.items():
                every[label] += sources
        digits = {writer: of_writer for writer, of_writer in digits.items() if len(of_writer) >= MIN_DIGITS}
        if not digits:
            raise DataError(f"{folder}: has no digits such as unipen_digits.npz and pendigits.npz")
        images, labels = (mnist.test, mnist.test_labels) if held_out else (mnist.train, mnist.train_labels)
        return cls(
            digits,
            characters,
            dict(every),
            _sources(folder, "unipen_words", held_out),
            [source for source in _sources(folder, "omniglot", held_out) if not _like_a_digit(source)],
            {
                "mnist": {str(digit): list(images[labels == digit][:MNIST_LIMIT]) for digit in range(10)},
                "bhmsds": _pictures(folder, "bhmsds", held_out),
            },
            [picture for of_label in _pictures(folder, "hasy20", held_out).values() for picture in of_label],
            _backgrounds(folder, "cc0_*", held_out),
            _backgrounds(folder, "words_*", held_out),
        )


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One of the items, each as likely."""
    return items[int(rng.integers(len(items)))]


def _sources(folder: Path, name: str, held_out: bool) -> list[Source]:
    marks = load_marks(folder, name)
    return [Source(marks, int(i)) for i in np.flatnonzero(marks.held_out == held_out)] if marks else []


def _by_writer(folder: Path, names: Sequence[str], held_out: bool) -> dict[str, dict[str, list[Source]]]:
    found: dict[str, dict[str, list[Source]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        for source in _sources(folder, name, held_out):
            found[source.marks.writers[source.place]][source.marks.labels[source.place]].append(source)
    return {writer: dict(found[writer]) for writer in sorted(found)}


def _like_a_digit(source: Source) -> bool:
    return bool(source.marks.looks_like_digit[source.place])


def _pictures(folder: Path, name: str, held_out: bool) -> dict[str, list[Pixels]]:
    found: dict[str, list[Pixels]] = defaultdict(list)
    if pictures := load_mark_pictures(folder, name):
        for picture, label, held in zip(pictures.pictures, pictures.labels, pictures.held_out, strict=True):
            if label not in UNCLEAR_PICTURES and held == held_out:
                found[label].append(picture)
    return dict(found)


def _backgrounds(folder: Path, pattern: str, held_out: bool) -> list[Pixels]:
    paths = sorted((folder / "backgrounds").glob(pattern))
    chosen = [path for i, path in enumerate(paths) if (i % BACKGROUND_PERIOD == 0) == held_out]
    return [picture for path in chosen if (picture := cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) is not None]
