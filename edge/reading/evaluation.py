"""Score a reader on labelled photographs: exact readings, character error rate, time."""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge.errors import DataError
from edge.images import load
from edge.reading.reader import Reader
from edge.types import Frame


@dataclass(frozen=True, slots=True)
class Score:
    """The result of reading one set of labelled photographs."""

    exact: float
    """Share of photographs read without a mistake, 0 to 1."""
    error_rate: float
    """Character error rate: wrong, missing and invented digits over true digits; 0 is perfect."""
    milliseconds: float
    """Median time of a reading."""
    by_person: float | None = None
    """Mean over people of the share of each one's that were read without a mistake, 0 to 1. None: not known whose."""


class Photograph(NamedTuple):
    """A photograph with the digits that are written on it."""

    frame: Frame
    text: str
    person: str = ""
    """Whose it is; empty: not known."""


Labelled = Sequence[Photograph]


def load_labelled(labels: Path) -> Labelled:
    """The photographs of a CSV file with the columns ``file`` (beside the CSV file) and ``text``, with their digits.

    A column ``person`` may say whose they are. Raises DataError, or ImageError for a photograph that cannot be read.
    """
    try:
        with labels.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{labels}: cannot be read ({reason}); name a CSV file with the columns file and text"
        ) from error
    if not rows or not {"file", "text"} <= set(rows[0]):
        raise DataError(f"{labels}: has no rows with the columns file and text")
    return [
        Photograph(
            Frame(load(labels.parent / row["file"]), row["file"]), only_digits(row["text"]), row.get("person") or ""
        )
        for row in rows
    ]


def only_digits(text: str | None) -> str:
    """The digits of a text, without line breaks, blanks and other characters."""
    return "".join(char for char in text or "" if char.isdigit())


def edits(found: str, truth: str) -> tuple[int, int]:
    """Edit distance (Levenshtein 1966), and how many of the edits correct a false reading, not a missing one.

    Of all ways with the fewest edits, the one with the fewest false readings counts.
    """
    row = [(n, 0) for n in range(len(truth) + 1)]
    for i, char in enumerate(found, 1):
        above, row[0] = row[0], (i, i)
        for j, wanted in enumerate(truth, 1):
            wrong = int(char != wanted)
            choices = (
                (above[0] + wrong, above[1] + wrong),
                (row[j][0] + 1, row[j][1] + 1),
                (row[j - 1][0] + 1, row[j - 1][1]),
            )
            above, row[j] = row[j], min(choices)
    return row[-1]


def score(reader: Reader, photographs: Labelled) -> Score:
    """Read the photographs and score the readings."""
    wrong = 0
    exact: dict[str, list[bool]] = {}
    times = []
    for frame, text, person in photographs:
        started = time.perf_counter()
        found = only_digits(reader.read(frame).text)
        times.append(time.perf_counter() - started)
        exact.setdefault(person, []).append(found == text)
        wrong += edits(found, text)[0]
    total = sum(len(text) for _, text, _ in photographs)
    return Score(
        sum(map(sum, exact.values())) / len(photographs),
        wrong / max(total, 1),
        statistics.median(times) * 1000,
        None if set(exact) == {""} else statistics.mean(map(statistics.mean, exact.values())),
    )
