"""Measure all scores: photographs, digit sets, the suite, pictures without a digit, speed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import FILES, Mnist, load_mnist
from convert.evaluation.calibration import calibration_error
from edge.handwriting import rendering
from edge.model.classifier import Model
from edge.reading.evaluation import load_labelled, only_digits
from edge.reading.reader import Analysis, Reader
from edge.types import Pixels
from tests.scoreboard.base_pages import photograph
from tests.scoreboard.contact_sheet import tile
from tests.scoreboard.digit_sets import SOURCES, DigitSet, load_digits
from tests.scoreboard.no_digits import KINDS, pictures_without_digits
from tests.scoreboard.suite import CONDITIONS, STRENGTHS, suite_pages
from tests.scoreboard.tally import Outcome, Tally, tally

PHOTOS = ("single", "multi")
"""The sets of photographs, folders under ``photos/``."""
SHOWN = 24
"""Most misread pictures on the contact sheet of one set."""
CHUNK = 500
"""Glyphs that the model classifies in one call."""
Progress = Callable[[str], None]
"""Called with the name of each set before it is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class ReaderScore:
    """The score of the reader on one set."""

    tally: Tally
    misread: tuple[Pixels, ...]
    """Tiles for a contact sheet."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """All scores. Sets that are missing from the data folder are missing here."""

    model: str
    model_bytes: int
    photos: dict[str, ReaderScore]
    """By set: single, multi."""
    through_reader: dict[str, ReaderScore]
    """Sets of single digits through the reader."""
    through_model: dict[str, ModelScore]
    """The same, and MNIST's test images, through the model alone."""
    suite: dict[str, tuple[ReaderScore, ...]]
    """By condition: one for each strength."""
    without_digits: dict[str, ReaderScore]
    """By kind: pictures without a digit; ``exact`` is the share in which none is read."""
    page_ms: float
    """Median milliseconds of a reading of six digits on 640 x 480 pixels, in memory."""
    photo_ms: float
    """The same on 4000 x 3000 pixels."""

    @property
    def pooled_calibration_error(self) -> float | None:
        """Expected calibration error over all pictures that the model classified; None where there are none."""
        if not self.through_model:
            return None
        sets = self.through_model.values()
        return calibration_error(
            np.concatenate([one.confidence for one in sets]), np.concatenate([one.right for one in sets])
        )

    @property
    def false_share(self) -> float:
        """Share of pictures without a digit in which one is read, over all kinds, 0 to 1."""
        pictures = sum(one.tally.pictures for one in self.without_digits.values())
        return sum((1 - one.tally.exact) * one.tally.pictures for one in self.without_digits.values()) / max(
            pictures, 1
        )


def measure(
    reader: Reader, folder: Path, *, pages: int, per_kind: int, seed: int, on_set: Progress, limit: int | None = None
) -> Scores:
    """All scores, with ``pages`` pages of each condition at each strength and ``per_kind`` pictures without a digit.

    Of each digit set the first ``limit`` pictures, or all. Raises DataError where a set is damaged.
    """
    photos = {}
    for name in PHOTOS:
        labels = folder / "photos" / name / "labels.csv"
        if labels.exists():
            on_set(f"photos/{name}")
            photos[name] = score_reader(reader, ((frame.pixels, text) for frame, text in load_labelled(labels)))
    mnist = _load_mnist(folder)
    found, judged = {}, {}
    if mnist:
        on_set("MNIST")
        judged["MNIST test"] = score_model(
            reader.model, mnist.test[:limit], mnist.test_labels[:limit], mnist.test[:limit]
        )
    for source in SOURCES:
        digits = load_digits(folder, source)
        if digits:
            on_set(source.name)
            digits = DigitSet(digits.name, digits.pictures[:limit], digits.labels[:limit], digits.light_ink)
            found[source.name] = score_reader(
                reader, zip(digits.frames(), map(str, digits.labels.tolist()), strict=True)
            )
            judged[source.name] = score_model(reader.model, digits.glyphs(), digits.labels, digits.pictures)
    conditions: dict[str, tuple[ReaderScore, ...]] = {}
    kinds = {}
    if mnist:
        for name in CONDITIONS:
            on_set(name)
            conditions[name] = tuple(
                score_reader(reader, _pages(mnist, seed, pages, name, strength), SHOWN // len(STRENGTHS))
                for strength in STRENGTHS
            )
        for kind in KINDS:
            on_set(kind)
            pictures = pictures_without_digits(mnist.test, mnist.test_labels, seed, per_kind, [kind])
            kinds[kind] = score_reader(reader, ((pixels, "") for _, pixels in pictures))
    on_set("speed")
    page = six_digits(seed)
    return Scores(
        model=reader.model.name,
        model_bytes=reader.model.path.stat().st_size,
        photos=photos,
        through_reader=found,
        through_model=judged,
        suite=conditions,
        without_digits=kinds,
        page_ms=median_milliseconds(reader, page, 1001),
        photo_ms=median_milliseconds(reader, cv2.resize(page, (4000, 3000), interpolation=cv2.INTER_CUBIC), 11),
    )


def score_reader(reader: Reader, pictures: Iterable[tuple[Pixels, str]], shown: int = SHOWN) -> ReaderScore:
    """The reader's score on pictures with what is written on them; with up to ``shown`` tiles of those misread."""
    outcomes: list[Outcome] = []
    misread: list[Pixels] = []
    for pixels, truth in pictures:
        analysis = reader.analyse(pixels)
        outcome = Outcome(truth, analysis.reading.text, analysis.reading.elapsed_ms)
        outcomes.append(outcome)
        if not outcome.right and len(misread) < shown:
            misread.append(
                tile(
                    pixels,
                    truth,
                    analysis.reading.text or str(analysis.reading.reason),
                    _labelled_glyphs(reader, analysis),
                )
            )
    return ReaderScore(tally(outcomes), tuple(misread))


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


def six_digits(seed: int) -> Pixels:
    """An ordinary page, (480, 640), of six generated digits."""
    rng = np.random.default_rng(seed)
    ink, _ = rendering.page(("307", "528"), 480, 640, rng)
    return photograph(rng, ink)


def _pages(mnist: Mnist, seed: int, pages: int, name: str, strength: int) -> Iterator[tuple[Pixels, str]]:
    for case in suite_pages(mnist.test, mnist.test_labels, seed, pages, [name], [strength]):
        yield case.pixels, only_digits(case.truth)


def _load_mnist(folder: Path) -> Mnist | None:
    """MNIST under the data folder, or None where it is missing."""
    place = folder / "mnist"
    return load_mnist(str(place)) if any(place.glob(f"{FILES[-1]}*")) else None


def _labelled_glyphs(reader: Reader, analysis: Analysis) -> list[tuple[Pixels, str]]:
    """The glyphs of a reading, each with its best class and probability."""
    names = reader.model.card.labels
    return [
        (glyph.pixels, f"{names[int(row.argmax())]} {row.max():.2f}")
        for glyph, row in zip(analysis.glyphs, analysis.probabilities, strict=True)
    ]
