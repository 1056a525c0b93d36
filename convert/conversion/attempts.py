"""One recipe tried: the file that it gives, what that costs, and which runtimes load it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.choices import Io, Recipe
from convert.data.mnist import Labels
from convert.evaluation import temperature, verify
from convert.evaluation.verify import Comparison, Times
from convert.tflite import quantise, runtimes
from convert.tflite.runtimes import Runtime
from edge.errors import ConvertError
from edge.model.card import Card, packed
from edge.model.classifier import Model, probabilities
from edge.types import Pixels

AGREEMENT = 0.995
"""A recipe that is not asked for by name must give the same answer as the Keras model this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Digits to compare on, and what the Keras model itself makes of them."""

    glyphs: Pixels
    labels: Labels
    outputs: NDArray[np.float32]
    """(n, classes), as the model gives them."""

    def each(self, step: int) -> Questions:
        """Every ``step``-th of them."""
        return Questions(glyphs=self.glyphs[::step], labels=self.labels[::step], outputs=self.outputs[::step])


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one recipe gave."""

    recipe: Recipe
    content: bytes = b""
    """The .tflite, without its card."""
    card: Card
    comparison: Comparison | None = None
    """On MNIST's test images, or some of them."""
    times: Times | None = None
    runtimes: tuple[Runtime, ...] = ()
    problem: str | None = None
    """Why there is no such file, or none that runs."""

    @property
    def runs_everywhere(self) -> bool:
        """Whether every runtime loads it."""
        return bool(self.runtimes) and all(runtime.problem is None for runtime in self.runtimes)

    @property
    def size_bytes(self) -> int:
        """Of the .tflite, without its card."""
        return len(self.content)

    def keeps(self, max_drop: float, agreement: float = 0.0) -> bool:
        """Whether it loses no more than so many percentage points, and answers alike that often, 0 to 1."""
        found = self.comparison
        return found is not None and found.drop <= max_drop and found.agreement >= agreement


def attempt(
    frozen: Any, recipe: Recipe, images: NDArray[np.float32], card: Card, io: Io, folder: Path, where: str
) -> Attempt:
    """Make the file; nothing is compared yet. ``card`` says how it is fed; what cannot be made or run has a problem."""
    ends = io if recipe == "int8" else "float32"
    calibrated = recipe in ("int8", "int16x8")
    said = {"recipe": recipe, "input": ends, "output": ends, **(card.quantisation if calibrated else {})}
    tried = Attempt(recipe=recipe, card=replace(card, quantisation=said))
    try:
        content = quantise.convert(frozen, recipe, images, io, where)
        tried = replace(tried, content=content)
        runs = runtimes.tried(placed(tried, folder))
    except ConvertError as error:
        return replace(tried, problem=str(error).removeprefix(f"{where}: "))
    # The first one is what edge itself would take.
    if runs[0].problem is not None:
        return replace(tried, problem=f"cannot be run in {recipe}: {runs[0].problem.partition(';')[0]}")
    return replace(tried, runtimes=runs)


def placed(tried: Attempt, folder: Path) -> Path:
    """The attempt's file with its card, in ``folder`` while it is looked at."""
    place = folder / f"{tried.recipe}.tflite"
    place.write_bytes(packed(tried.content, tried.card))
    return place


def compared(tried: Attempt, questions: Questions, folder: Path) -> Comparison:
    """The file against the Keras model, both at the card's temperature."""
    place = placed(tried, folder)
    return Comparison(
        labels=questions.labels,
        expected=probabilities(questions.outputs, tried.card.output, tried.card.temperature),
        found=verify.predict(lambda: Model(place), questions.glyphs),
        classes=tried.card.labels,
    )


def calibrated(tried: Attempt, seen: Pixels, labels: Labels, folder: Path) -> Attempt:
    """The same with the temperature at which its probabilities are shares of right answers, fitted on these glyphs."""
    place = placed(tried, folder)
    found = verify.predict(lambda: Model(place), seen)
    rows = np.isin(labels, [digit for digit in tried.card.digits if digit is not None])
    classes = np.array([tried.card.digits.index(int(label)) for label in labels[rows]], np.uint8)
    return replace(tried, card=replace(tried.card, temperature=temperature.fit(found[rows], classes)))


def everywhere(tried: Attempt, glyphs: Pixels, folder: Path) -> Attempt:
    """The same with what each runtime makes of these glyphs."""
    return replace(tried, runtimes=runtimes.compared(placed(tried, folder), tried.runtimes, glyphs))


def timed(tried: Attempt, glyphs: Pixels, folder: Path) -> Times:
    """How long one glyph takes, one thread."""
    with Model(placed(tried, folder)) as model:
        return verify.time(model, glyphs)
