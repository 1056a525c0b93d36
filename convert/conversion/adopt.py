"""Adopt a .tflite that somebody else made: find out how it is fed and what its outputs mean, and say so in a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.choices import MIN_ACCURACY, RANGES, range_of
from convert.classes import LABELS_BY_OUTPUTS
from convert.conversion import attempts, dataset
from convert.conversion.dataset import Dataset
from convert.conversion.pipeline import CARD_TRIALS, LOAD_SECONDS, STEP_IMAGES, STEP_SECONDS, TIMED_IMAGES
from convert.data.mnist import load_mnist
from convert.evaluation import accuracy, verify
from convert.evaluation.verify import wilson
from convert.load import check_labels, input_format, seconds_per_image
from convert.load.conventions import InputFormat
from convert.samples import pages
from convert.tflite import foreign, metadata
from convert.tflite.foreign import ForeignModel
from convert.tflite.metadata import Described
from convert.tflite.quantise import MIN_CALIBRATION_IMAGES
from edge.errors import ConvertError
from edge.model import golden_digits
from edge.model.card import DIGITS, Card, packed, read_card
from edge.model.classifier import Model, content_of, no_digits
from edge.model.runtime import interpreter_class, title_of
from edge.system.text import MAX_TEXT, printable
from edge.system.version import __version__

SAME_RANGE = 0.02
"""Two ranges of input values are the same if their ends differ by at most this share of their length. Chosen: quantised
-1..1 is -1.004..0.996, and no two of RANGES are so close."""

SUMMED_IMAGES = 100
"""How many digits are looked at to tell probabilities from logits in bytes without a scale. Chosen."""
SHARE_TEMPERATURE = 1 / 32
"""At which the temperature of logits in bytes without a scale, as shares of the range, begins to be fitted. Chosen: a
range of 32, a factor of 5 up or down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to adopt, and how: the options of ``edge-convert adopt``."""

    model: Path
    data: str | None = None
    """Where MNIST is, as ``convert.data.mnist.load_mnist`` takes it."""
    labels: tuple[str, ...] | None = None
    """What each output stands for; None: what the file says, else found or usual."""
    input_range: str | None = None
    """As ``convert.choices.range_of`` takes it; None: detected."""
    polarity: str | None = None
    """One of ``convert.choices.POLARITIES``; None: detected."""
    min_accuracy: float = MIN_ACCURACY
    """The least share of MNIST's test digits that it must read, in per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A copy with a card, and what was measured."""

    content: bytes
    card: Card
    types: tuple[str, str]
    """Of the file's input and output."""
    input_format: InputFormat
    reads: float
    """Its accuracy on so many ``images``, 0 to 1, through ``edge.model``."""
    images: int
    remarks: tuple[str, ...] = ()

    def lines(self) -> Iterator[tuple[str, str]]:
        """What was found, as names and values."""
        card, trials = self.card, self.input_format.trials
        low, high = wilson(round(self.reads * self.images), self.images)
        yield "input", f"{' to '.join(self.types)}, {card.paper:g} for paper, {card.ink:g} for ink ({trials[0].name})"
        yield "labels", ", ".join(card.labels)
        yield "outputs", f"{card.output}, at temperature {card.temperature:g}"
        yield "reads", f"{self.reads:.2%} of {self.images:,} digits ({low:.1%} to {high:.1%})"
        for remark in (*self.remarks, *self.input_format.remarks()):
            yield "note", remark


def adopt(request: Request, on_step: Callable[[str], None], allow: Callable[[float], None], folder: Path) -> Adopted:
    """Find out how the file is fed, and make the copy; nothing is written but to the temporary ``folder``.

    ``on_step`` and ``allow`` are as in ``convert.conversion.pipeline.convert``. Raises ConvertError, ModelError or
    DataError if it cannot be used, or reads too little.
    """
    where = str(request.model)
    allow(LOAD_SECONDS)
    content = content_of(request.model, foreign.NAME_ONE)
    if read_card(content, where):
        raise ConvertError(
            f"{where}: has a card already, which edge uses: read with it as it is (edge read --model); edge-convert"
            " inspect shows the card"
        )
    model = ForeignModel(content, where)
    if problem := no_digits(model.outputs):
        raise ConvertError(f"{where}: {problem}")
    described = metadata.read(content)
    allow(0)
    on_step("reading MNIST")
    data = load_mnist(request.data)
    digits = dataset.select(data, images=MIN_CALIBRATION_IMAGES, seed=1, photos=None)
    camera = pages.through_camera(digits.temperature, 1)
    allow(LOAD_SECONDS)
    timed = input_format.samples(model, digits.test[:TIMED_IMAGES], where)
    seconds = STEP_SECONDS + STEP_IMAGES * seconds_per_image(model, timed, request.model)

    def next_step(name: str) -> None:
        allow(seconds)
        on_step(name)

    next_step("detecting the input format")
    found = _detected(model, request, described, digits)
    card = replace(
        found.card,
        name=printable(request.model.stem)[:MAX_TEXT],
        quantisation={"input": model.types[0], "output": model.types[1]},
        source={"file": printable(request.model.name), **_made_with()},
    )
    if model.has_shares and not _sum_to_one(found.outputs(model, digits.test[:SUMMED_IMAGES])):
        card = replace(card, output="logits", temperature=SHARE_TEMPERATURE)
    next_step("fitting the temperature")
    fitting = np.concatenate([digits.temperature, camera]), np.tile(digits.temperature_labels, 2)
    path = folder / "adopted.tflite"
    path.write_bytes(packed(content, card))
    card = attempts.calibrated(path, card, *fitting)
    path.write_bytes(packed(content, card))
    next_step(f"reading {len(digits.test):,} test images")
    outputs = verify.predict(lambda: Model(path), digits.test)
    reads = accuracy.accuracy(outputs, card.labels, digits.test_labels)
    right = accuracy.answered(outputs, card.labels, digits.test_labels)
    if 100 * right < request.min_accuracy:
        others = accuracy.taken_for_no_digit(outputs, card.labels)
        taken = f" and takes {others:.1%} for no digit" if others else ""
        raise ConvertError(
            f"{where}: reads only {right:.1%} of MNIST's digits{taken}, fed in the best way that was found, less than"
            f" --min-accuracy {request.min_accuracy:g}; nothing is written; if you know how it was trained, say so with"
            " --labels, --input-range and --polarity"
        )
    with Model(path) as made:
        weak = golden_digits.score(made).problem
    card = replace(
        card,
        evaluation={
            "data_sha256": digits.digest,
            "mnist": {"images": len(outputs), "accuracy": round(reads, 6)},
            "input": [trial.figures() for trial in found.trials[:CARD_TRIALS]],
        },
    )
    remarks = [f"edge run refuses it: {weak}; train it on more kinds of handwriting"] if weak else []
    return Adopted(
        content=packed(content, card),
        card=card,
        types=model.types,
        input_format=found,
        reads=reads,
        images=len(outputs),
        remarks=tuple(remarks),
    )


def _sum_to_one(outputs: NDArray[np.float32]) -> bool:
    """Whether each row of these shares (n, outputs) may be probabilities: each is rounded to 1/255."""
    return bool((np.abs(outputs.sum(axis=1) - 1) <= outputs.shape[1] / 255).all())


def _made_with() -> dict[str, str]:
    return {"edge-digits": __version__, "runtime": title_of(interpreter_class())}


def _detected(model: ForeignModel, request: Request, described: Described, digits: Dataset) -> InputFormat:
    """How it is fed and what its outputs stand for: what the file says is only where the search begins."""
    where = str(request.model)
    said = described.labels if len(described.labels) == model.outputs and set(described.labels) & set(DIGITS) else None
    if request.labels:
        check_labels(request.labels, model.outputs, where)
    return input_format.detect(
        model, digits.test, digits.test_labels, request.labels or said or LABELS_BY_OUTPUTS.get(model.outputs), where,
        is_named=request.labels is not None, input_range=request.input_range, polarity=request.polarity,
        ranges=_ranges(model, request, described),
    )  # fmt: skip


def _ranges(model: ForeignModel, request: Request, described: Described) -> dict[str, tuple[float, float]]:
    """The ranges to try: the usual ones, all values that a quantised input can have, and what the file says."""
    if request.input_range:
        return {request.input_range: range_of(request.input_range)}
    ranges = dict(RANGES)
    for one in (model.own_range(), described.black_and_white):
        if one and one[0] < one[1] and not any(_is_same(one, other) for other in ranges.values()):
            ranges["{:.4g}..{:.4g}".format(*one)] = one
    return ranges


def _is_same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    length = max(one[1] - one[0], other[1] - other[0])
    return all(abs(a - b) <= SAME_RANGE * length for a, b in zip(one, other, strict=True))
