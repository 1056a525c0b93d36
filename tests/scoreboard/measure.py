"""Measure all scores: photographs, digit sets, the suite, pictures without a digit, what is unseen, speed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from convert.data.mnist import FILES, Mnist, load_mnist
from convert.evaluation.calibration import calibration_error
from edge.handwriting import rendering
from edge.reading.evaluation import load_labelled, only_digits
from edge.reading.reader import Reader
from edge.types import Pixels
from tests.scoreboard.base_pages import photograph
from tests.scoreboard.belief import Belief, pooled
from tests.scoreboard.digit_sets import SOURCES, DigitSet, load_digits
from tests.scoreboard.no_digits import KINDS, pictures_without_digits
from tests.scoreboard.scoring import SHOWN, ModelScore, ReaderScore, median_milliseconds, score_model, score_reader
from tests.scoreboard.suite import CONDITIONS, STRENGTHS, suite_pages
from tests.scoreboard.unseen import Extent, Progress, Unseen, measure_unseen

PHOTOS = ("single", "multi")
"""The sets of photographs, folders under ``photos/``."""


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
    unseen: Unseen
    """People, kinds and marks that nothing was fitted on."""
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
    def beliefs(self) -> dict[str, Belief]:
        """The digits that were read, by kind of picture; kinds in which none was read are missing."""
        unseen = self.unseen
        kinds: dict[str, Iterable[ReaderScore]] = {
            "photographs": [*self.photos.values(), *(one.whole for one in unseen.people.values())],
            "situations": [unseen.situations] if unseen.situations else [],
            "situations made anew": [one for reads in unseen.made.values() for one in reads],
            "single digits": self.through_reader.values(),
            "conditions, pictures without a digit": [
                *(one for reads in self.suite.values() for one in reads), *self.without_digits.values(),
            ],
            "symbols, letters and words": [*(one.score for one in unseen.among.values()), *unseen.words.values()],
        }  # fmt: skip
        found = {name: pooled(one.belief for one in listed) for name, listed in kinds.items()}
        return {name: one for name, one in found.items() if len(one)}

    @property
    def pooled_belief(self) -> Belief:
        """The digits that were read in all pictures."""
        return pooled(self.beliefs.values())

    @property
    def false_share(self) -> float:
        """Share of pictures without a digit in which one is read, over all kinds, 0 to 1."""
        pictures = sum(one.tally.pictures for one in self.without_digits.values())
        return sum((1 - one.tally.exact) * one.tally.pictures for one in self.without_digits.values()) / max(
            pictures, 1
        )


def measure(
    reader: Reader,
    folder: Path,
    *,
    pages: int,
    per_kind: int,
    seed: int,
    on_set: Progress,
    limit: int | None = None,
    quick: bool = False,
) -> Scores:
    """All scores, with ``pages`` pages of each condition at each strength and ``per_kind`` pictures without a digit.

    Of each digit set the first ``limit`` pictures, or all. ``quick``: photographs and what is unseen only, with few
    pages. Raises DataError where a set is damaged.
    """
    photos = {}
    for name in PHOTOS:
        labels = folder / "photos" / name / "labels.csv"
        if labels.exists():
            on_set(f"photos/{name}")
            photos[name] = score_reader(reader, ((frame.pixels, text) for frame, text, _ in load_labelled(labels)))
    found: dict[str, ReaderScore] = {}
    judged: dict[str, ModelScore] = {}
    conditions: dict[str, tuple[ReaderScore, ...]] = {}
    kinds: dict[str, ReaderScore] = {}
    if not quick:
        mnist = _load_mnist(folder)
        found, judged = _digit_sets(reader, folder, mnist, limit, on_set)
        if mnist:
            conditions, kinds = _generated(reader, mnist, pages, per_kind, seed, on_set)
    much = Extent(pages=2, words=20, every=10, times=1) if quick else Extent(pages, per_kind, 1, 3)
    unseen = measure_unseen(reader, folder, seed, much, on_set)
    on_set("speed")
    page = six_digits(seed)
    times = (101, 3) if quick else (1001, 11)
    return Scores(
        model=reader.model.name,
        model_bytes=reader.model.path.stat().st_size,
        photos=photos,
        through_reader=found,
        through_model=judged,
        suite=conditions,
        without_digits=kinds,
        unseen=unseen,
        page_ms=median_milliseconds(reader, page, times[0]),
        photo_ms=median_milliseconds(reader, cv2.resize(page, (4000, 3000), interpolation=cv2.INTER_CUBIC), times[1]),
    )


def _digit_sets(
    reader: Reader, folder: Path, mnist: Mnist | None, limit: int | None, on_set: Progress
) -> tuple[dict[str, ReaderScore], dict[str, ModelScore]]:
    """The sets of single digits, through the reader and through the model."""
    found: dict[str, ReaderScore] = {}
    judged: dict[str, ModelScore] = {}
    if mnist:
        on_set("MNIST")
        glyphs, labels = mnist.test[:limit], mnist.test_labels[:limit]
        judged["MNIST test"] = score_model(reader.model, glyphs, labels, glyphs)
    for source in SOURCES:
        digits = load_digits(folder, source)
        if digits:
            on_set(source.name)
            digits = DigitSet(digits.name, digits.pictures[:limit], digits.labels[:limit], digits.light_ink)
            found[source.name] = score_reader(
                reader, zip(digits.frames(), map(str, digits.labels.tolist()), strict=True)
            )
            judged[source.name] = score_model(reader.model, digits.glyphs(), digits.labels, digits.pictures)
    return found, judged


def _generated(
    reader: Reader, mnist: Mnist, pages: int, per_kind: int, seed: int, on_set: Progress
) -> tuple[dict[str, tuple[ReaderScore, ...]], dict[str, ReaderScore]]:
    """The suite's conditions, and the pictures without a digit."""
    conditions: dict[str, tuple[ReaderScore, ...]] = {}
    for name in CONDITIONS:
        on_set(name)
        conditions[name] = tuple(
            score_reader(reader, _pages(mnist, seed, pages, name, strength), SHOWN // len(STRENGTHS))
            for strength in STRENGTHS
        )
    kinds = {}
    for kind in KINDS:
        on_set(kind)
        pictures = pictures_without_digits(mnist.test, mnist.test_labels, seed, per_kind, [kind])
        kinds[kind] = score_reader(reader, ((pixels, "") for _, pixels in pictures))
    return conditions, kinds


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
