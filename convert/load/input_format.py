"""What input a Keras model wants: shape, range, polarity and margin, found out by trying them on known digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.choices import POLARITIES, RANGES
from convert.data.mnist import Labels
from convert.evaluation import temperature
from edge.errors import ConvertError
from edge.model.card import Card, Fit, Output
from edge.model.classifier import feed, image_shape, probabilities, ramp
from edge.types import Pixels

ALIKE = 0.0025
"""Ranges whose accuracies differ by no more, 5 of 2,000 digits, read equally well: chance alone does that much. Of them
the one is taken with the least loss, which tells finer than a count of what is right."""
LIKE = 1.15
"""Losses that differ by no more than this factor tell nothing,"""
NO_LOSS = 0.01
"""nor does a loss of less, in nats: the commoner range is taken, the first in RANGES."""
CLOSE = 0.01
"""A runner-up within this accuracy of the chosen one is worth a word."""
POOR = 0.9
"""A model that reads less of MNIST's digits than this was trained for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How well a model reads known digits that are fed to it in one way."""

    range: str
    """A key of RANGES."""
    polarity: str
    """One of POLARITIES."""
    fit: Fit
    accuracy: float
    """Share read right, 0 to 1."""
    loss: float
    """Mean negative log-likelihood of the right digits, in nats, at the temperature that suits it best."""

    @property
    def name(self) -> str:
        """As a person would say it."""
        return f"{self.range}, {self.polarity} ink" + (", with a margin" if self.fit == "margin" else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How a Keras model is fed and read."""

    shape: tuple[int, ...]
    """Of one input, without the batch: (28, 28, 1), (28, 28), (784,) and so on."""
    image: tuple[int, int, int]
    """(height, width, channels) of the image that such an input stands for."""
    paper: float = 0.0
    """The input value of empty paper."""
    ink: float = 1.0
    """The input value of full ink."""
    fit: Fit = "resize"
    """How a glyph becomes an image of another size."""
    output: Output = "probabilities"
    """Whether the outputs already are probabilities."""
    images: int = 0
    """On so many known digits it was found out;"""
    trials: tuple[Trial, ...] = ()
    """what was tried, the chosen one first, then from good to bad."""

    def feed(self, glyphs: Pixels) -> NDArray[np.float32]:
        """Glyphs (n, 28, 28) uint8, light ink on black -> the model's input (n, \\*shape) float32.

        Made by the very functions that feed the quantised model on the Pi.
        """
        table = ramp(Card(paper=self.paper, ink=self.ink)).astype(np.float32)
        return feed(glyphs, self.image, table, self.fit).reshape(len(glyphs), *self.shape)

    def outputs(self, model: Any, glyphs: Pixels) -> NDArray[np.float32]:
        """What the Keras model itself gives for glyphs (n, 28, 28): (n, classes) float32."""
        outputs = model.predict(self.feed(glyphs), batch_size=500, verbose=0)
        return np.asarray(outputs, np.float32).reshape(len(glyphs), -1)

    def remarks(self) -> Iterator[str]:
        """What a person should know before trusting the choice: sentences."""
        if not self.trials:
            return
        best, *others = self.trials
        close = [trial for trial in others if best.accuracy - trial.accuracy <= CLOSE]
        if best.accuracy < POOR:
            yield (
                f"the model reads only {best.accuracy:.1%} of MNIST's digits, however they are fed to it; it was"
                " trained on other digits, or on input that was prepared in another way"
            )
        elif close:
            named = " and ".join(f"{trial.name} ({trial.accuracy:.1%})" for trial in close[:2])
            yield (
                f"it reads nearly as well with {named}; where you know how it was trained, say so with --input-range"
                " and --polarity"
            )


def find(
    model: Any,
    glyphs: Pixels,
    labels: Labels,
    digits: Sequence[int | None],
    where: str,
    *,
    input_range: str | None = None,
    polarity: str | None = None,
) -> Convention:
    """The convention by which a Keras model reads known digits best: glyphs (n, 28, 28), labels (n,).

    ``digits`` is what each output stands for; a given range (of RANGES) or polarity is not questioned. Raises
    ModelError where the input is no image of a digit, ConvertError where the outputs are no numbers.
    """
    # Where the height and width are open, a glyph's own size will do.
    shape = [None, *model.input_shape[1:]]
    if len(shape) == 4:
        shape[1:3] = [28 if n is None else n for n in shape[1:3]]
    plain = Convention(shape=tuple(shape[1:]), image=image_shape(shape, where))
    fits: tuple[Fit, ...] = ("resize",) if plain.image[:2] == (28, 28) else ("resize", "margin")
    tried = []
    for name in (input_range,) if input_range else RANGES:
        for ink in (polarity,) if polarity else POLARITIES:
            for fit in fits:
                dark, light = RANGES[name]
                paper, full = (dark, light) if ink == "light" else (light, dark)
                convention = replace(plain, paper=paper, ink=full, fit=fit)
                outputs = convention.outputs(model, glyphs)
                if not np.isfinite(outputs).all():
                    continue
                convention = replace(convention, output=_meaning(outputs))
                accuracy, loss = _score(probabilities(outputs, convention.output), labels, digits)
                trial = Trial(range=name, polarity=ink, fit=fit, accuracy=accuracy, loss=loss)
                tried.append((trial, convention))
    if not tried:
        raise ConvertError(f"{where}: gives no numbers (NaN or infinity) for any input; train it again")
    most = max(trial.accuracy for trial, _ in tried)
    alike = [(trial, convention) for trial, convention in tried if trial.accuracy >= most - ALIKE]
    least = min(trial.loss for trial, _ in alike)
    chosen, convention = next(pair for pair in alike if pair[0].loss <= max(LIKE * least, NO_LOSS))
    others = sorted((trial for trial, _ in tried if trial is not chosen), key=lambda trial: -trial.accuracy)
    return replace(convention, images=len(glyphs), trials=(chosen, *others))


def _meaning(outputs: NDArray[np.float32]) -> Output:
    # Sigmoids count as probabilities too: edge.model.classifier makes them sum to 1. The softmax of log-probabilities
    # gives the probabilities, so these are treated as logits.
    bounded = outputs.min() >= -1e-5 and outputs.max() <= 1 + 1e-5
    return "probabilities" if bounded else "logits"


def _score(found: NDArray[np.float32], labels: Labels, digits: Sequence[int | None]) -> tuple[float, float]:
    """Accuracy and mean negative log-likelihood of probabilities (n, classes), among the classes that are digits."""
    columns = [i for i, digit in enumerate(digits) if digit is not None]
    numbers = np.array([digits[i] for i in columns])
    among = found[:, columns]
    read = numbers[among.argmax(axis=1)] == labels
    # Otherwise a wrong range would be taken that makes the model surer where it is less sure than it could be.
    known = np.isin(labels, numbers)
    if not known.any():
        return 0.0, float("inf")
    classes = (numbers[None] == labels[known][:, None]).argmax(axis=1)
    calibrated = probabilities(among[known], "probabilities", temperature.fit(among[known], classes))
    likelihood = calibrated[np.arange(len(classes)), classes]
    return float(read.mean()), float(-np.log(np.maximum(likelihood, 1e-12)).mean())
