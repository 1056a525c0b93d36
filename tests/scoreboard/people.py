"""Photographs of people that nothing was fitted on: exact for all, for those that are not hard, and by person."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from edge.errors import DataError
from edge.images import load
from edge.reading.evaluation import only_digits
from edge.reading.reader import Reader
from edge.types import Pixels
from tests.scoreboard.scoring import Read, ReaderScore, read, total
from tests.scoreboard.tally import Tally, tally


@dataclass(frozen=True, slots=True)
class Photo:
    """One row of a labels.csv."""

    name: str
    """Of the file."""
    text: str
    """The digits that are written there."""
    hard: bool
    """Whether a careful person hesitates."""

    @property
    def person(self) -> str:
        """Whose picture it is: the part of the file's name before ``__``."""
        return self.name.partition("__")[0]


@dataclass(frozen=True, slots=True, eq=False)
class PeopleScore:
    """The score of the reader on one set of photographs."""

    whole: ReaderScore
    easy: Tally | None
    """Of those that are not hard; None where all are."""
    people: dict[str, Tally]
    """By person, in the order of their names."""
    readings: tuple[tuple[Photo, str], ...]
    """Each photograph, and the text that was read in it."""

    @property
    def mean_over_people(self) -> float:
        """Mean of the shares that were read without a mistake of each person, 0 to 1."""
        return mean(one.exact for one in self.people.values())


def listed_photos(labels: Path) -> list[Photo]:
    """The rows of a labels.csv with the columns ``file``, ``text`` and, where there is one, ``hard``.

    Raises DataError.
    """
    try:
        with labels.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{labels}: cannot be read ({error}); fetch it again") from error
    if not rows or not {"file", "text"} <= set(rows[0]):
        raise DataError(f"{labels}: has no rows with the columns file and text")
    return [Photo(row["file"], only_digits(row["text"]), row.get("hard") == "1") for row in rows]


def score_people(reader: Reader, labels: Path, times: int = 1) -> PeopleScore:
    """Read the photographs of a labels.csv, each ``times`` times. Raises DataError, ImageError."""
    photos = listed_photos(labels)
    reads = [
        read(reader, pixels, photo.text, times=times)
        for photo, pixels in zip(photos, _pictures(labels.parent, photos), strict=True)
    ]
    by_person: dict[str, list[Read]] = {}
    for photo, one in zip(photos, reads, strict=True):
        by_person.setdefault(photo.person, []).append(one)
    easy = [one.outcome for photo, one in zip(photos, reads, strict=True) if not photo.hard]
    return PeopleScore(
        total(reads, len(reads)),
        tally(easy) if easy else None,
        {person: tally(one.outcome for one in by_person[person]) for person in sorted(by_person)},
        tuple((photo, one.outcome.found) for photo, one in zip(photos, reads, strict=True)),
    )


def _pictures(folder: Path, photos: list[Photo]) -> Iterator[Pixels]:
    for photo in photos:
        yield load(folder / photo.name)
