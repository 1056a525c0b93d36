"""The ways in which people feed digits to models: range, polarity, fit, transposition, normalisation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from convert.choices import POLARITIES
from convert.load.classifier import input_size
from edge.model.card import DIGITS, Card, Fit, Normalisation, Output, Rotation
from edge.model.preprocessing import BY_CHANNEL, image_shape, model_input
from edge.types import Pixels

CHUNK_BYTES = 32 * 2**20
"""How much input a model gets at once, in bytes."""
USUAL_ACCURACY = 0.9
"""A model that reads less of MNIST, 0 to 1, was trained on something else, or its outputs have another order."""
CLOSE_ACCURACY = 0.01
"""Another way is said to be undecided if no test tells it apart, its accuracy is this close, 0 to 1, and its loss is
not clearly higher."""
EQUAL_LOSS_FACTOR = 1.15
"""Losses that differ by at most this factor count as equal; then the more common way, the first, is chosen.
Chosen: as large as differences by chance."""
NEGLIGIBLE_LOSS = 0.01
"""Losses below this, in nats, count as equal, whatever their ratio. Chosen: such a model answers almost perfectly."""
SIZES = {"0..16": (8, 8)}
"""Ranges that belong to images of one height and width: those of scikit-learn's digits."""
NORMALISED = {
    "columns": "each column divided by its norm",
    "rows": "each row divided by its norm",
    "image": "each image divided by its norm",
    "standard": "each image standardised",
    "torch": "each channel standardised as ImageNet's",
    "caffe": "0..255 minus ImageNet's means",
}
"""Normalisations of ``edge.model.card`` in words. The range makes no difference to them, or they have one of their own;
polarity does."""
DIRECTIONS: dict[tuple[bool, Rotation], str] = {
    (False, 0): "", (True, 0): "transposed", (False, 90): "rotated by 90°", (False, 180): "rotated by 180°",
    (False, 270): "rotated by 270°", (True, 90): "mirrored", (True, 180): "transposed and rotated by 180°",
    (True, 270): "upside down and mirrored",
}  # fmt: skip
"""Whether transposed, and by how much rotated then, clockwise, in words. The first two are usual."""
FITTED = {"margin": "with a margin", "crop": "cropped to the ink", "stretch": "stretched to the border"}
"""Fits of ``edge.model.card`` in words; ``resize`` needs none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How well a model reads labelled digits that are fed to it in one format."""

    range: str
    """A key of RANGES; with a normalisation ``0..1``."""
    polarity: str
    """One of POLARITIES."""
    fit: Fit
    transposed: bool = False
    rotation: Rotation = 0
    normalisation: Normalisation = "none"
    images: int = 0
    """Number of digits it was tried on."""
    accuracy: float
    """Share read correctly, 0 to 1."""
    loss: float
    """Mean negative log-likelihood of the correct digits, in nats, at the temperature where it is lowest."""
    is_worse: bool = True
    """Whether it is worse than the chosen one by a statistical test, not only by chance."""

    is_odd: bool = False
    """Whether nobody feeds images of this size so: it is taken only where it is better than what is usual."""

    @property
    def name(self) -> str:
        """The format in words: ``0..1, light ink, with a margin, transposed``."""
        parts = [NORMALISED.get(self.normalisation, self.range), f"{self.polarity} ink", FITTED.get(self.fit, "")]
        return ", ".join(filter(None, [*parts, DIRECTIONS[self.transposed, self.rotation]]))

    def figures(self) -> dict[str, Any]:
        """It as plain data, for reports."""
        fields = {name: value for name, value in asdict(self).items() if name != "is_odd"}
        return {**fields, "accuracy": round(self.accuracy, 6), "loss": round(self.loss, 4)}


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
    """How a glyph is fitted to the image."""
    transposed: bool = False
    """Whether height and width are swapped."""
    rotation: Rotation = 0
    """By how many degrees clockwise it is rotated after that."""
    normalisation: Normalisation = "none"
    """What is done to each image's values."""
    output: Output = "probabilities"
    """Whether the outputs are probabilities or logits."""
    temperature: float = 1.0
    """At which the fit of the temperature begins: other than 1 if the outputs are much larger or smaller than usual."""
    labels: tuple[str, ...] = DIGITS
    """What each of the outputs stands for."""
    images: int = 0
    """Number of labelled digits that it was detected on."""
    trials: tuple[Trial, ...] = ()
    """All combinations tried: the chosen one first, then those tried on most digits, by falling accuracy."""
    labels_found: str | None = None
    """How the labels were found if nobody named them and they are not the usual ones; a sentence without a full
    stop."""

    @property
    def card(self) -> Card:
        """The card of a model that is fed so."""
        return Card(
            labels=self.labels, paper=self.paper, ink=self.ink, fit=self.fit, transposed=self.transposed,
            rotation=self.rotation, normalisation=self.normalisation, output=self.output,
            temperature=self.temperature,
        )  # fmt: skip

    def feed(self, glyphs: Pixels) -> NDArray[np.float32]:
        """Glyphs (n, 28, 28) uint8, light ink on black -> the model's input (n, \\*shape) float32.

        Uses the same functions that feed the quantised model on the Pi.
        """
        return model_input(glyphs, self.image, self.card).reshape(len(glyphs), *self.shape)

    def outputs(self, model: Any, glyphs: Pixels) -> NDArray[np.float32]:
        """The Keras model's outputs for glyphs (n, 28, 28): (n, classes) float32."""
        step = max(1, CHUNK_BYTES // (4 * math.prod(self.shape)))
        parts = [
            np.asarray(model.predict(self.feed(some), batch_size=500, verbose=0), np.float32).reshape(len(some), -1)
            for some in (glyphs[first : first + step] for first in range(0, len(glyphs), step))
        ]
        return np.concatenate(parts)

    def remarks(self) -> Iterator[str]:
        """What a person should know before trusting the choice: sentences without a full stop."""
        if self.labels_found:
            yield self.labels_found
        if not self.trials:
            return
        best, *others = self.trials
        undecided = [
            trial
            for trial in others
            if not (trial.is_worse or trial.is_odd or trial.images < best.images)
            and best.accuracy - trial.accuracy <= CLOSE_ACCURACY
            and is_equal_loss(trial.loss, best.loss)
        ]
        if best.accuracy < USUAL_ACCURACY:
            yield (
                f"the model reads only {best.accuracy:.1%} of MNIST's digits, in any input format tried; it was"
                " trained on other digits, or on input that was prepared differently"
            )
        elif undecided:
            listed = " and ".join(f"{one.name} ({one.accuracy:.2%})" for one in undecided[:2])
            yield (
                f"undecided: the model reads nearly as well with {listed} as with {best.name} ({best.accuracy:.2%});"
                " if you know how it was trained, set --input-range and --polarity"
            )


def is_equal_loss(loss: float, least: float) -> bool:
    """Whether a loss is not clearly higher than the least one, in nats."""
    return loss <= max(EQUAL_LOSS_FACTOR * least, NEGLIGIBLE_LOSS)


Combination = tuple[Trial, InputFormat]
"""A way to feed a model: its names, without figures, and its values."""


def combinations(
    input_shape: tuple[int | None, ...],
    where: str,
    ranges: Mapping[str, tuple[float, float]],
    input_range: str | None = None,
    polarity: str | None = None,
    *,
    is_turned: bool = False,
) -> Iterator[Combination]:
    """Every way to feed a model with this input (batch first) that is tried, the more common ones first.

    ``ranges`` have the input values of black and of white. With ``input_range``, one of them, or ``polarity`` only that
    one is tried; a range that was named also means that there is no normalisation. ``is_turned``: instead the
    unusual directions, of square images as a whole. Raises ModelError if the input is no image of a digit; ``where`` is
    the file's name.
    """
    shape = input_size(input_shape)
    plain = InputFormat(shape=shape, image=image_shape((None, *shape), where))
    height, width, channels = plain.image
    # At a glyph's own size a margin is nothing else.
    fits = [fit for fit in get_args(Fit) if fit != "margin" or (height, width) != (28, 28)]
    values: list[tuple[str, tuple[float, float], Normalisation]] = [
        (name, ends, "none") for name, ends in ranges.items() if input_range in (None, name)
    ]
    if not input_range:
        kinds = [kind for kind in get_args(Normalisation) if kind != "none"]
        # What is done to each channel is nothing of its own where there is one.
        values += [("0..1", (0.0, 1.0), kind) for kind in kinds if channels == 3 or kind not in BY_CHANNEL]
    if is_turned:
        fits = [fit for fit in fits if fit in ("resize", "margin")]
    directions = list(DIRECTIONS)[2:] if is_turned else list(DIRECTIONS)[:2]
    for transposed, rotation in directions if height == width else directions[: 0 if is_turned else 1]:
        for fit in fits:
            for name, (black, white), normalisation in values:
                for of in (polarity,) if polarity else POLARITIES:
                    paper, ink = (black, white) if of == "light" else (white, black)
                    is_odd = SIZES.get(name, (height, width)) != (height, width)
                    kind = {
                        "fit": fit, "transposed": transposed, "rotation": rotation, "normalisation": normalisation
                    }  # fmt: skip
                    trial = Trial(range=name, polarity=of, accuracy=0.0, loss=0.0, is_odd=is_odd, **kind)
                    yield trial, replace(plain, paper=paper, ink=ink, **kind)
