"""Samples for the belief: what the reader finds on generated pages, and whether each is a digit.

Nothing here needs a belief: pages are cleaned and candidates found as the reader does it, in the true polarity and in
some pages in the wrong one too, and doubtful candidates are also taken in other ways. The truth is the page's ink map.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.data.mnist import load_mnist
from convert.samples.scenes import Page, Writers, generate_page
from convert.system.workers import Job, workers
from convert.training.ink_map import KINDS, LEFT_OUT, NO_DIGIT, InkMap
from edge.errors import ModelError
from edge.model.classifier import Model
from edge.reading.belief import ViewNetwork
from edge.reading.candidates import Candidate, Classifier
from edge.reading.evidence import (
    NAMES,
    SEVERAL,
    VIEW,
    Look,
    Surroundings,
    evidence,
    is_hopeless,
    looked_at,
)  # fmt: skip
from edge.reading.finding import Sorter, find_candidates
from edge.reading.hypotheses import hypotheses
from edge.reading.passes import MOST, replaced
from edge.system.stopwatch import Stopwatch
from edge.vision.clean import Cleaned, clean
from edge.vision.segment import Segments
from edge.vision.settings import VisionSettings

CUT, JOINED, NEGATIVE = (KINDS.index(kind) for kind in ("cut", "joined", "wrong polarity"))
SAMPLE = np.dtype(
    [
        ("view", np.uint8, (VIEW, VIEW, 2)),
        ("evidence", np.float32, (len(NAMES),)),
        ("looked_at", np.bool_),
        ("digit", np.int8),
        ("truth", np.int8),
        ("kind", np.int8),
    ]
)
"""One sample: its view; its evidence; whether the reader looks at its view; the digit that the classifier names; what
it is: a digit, SEVERAL or NO_DIGIT; and its place in KINDS."""
Samples = NDArray[np.void]
"""(n,) of SAMPLE."""

SURE = 0.9
"""A candidate with less likeness than this, 0 to 1, is also taken in other ways, and so is each that is several digits.
Chosen: as the reader's belief."""
WIDE = 1.1
"""Half of those that are this many times as wide as they are tall are too: they may be two digits. Chosen."""
ANY_SHARE = 0.06
"""This share, 0 to 1, of all others is too. Chosen: a sure digit must be seen cut as well."""
MOST_DOUBTS = 7
"""At most this many others of a page are taken in other ways. Chosen: a page of words has hundreds."""
NEGATIVE_SHARE = 0.3
"""Share of the pages, 0 to 1, that are read in the wrong polarity too. Chosen."""
MOST_NEGATIVE = 25
"""At most this many candidates of such a page are samples. Chosen: they are much alike."""
PAGES_A_JOB = 250
"""A process makes at most this many pages, so that progress is seen. Chosen: half a minute."""


@dataclass(frozen=True, slots=True)
class Pages:
    """A set of generated pages."""

    count: int
    seed: Sequence[int]
    """Page n has the seed [*seed, n]."""
    held_out: bool
    """Whether the writers who are held out wrote them, or all others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files are that samples are made of."""

    model: Path
    """The classifier, a .tflite."""
    marks: Path
    """A folder of handwriting as strokes."""
    mnist: str | None
    """As ``load_mnist`` takes it."""
    network: bytes = b""
    """The network that looks at views, a .tflite; empty: evidence lacks what it says of views."""

    def writers(self, held_out: bool) -> Writers:
        """Those who write the pages. Raises DataError."""
        return Writers.load(self.marks, load_mnist(self.mnist), held_out=held_out)

    def check(self) -> None:
        """Raise ModelError or DataError if something cannot be used: better before the long work than in it."""
        with Model(self.model) as model:
            if None not in model.card.digits:
                raise ModelError(f"{self.model}: knows only digits; give one that edge-train made, with a class none")
        for held_out in (False, True):
            self.writers(held_out)


class _Seen(NamedTuple):
    """What the reader finds on a page."""

    segments: Segments
    candidates: Sequence[Candidate]
    around: Surroundings


def samples_of(page: Page, classify: Classifier, rng: np.random.Generator, look: Look | None = None) -> Samples:
    """All samples of one page: its candidates, other ways to take some of them, and perhaps its negative."""
    cleaned = clean(page.pixels, VisionSettings(), light_ink=page.light_ink)
    found = _found(cleaned, classify, look)
    parts = list(_of_found(page, found, classify, rng, look))
    if found.segments.unsure:
        # As the reader does: what was removed may not be rules.
        found = _found(cleaned, classify, look, ruled_lines=False)
        parts += _of_found(page, found, classify, rng, look)
    if rng.uniform() < NEGATIVE_SHARE:
        parts.append(_of_negative(page, classify, look))
    return np.concatenate([np.zeros(0, SAMPLE), *parts])


def _of_found(
    page: Page, found: _Seen, classify: Classifier, rng: np.random.Generator, look: Look | None
) -> Iterator[Samples]:
    _, candidates, around = found
    if not candidates:
        return
    ink_map = InkMap.of(page, (around.height, around.width))
    truths = [ink_map.truth(one) for one in candidates]
    yield _samples(candidates, range(len(candidates)), around, truths)
    if len(candidates) > MOST:
        return
    for one in _doubtful(candidates, truths, rng):
        # Wrong cuts must be seen too, so also what is surely not several digits is cut.
        for way in hypotheses(candidates, one, classify, around, look, several=0):
            if len(way.candidates) == len(way.instead_of) == 1:
                # Turned upright: where its ink was cannot be said.
                continue
            kind = CUT if len(way.candidates) > 1 else JOINED
            changed, places = replaced(candidates, way)
            changed = looked_at(changed, around, look) if look else changed
            yield _samples(changed, places, around, [(ink_map.truth(changed[i])[0], kind) for i in places])


def _of_negative(page: Page, classify: Classifier, look: Look | None) -> Samples:
    """Candidates of the page in the wrong polarity: none is a digit."""
    cleaned = clean(page.pixels, VisionSettings(), light_ink=not page.light_ink)
    _, candidates, around = _found(cleaned, classify, look)
    ink_map = InkMap.of(page, (around.height, around.width))
    places = range(min(len(candidates), MOST_NEGATIVE))
    # A display on the page may be the other way round.
    truths = [LEFT_OUT if ink_map.truth(candidates[i])[0] == LEFT_OUT else NO_DIGIT for i in places]
    return _samples(candidates, places, around, [(truth, NEGATIVE) for truth in truths])


def _found(cleaned: Cleaned, classify: Classifier, look: Look | None, *, ruled_lines: bool = True) -> _Seen:
    segments, candidates = find_candidates(cleaned, Sorter(cleaned, classify), ruled_lines=ruled_lines)
    around = Surroundings(cleaned, segments)
    return _Seen(segments, looked_at(candidates, around, look) if look else candidates, around)


def _doubtful(
    candidates: Sequence[Candidate], truths: Sequence[tuple[int, int]], rng: np.random.Generator
) -> Iterator[Candidate]:
    left = MOST_DOUBTS
    for one, (truth, _) in zip(candidates, truths, strict=True):
        draw = rng.uniform()
        is_wide = one.box.width > WIDE * one.box.height
        if truth == SEVERAL:
            yield one
        elif left and (one.likeness < SURE or draw < (0.5 if is_wide else ANY_SHARE)):
            left -= 1
            yield one


def _samples(
    candidates: Sequence[Candidate], places: Sequence[int], around: Surroundings, truths: Sequence[tuple[int, int]]
) -> Samples:
    places = [i for i, (truth, _) in zip(places, truths, strict=True) if truth != LEFT_OUT]
    truths = [truth for truth in truths if truth[0] != LEFT_OUT]
    samples = np.zeros(len(places), SAMPLE)
    samples["evidence"] = evidence(candidates, around, places)
    for sample, i, (truth, kind) in zip(samples, places, truths, strict=True):
        one = candidates[i]
        sample["view"], sample["looked_at"] = around.view(one), not is_hopeless(one)
        sample["digit"], sample["truth"], sample["kind"] = one.digit, truth, kind
    return samples


def make(place: Place, pages: Pages, first: int, end: int) -> Samples:
    """The samples of the pages ``first`` to ``end`` - 1."""
    writers = place.writers(pages.held_out)
    parts = []
    look = ViewNetwork(place.network, "network").look if place.network else None
    with Model(place.model) as model:
        classify = Classifier(model, VisionSettings().interpolation, Stopwatch())
        for n in range(first, end):
            seed = [*pages.seed, n]
            parts.append(samples_of(generate_page(writers, seed), classify, np.random.default_rng([*seed, 1]), look))
    return np.concatenate(parts)


def collect(place: Place, pages: Pages, on_pages: Callable[[int], None]) -> Samples:
    """The samples of all pages, the same whatever the number of cores; ``on_pages`` gets how many more are done."""
    cores = os.cpu_count() or 1
    size = min(PAGES_A_JOB, -(-pages.count // cores))
    ends = [(first, min(first + size, pages.count)) for first in range(0, pages.count, size)]
    parts: list[Samples] = []
    with workers(cores) as pool:
        running: deque[tuple[Job, int]] = deque()

        def finish() -> None:
            job, done = running.popleft()
            parts.append(job.result())
            on_pages(done)

        for first, end in ends:
            if len(running) == cores:
                finish()
            running.append((pool.submit(make, place, pages, first, end), end - first))
        while running:
            finish()
    return np.concatenate(parts)
