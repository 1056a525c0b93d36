"""Detect a Keras model's input format (range, polarity, margin) by trying all combinations on labelled digits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.choices import POLARITIES, RANGES
from convert.data.mnist import Labels
from convert.evaluation import temperature
from edge.errors import ConvertError
from edge.model.card import Card, Fit, Output
from edge.model.classifier import probabilities
from edge.model.preprocessing import image_shape, model_input
from edge.types import Pixels

EQUAL_ACCURACY = 0.0025
"""Combinations whose accuracies differ by at most this, 0 to 1, count as equal: 5 of 2,000 digits, which can be chance.
Among them the loss decides, which is a finer measure than accuracy."""
EQUAL_LOSS_FACTOR = 1.15
"""Losses that differ by at most this factor count as equal; then the more common range, the first in RANGES, is chosen.
Chosen: as large as differences by chance."""
NEGLIGIBLE_LOSS = 0.01
"""Losses below this, in nats, count as equal, whatever their ratio. Chosen: such a model answers almost perfectly."""
CLOSE_ACCURACY = 0.01
"""If another combination is within this accuracy, 0 to 1, of the chosen one, the report remarks on it."""
MIN_ACCURACY = 0.9
"""Below this accuracy on MNIST, 0 to 1, the report remarks that the model was trained on something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How well a model reads labelled digits that are fed to it in one format."""

    range: str
    """A key of RANGES."""
    polarity: str
    """One of POLARITIES."""
    fit: Fit
    accuracy: float
    """Share read correctly, 0 to 1."""
    loss: float
    """Mean negative log-likelihood of the correct digits, in nats, at the temperature where it is lowest."""

    @property
    def name(self) -> str:
        """The format in words: ``0..1, light ink, with a margin``."""
        return f"{self.range}, {self.polarity} ink" + (", with a margin" if self.fit == "margin" else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFormat:
    """How glyphs are fed to a Keras model, and what its outputs mean."""

    shape: tuple[int, ...]
    """Shape of one input, without the batch: (28, 28, 1), (28, 28), (784,) and so on."""
    image: tuple[int, int, int]
    """(height, width, channels) of the image that one input contains."""
    paper: float = 0.0
    """The input value of empty paper."""
    ink: float = 1.0
    """The input value of full ink."""
    fit: Fit = "resize"
    """How a glyph is fitted to an image that is not 28x28."""
    output: Output = "probabilities"
    """Whether the outputs are probabilities or logits."""
    images: int = 0
    """Number of labelled digits that it was detected on."""
    trials: tuple[Trial, ...] = ()
    """All combinations tried: the chosen one first, then by falling accuracy."""

    def feed(self, glyphs: Pixels) -> NDArray[np.float32]:
        """Glyphs (n, 28, 28) uint8, light ink on black -> the model's input (n, \\*shape) float32.

        Uses the same functions that feed the quantised model on the Pi.
        """
        card = Card(paper=self.paper, ink=self.ink, fit=self.fit)
        return model_input(glyphs, self.image, card).reshape(len(glyphs), *self.shape)

    def outputs(self, model: Any, glyphs: Pixels) -> NDArray[np.float32]:
        """The Keras model's outputs for glyphs (n, 28, 28): (n, classes) float32."""
        outputs = model.predict(self.feed(glyphs), batch_size=500, verbose=0)
        return np.asarray(outputs, np.float32).reshape(len(glyphs), -1)

    def remarks(self) -> Iterator[str]:
        """What a person should know before trusting the choice: sentences without a full stop."""
        if not self.trials:
            return
        best, *others = self.trials
        close = [trial for trial in others if best.accuracy - trial.accuracy <= CLOSE_ACCURACY]
        if best.accuracy < MIN_ACCURACY:
            yield (
                f"the model reads only {best.accuracy:.1%} of MNIST's digits, in any input format tried; it was"
                " trained on other digits, or on input that was prepared differently"
            )
        elif close:
            listed = " and ".join(f"{trial.name} ({trial.accuracy:.1%})" for trial in close[:2])
            yield (
                f"the model reads nearly as well with {listed}; if you know how it was trained, set --input-range and"
                " --polarity"
            )


def detect(
    model: Any,
    glyphs: Pixels,
    labels: Labels,
    digits: Sequence[int | None],
    where: str,
    *,
    input_range: str | None = None,
    polarity: str | None = None,
    ranges: Mapping[str, tuple[float, float]] = RANGES,
) -> InputFormat:
    """The input format with which a Keras model reads labelled digits best: glyphs (n, 28, 28), labels (n,).

    ``digits`` is the digit that each output stands for, or None. With ``input_range`` (a key of ``ranges``) or
    ``polarity`` only that one is tried. Raises ModelError if the input is not an image of a digit, ConvertError if all
    outputs are NaN or infinite.
    """
    tried = []
    for name, ink, input_format in _combinations(model, where, input_range, polarity, ranges):
        outputs = input_format.outputs(model, glyphs)
        if not np.isfinite(outputs).all():
            continue
        input_format = replace(input_format, output=_output_kind(outputs))
        accuracy, loss = _score(probabilities(outputs, input_format.output), labels, digits)
        trial = Trial(range=name, polarity=ink, fit=input_format.fit, accuracy=accuracy, loss=loss)
        tried.append((trial, input_format))
    if not tried:
        raise ConvertError(f"{where}: gives NaN or infinity for every input; train it again")
    most = max(trial.accuracy for trial, _ in tried)
    equal = [(trial, input_format) for trial, input_format in tried if trial.accuracy >= most - EQUAL_ACCURACY]
    least = min(trial.loss for trial, _ in equal)
    chosen, input_format = next(
        pair for pair in equal if pair[0].loss <= max(EQUAL_LOSS_FACTOR * least, NEGLIGIBLE_LOSS)
    )
    others = sorted((trial for trial, _ in tried if trial is not chosen), key=lambda trial: -trial.accuracy)
    return replace(input_format, images=len(glyphs), trials=(chosen, *others))


def samples(model: Any, glyphs: Pixels, where: str) -> NDArray[np.float32]:
    """Glyphs (n, 28, 28) as inputs of a Keras model, (n, \\*shape): some in each combination, to time the model on.

    Raises ModelError if the input is not an image of a digit.
    """
    formats = [input_format for _, _, input_format in _combinations(model, where)]
    return np.concatenate([one.feed(glyphs[i :: len(formats)]) for i, one in enumerate(formats)])


def _combinations(
    model: Any,
    where: str,
    input_range: str | None = None,
    polarity: str | None = None,
    ranges: Mapping[str, tuple[float, float]] = RANGES,
) -> Iterator[tuple[str, str, InputFormat]]:
    """Range, polarity and format of each combination that is tried."""
    # A variable height or width is set to a glyph's size.
    shape = [None, *model.input_shape[1:]]
    if len(shape) == 4:
        shape[1:3] = [28 if n is None else n for n in shape[1:3]]
    plain = InputFormat(shape=tuple(shape[1:]), image=image_shape(shape, where))
    fits: tuple[Fit, ...] = ("resize",) if plain.image[:2] == (28, 28) else ("resize", "margin")
    for name in (input_range,) if input_range else ranges:
        for ink in (polarity,) if polarity else POLARITIES:
            dark, light = ranges[name]
            paper, full = (dark, light) if ink == "light" else (light, dark)
            yield from ((name, ink, replace(plain, paper=paper, ink=full, fit=fit)) for fit in fits)


def _output_kind(outputs: NDArray[np.float32]) -> Output:
    # Sigmoids count as probabilities: edge.model.classifier makes them sum to 1. Log-probabilities count as logits:
    # their softmax is the probabilities.
    bounded = outputs.min() >= -1e-5 and outputs.max() <= 1 + 1e-5
    return "probabilities" if bounded else "logits"


def _score(found: NDArray[np.float32], labels: Labels, digits: Sequence[int | None]) -> tuple[float, float]:
    """Accuracy and mean negative log-likelihood of probabilities (n, classes), among the classes that are digits."""
    columns = [i for i, digit in enumerate(digits) if digit is not None]
    numbers = np.array([digits[i] for i in columns])
    among = found[:, columns]
    read = numbers[among.argmax(axis=1)] == labels
    # Compare at the best temperature: otherwise a wrong range could win because it makes the model more confident.
    known = np.isin(labels, numbers)
    if not known.any():
        return 0.0, float("inf")
    classes = (numbers[None] == labels[known][:, None]).argmax(axis=1)
    calibrated = probabilities(among[known], "probabilities", temperature.fit(among[known], classes))
    likelihood = calibrated[np.arange(len(classes)), classes]
    return float(read.mean()), float(-np.log(np.maximum(likelihood, 1e-12)).mean())
