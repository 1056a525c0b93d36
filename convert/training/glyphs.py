"""The glyphs of each epoch: MNIST's, generated handwriting, real marks, non-digits and the user's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.classes import NO_DIGIT
from convert.data.corrections import LabelledGlyphs
from convert.data.mnist import Labels, Mnist
from convert.samples import augment, marks
from convert.samples.nondigits import nondigits
from convert.system.workers import Job, Workers, workers
from edge.types import Pixels

CAMERA_SHARE = 0.35
"""Share of the MNIST glyphs of each epoch, 0 to 1, that went through the virtual camera. Chosen: the others stay
sharp, as in MNIST."""
HANDWRITTEN_SHARE = 0.6
"""Number of generated handwritten digits in each epoch, as a share of the training set."""
NONDIGIT_SHARE = 0.35
"""Number of marks that are not digits in each epoch, as a share of the training set."""
NONDIGIT_SHARE_BESIDE_MARKS = 0.17
"""The same beside letters and symbols of many writers. Chosen: those show better what is not a digit."""
OWN_SHARE = 0.06
"""Number of the user's own glyphs in each epoch, as a share of the training set: each is repeated, and varied each
time."""
MAX_OWN_REPEATS = 60
"""How often one of the user's own glyphs is repeated in an epoch at most. Chosen: a few glyphs repeated more often
would be memorised."""
SAMPLE_SETS = 3
"""Number of different sets of handwriting and of non-digits; successive epochs use them in turn. Chosen: more
variety without generating new ones for every epoch."""
SEED_PARTS = 16
"""Generating glyphs is divided into this many parts, each with its own seed, so that the result does not depend on the
number of processor cores."""

FEW = 1000
"""Fewer glyphs than this are generated here. Chosen: starting two processes takes as long."""
NO_OWN_GLYPHS = LabelledGlyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
"""No glyphs of the user."""

NO_CLASSES = np.zeros(0, np.uint8)
"""The classes of no glyphs."""

Work = Callable[[Any, Any], Pixels]
"""A function of glyphs (n, 28, 28), or digits (n,), and a seed that returns n glyphs."""


class Glyphs:
    """What a training learns from: the same for the same data, seed and folder of marks."""

    def __init__(self, data: Mnist, *, seed: int, also: LabelledGlyphs | None, marks_folder: Path | None) -> None:
        """``also``: the user's own glyphs. Raises DataError if ``marks_folder`` has no marks."""
        self.data, self.seed, self.marks_folder = data, seed, marks_folder
        self.own = repeated(also, round(OWN_SHARE * len(data.train))) if also else NO_OWN_GLYPHS
        # Loaded here, so that a wrong folder is refused before the long work.
        self.marks_count = marks.load(marks_folder).number(len(data.train)) if marks_folder else 0
        nondigit_share = NONDIGIT_SHARE_BESIDE_MARKS if marks_folder else NONDIGIT_SHARE
        self.written_count, self.nondigit_count = (
            round(share * len(data.train)) for share in (HANDWRITTEN_SHARE, nondigit_share)
        )

    def __len__(self) -> int:
        """How many there are in each epoch."""
        return len(self.data.train) + len(self.own.glyphs) + self.marks_count + self.written_count + self.nondigit_count

    def epochs(self, first: int, end: int) -> Generator[tuple[Pixels, Labels]]:
        """The glyphs (n, 28, 28) of the epochs ``first`` to ``end`` - 1, and their classes (n,), in random order."""
        data, seed = self.data, self.seed
        written_digits = (np.arange(SAMPLE_SETS * self.written_count) // SAMPLE_SETS % 10).astype(np.uint8)
        sources = np.random.default_rng(seed).integers(len(data.train), size=SAMPLE_SETS * self.nondigit_count)
        with workers(min(SEED_PARTS, os.cpu_count() or 1)) as pool:
            through_camera = in_parallel(augment.through_camera, data.train, [seed, 0], pool)
            written = in_parallel(augment.handwriting, written_digits, [seed, 0, 1], pool)
            nondigit_glyphs = in_parallel(nondigits, data.train[sources], [seed, 0, 2], pool)
        # Another process generates the next epoch's glyphs while this one trains.
        with workers(1) as single:
            next_epoch = self._submit(first, single)
            for epoch in range(first, end):
                varied, marked_job, marked_classes = next_epoch
                glyphs = varied.result()
                marked_glyphs = [marked_job.result()] if marked_job else []
                if epoch + 1 < end:
                    next_epoch = self._submit(epoch + 1, single)
                rng = np.random.default_rng([seed, epoch])
                through = rng.uniform(size=len(glyphs)) < CAMERA_SHARE
                glyphs[through] = through_camera[through]
                turn = slice(epoch % SAMPLE_SETS, None, SAMPLE_SETS)
                parts = [glyphs, written[turn], nondigit_glyphs[turn], *marked_glyphs]
                if len(self.own.glyphs):
                    parts.append(augment.varied(self.own.glyphs, [seed, epoch, 3]))
                none = np.full(len(nondigit_glyphs[turn]), NO_DIGIT, np.uint8)
                classes = [data.train_labels, written_digits[turn], none, marked_classes, self.own.classes]
                whole = np.concatenate(parts)
                order = rng.permutation(len(whole))
                yield whole[order], np.concatenate(classes)[order]

    def _submit(self, epoch: int, worker: Workers) -> tuple[Job, Job | None, NDArray[np.integer]]:
        varied = worker.submit(augment.varied, self.data.train, [self.seed, epoch + 1])
        if not self.marks_folder:
            return varied, None, NO_CLASSES
        places, classes = marks.load(self.marks_folder).choose(len(self.data.train), [self.seed, epoch, 4])
        return varied, worker.submit(marks.glyphs, places, [self.seed, epoch, 5], self.marks_folder), classes


def in_parallel(work: Work, items: Pixels, seed: list[int], pool: Workers) -> Pixels:
    """Run ``work`` on all items (n, …), in SEED_PARTS parts with the seeds [*seed, part], divided among the workers."""
    if len(items) < FEW:
        return _parts(work, items, seed, 0, SEED_PARTS)
    ends = [SEED_PARTS * worker // pool.count for worker in range(pool.count + 1)]
    jobs = [pool.submit(_parts, work, items, seed, *part) for part in zip(ends[:-1], ends[1:], strict=True)]
    return np.concatenate([job.result() for job in jobs])


def _parts(work: Work, items: Pixels, seed: list[int], first: int, end: int) -> Pixels:
    parts = np.array_split(items, SEED_PARTS)
    # Without it there would be nothing to concatenate if all parts are empty.
    none = np.zeros((0, 28, 28), np.uint8)
    return np.concatenate([none, *(work(parts[i], [*seed, i]) for i in range(first, end) if len(parts[i]))])


def repeated(also: LabelledGlyphs, many: int) -> LabelledGlyphs:
    """The glyphs repeated in turn up to ``many``; each at least once, at most MAX_OWN_REPEATS times."""
    count = max(len(also.glyphs), min(many, MAX_OWN_REPEATS * len(also.glyphs)))
    which = np.arange(count) % len(also.glyphs)
    return LabelledGlyphs(also.glyphs[which], also.classes[which])
