"""Everything that the scoreboard measures: photographs, digit sets, the suite, pictures of nothing, speed."""

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
from tests.scoreboard.nothing import KINDS, nothing
from tests.scoreboard.pages import shot
from tests.scoreboard.sets import SOURCES, DigitSet, load_digits
from tests.scoreboard.sheets import tile
from tests.scoreboard.suite import CONDITIONS, STRENGTHS, suite
from tests.scoreboard.tally import Outcome, Tally, tally

PHOTOS = ("single", "multi")
SHOWN = 24
"""Misread pictures of one set on its contact sheet at most."""
CHUNK = 500
"""Glyphs that the model is given at once."""
Told = Callable[[str], None]
"""Hears of each set before it is read."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A set that went through the reader."""

    tally: Tally
    misread: tuple[Pixels, ...]
    """Tiles for a contact sheet."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A set whose pictures went to the model as one mark each."""

    pictures: int
    accuracy: float
    """Share whose best digit is right, 0 to 1; a class that is no digit is left out of the choice."""
    confidence: NDArray[np.float32]
    """(n,): probability of the best class of all."""
    right: NDArray[np.bool_]
    """(n,): whether that class is the right digit."""
    misread: tuple[Pixels, ...]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0 to 1."""
        return calibration_error(self.confidence, self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The whole scoreboard. What is missing from the data folder is missing here."""

    model: str
    model_bytes: int
    photos: dict[str, Read]
    """By set: single, multi."""
    read: dict[str, Read]
    """Sets of single digits through the reader."""
    judged: dict[str, Judged]
    """The same, and MNIST's test images, through the model alone."""
    suite: dict[str, tuple[Read, ...]]
    """By condition: one for each strength."""
    nothing: dict[str, Read]
    """By kind: pictures without a digit; ``exact`` is the share in which none is read."""
    page_ms: float
    """Six digits on 640 x 480 pixels, in memory: median."""
    photo_ms: float
    """The same on 4000 x 3000 pixels."""

    @property
    def pooled_calibration_error(self) -> float | None:
        """Over all pictures of all sets that went to the model; None where there is none."""
        if not self.judged:
            return None
        sets = self.judged.values()
        return calibration_error(
            np.concatenate([one.confidence for one in sets]), np.concatenate([one.right for one in sets])
        )

    @property
    def false_share(self) -> float:
        """Share of pictures without a digit in which one is read, over all kinds, 0 to 1."""
        pictures = sum(one.tally.pictures for one in self.nothing.values())
        return sum((1 - one.tally.exact) * one.tally.pictures for one in self.nothing.values()) / max(pictures, 1)


def measure(
    reader: Reader, folder: Path, *, pages: int, per_kind: int, seed: int, told: Told, limit: int | None = None
) -> Scores:
    """All of it, with ``pages`` pages of each condition at each strength and ``per_kind`` pictures of nothing.

    Of each digit set the first ``limit`` pictures, or all. Raises DataError where a set is there, but damaged.
    """
    photos = {}
    for name in PHOTOS:
        labels = folder / "photos" / name / "labels.csv"
        if labels.exists():
            told(f"photos/{name}")
            photos[name] = read(reader, ((frame.pixels, text) for frame, text in load_labelled(labels)))
    mnist = _mnist(folder)
    found, judged = {}, {}
    if mnist:
        told("MNIST")
        judged["MNIST test"] = judge(reader.model, mnist.test[:limit], mnist.test_labels[:limit], mnist.test[:limit])
    for source in SOURCES:
        digits = load_digits(folder, source)
        if digits:
            told(source.name)
            digits = DigitSet(digits.name, digits.pictures[:limit], digits.labels[:limit], digits.light_ink)
            found[source.name] = read(reader, zip(digits.frames(), map(str, digits.labels.tolist()), strict=True))
            judged[source.name] = judge(reader.model, digits.glyphs(), digits.labels, digits.pictures)
    conditions: dict[str, tuple[Read, ...]] = {}
    kinds = {}
    if mnist:
        for name in CONDITIONS:
            told(name)
            conditions[name] = tuple(
                read(reader, _pages(mnist, seed, pages, name, strength), SHOWN // len(STRENGTHS))
                for strength in STRENGTHS
            )
        for kind in KINDS:
            told(kind)
            pictures = nothing(mnist.test, mnist.test_labels, seed, per_kind, [kind])
            kinds[kind] = read(reader, ((pixels, "") for _, pixels in pictures))
    told("speed")
    page = six_digits(seed)
    return Scores(
        model=reader.model.name,
        model_bytes=reader.model.path.stat().st_size,
        photos=photos,
        read=found,
        judged=judged,
        suite=conditions,
        nothing=kinds,
        page_ms=speed(reader, page, 1001),
        photo_ms=speed(reader, cv2.resize(page, (4000, 3000), interpolation=cv2.INTER_CUBIC), 11),
    )


def read(reader: Reader, pictures: Iterable[tuple[Pixels, str]], shown: int = SHOWN) -> Read:
    """Each picture with what is written on it, read; and up to ``shown`` tiles of those misread."""
    outcomes: list[Outcome] = []
    misread: list[Pixels] = []
    for pixels, truth in pictures:
        analysis = reader.analyse(pixels)
        outcome = Outcome(truth, analysis.reading.text, analysis.reading.elapsed_ms)
        outcomes.append(outcome)
        if not outcome.right and len(misread) < shown:
            misread.append(
                tile(pixels, truth, analysis.reading.text or str(analysis.reading.reason), _seen(reader, analysis))
            )
    return Read(tally(outcomes), tuple(misread))


def judge(model: Model, glyphs: Pixels, labels: NDArray[np.uint8], pictures: Pixels) -> Judged:
    """Glyphs (n, 28, 28), labels (n,) and the pictures they came from, classified by the model alone."""
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
    return Judged(
        pictures=len(glyphs),
        accuracy=float((values[best] == labels).mean()),
        confidence=probabilities[rows, top],
        right=values[top] == labels,
        misread=tuple(misread),
    )


def speed(reader: Reader, page: Pixels, times: int) -> float:
    """Median milliseconds of a reading of this page, after some to warm up."""
    for _ in range(3):
        reader.read(page)
    return statistics.median(reader.read(page).elapsed_ms for _ in range(times))


def six_digits(seed: int) -> Pixels:
    """An ordinary page, (480, 640), of six digits that nobody wrote."""
    rng = np.random.default_rng(seed)
    ink, _ = rendering.page(("307", "528"), 480, 640, rng)
    return shot(rng, ink)


def _pages(mnist: Mnist, seed: int, pages: int, name: str, strength: int) -> Iterator[tuple[Pixels, str]]:
    for case in suite(mnist.test, mnist.test_labels, seed, pages, [name], [strength]):
        yield case.pixels, only_digits(case.truth)


def _mnist(folder: Path) -> Mnist | None:
    """MNIST under the data folder, or None where it is missing."""
    place = folder / "mnist"
    return load_mnist(str(place)) if any(place.glob(f"{FILES[-1]}*")) else None


def _seen(reader: Reader, analysis: Analysis) -> list[tuple[Pixels, str]]:
    """The glyphs of a reading, each with its best class and probability."""
    names = reader.model.card.labels
    return [
        (glyph.pixels, f"{names[int(row.argmax())]} {row.max():.2f}")
        for glyph, row in zip(analysis.glyphs, analysis.probabilities, strict=True)
    ]
