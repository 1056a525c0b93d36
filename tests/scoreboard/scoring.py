"""Score the reader or the model alone on one set of pictures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.evaluation.calibration import calibration_error
from edge.model.classifier import Model
from edge.reading.evaluation import only_digits
from edge.reading.reader import Analysis, Reader
from edge.types import Box, Pixels
from tests.scoreboard.belief import Belief, belief, pooled
from tests.scoreboard.contact_sheet import tile
from tests.scoreboard.tally import Outcome, Tally, tally

SHOWN = 24
"""Most misread pictures on the contact sheet of one set."""
CHUNK = 500
"""Glyphs that the model classifies in one call."""
NOTHING_READ = pooled(())


@dataclass(frozen=True, slots=True, eq=False)
class ReaderScore:
    """The score of the reader on one set."""

    tally: Tally
    misread: tuple[Pixels, ...]
    """Tiles for a contact sheet."""
    belief: Belief = NOTHING_READ
    """The digits that were read, and which of them are right."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One picture that was read."""

    outcome: Outcome
    confidence: tuple[float, ...]
    """Of each digit that was read."""
    tile: Pixels | None
    """For a contact sheet; None if it was read without a mistake, or no tile was wanted."""
    boxes: tuple[Box, ...] = ()
    """Where the digits that were read are."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelScore:
    """The score of the model alone on one set, each picture taken as one mark."""

    pictures: int
    accuracy: float
    """Share whose best digit is right, 0 to 1; classes that are no digit do not take part."""
    confidence: NDArray[np.float32]
    """(n,): probability of the best of all classes."""
    right: NDArray[np.bool_]
    """(n,): whether that class is the right digit."""
    misread: tuple[Pixels, ...]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0 to 1."""
        return calibration_error(self.confidence, self.right)


def score_reader(reader: Reader, pictures: Iterable[tuple[Pixels, str]], shown: int = SHOWN) -> ReaderScore:
    """The reader's score on pictures with what is written on them; with up to ``shown`` tiles of those misread."""
    reads: list[Read] = []
    left = shown
    for pixels, truth in pictures:
        reads.append(read(reader, pixels, truth, with_tile=left > 0))
        left -= reads[-1].tile is not None
    return total(reads, shown)


def read(reader: Reader, pixels: Pixels, truth: str, *, times: int = 1, with_tile: bool = True) -> Read:
    """One picture read, with the median time of ``times`` readings."""
    analysis = reader.analyse(pixels)
    reading = analysis.reading
    took = [reading.elapsed_ms, *(reader.read(pixels).elapsed_ms for _ in range(times - 1))]
    outcome = Outcome(truth, reading.text, statistics.median(took), bool(reading.unread))
    return Read(
        outcome,
        tuple(digit.confidence for digit in reading.digits),
        None if outcome.right or not with_tile else show(reader, pixels, truth, analysis),
        tuple(digit.box for digit in reading.digits),
    )


def total(reads: Sequence[Read], shown: int = SHOWN) -> ReaderScore:
    """The score of at least one picture that was read; with up to ``shown`` tiles of those misread."""
    return ReaderScore(
        tally(one.outcome for one in reads),
        tuple([one.tile for one in reads if one.tile is not None][:shown]),
        belief((only_digits(one.outcome.found), only_digits(one.outcome.truth), one.confidence) for one in reads),
    )


def show(reader: Reader, pixels: Pixels, truth: str, analysis: Analysis) -> Pixels:
    """A tile for a contact sheet: the picture, what is written, what was read, what the model saw."""
    answer = analysis.reading.text or str(analysis.reading.reason)
    return tile(pixels, truth, answer, _labelled_glyphs(reader, analysis))


def score_model(model: Model, glyphs: Pixels, labels: NDArray[np.uint8], pictures: Pixels) -> ModelScore:
    """The model's score on glyphs (n, 28, 28) with labels (n,); ``pictures`` are shown where it is wrong."""
    parts = [model.predict(glyphs[i : i + CHUNK]) for i in range(0, len(glyphs), CHUNK)]
    probabilities = np.concatenate(parts)
    names = model.card.labels
    are_digits = [i for i, digit in enumerate(model.card.digits) if digit is not None]
    values = np.array([-1 if digit is None else digit for digit in model.card.digits])
    rows = np.arange(len(glyphs))
    best = np.array(are_digits)[probabilities[:, are_digits].argmax(axis=1)]
    top = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(values[best] != labels)[:SHOWN]
    misread = [
        tile(pictures[i], str(labels[i]), f"{names[best[i]]} {probabilities[i, best[i]]:.2f}",
             [(glyphs[i], f"{names[top[i]]} {probabilities[i, top[i]]:.2f}")])
        for i in wrong
    ]  # fmt: skip
    return ModelScore(
        pictures=len(glyphs),
        accuracy=float((values[best] == labels).mean()),
        confidence=probabilities[rows, top],
        right=values[top] == labels,
        misread=tuple(misread),
    )


def median_milliseconds(reader: Reader, page: Pixels, times: int) -> float:
    """Median milliseconds of ``times`` readings of this page, after three to warm up."""
    for _ in range(3):
        reader.read(page)
    return statistics.median(reader.read(page).elapsed_ms for _ in range(times))


def _labelled_glyphs(reader: Reader, analysis: Analysis) -> list[tuple[Pixels, str]]:
    """The glyphs of a reading, each with its best class and probability."""
    names = reader.model.card.labels
    return [
        (glyph.pixels, f"{names[int(row.argmax())]} {row.max():.2f}")
        for glyph, row in zip(analysis.glyphs, analysis.probabilities, strict=True)
    ]
