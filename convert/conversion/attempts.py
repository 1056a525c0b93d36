"""Try one quantisation recipe: its .tflite file, how accurate that is, and which runtimes load it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.choices import Io, Recipe, Target
from convert.data.mnist import Labels
from convert.evaluation import temperature, verify
from convert.evaluation.verify import Comparison, Times
from convert.micro import facts
from convert.micro.facts import Facts
from convert.tflite import quantise, runtimes
from convert.tflite.runtimes import Runtime
from edge.errors import ConvertError
from edge.model import golden_digits
from edge.model.card import Card, packed
from edge.model.classifier import Model, probabilities
from edge.types import Pixels

AGREEMENT = 0.995
"""Share of the test images, 0 to 1, for which a file must give the Keras model's answer to be chosen by
``--recipe auto``. Chosen: of 10,000 images 50 may change, which also catches a file that is as accurate by errors that
cancel out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSet:
    """Labelled glyphs to compare on, with the Keras model's outputs for them."""

    glyphs: Pixels
    labels: Labels
    outputs: NDArray[np.float32]
    """The Keras model's outputs, (n, classes): probabilities or logits."""

    def every(self, step: int) -> TestSet:
        """The same with every ``step``-th glyph only."""
        return TestSet(glyphs=self.glyphs[::step], labels=self.labels[::step], outputs=self.outputs[::step])


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The result of one recipe."""

    recipe: Recipe
    content: bytes = b""
    """The .tflite, without its card."""
    card: Card
    comparison: Comparison | None = None
    """With the Keras model, on MNIST's test images or some of them; None if there is nothing to compare."""
    times: Times | None = None
    runtimes: tuple[Runtime, ...] = ()
    problem: str | None = None
    """Why there is no file, or why it does not run; None if it does."""
    micro: Facts | None = None
    """What a microcontroller needs to know of the file; None if it is not made for one."""

    @property
    def runs_everywhere(self) -> bool:
        """Whether every runtime in ``runtimes`` loads the file."""
        return bool(self.runtimes) and all(runtime.problem is None for runtime in self.runtimes)

    @property
    def size_bytes(self) -> int:
        """Size of the .tflite without its card."""
        return len(self.content)

    def is_within(self, max_drop: float, min_agreement: float = 0.0, min_accuracy: float = 0.0) -> bool:
        """Whether it loses at most ``max_drop`` percentage points, agrees with Keras at least so often, 0 to 1, and
        both answer at least ``min_accuracy``, 0 to 1, correctly.
        """
        found = self.comparison
        if found is None or min(found.answered, found.answered_float) < min_accuracy:
            return False
        return found.drop <= max_drop and found.agreement >= min_agreement


def try_recipe(
    frozen: Any,
    recipe: Recipe,
    images: NDArray[np.float32],
    card: Card,
    io: Io,
    folder: Path,
    where: str,
    target: Target = "pi",
) -> Attempt:
    """Make the file, and load it in each runtime; nothing is compared yet. If it cannot be made or run, its ``problem``
    says why. ``card`` describes the model's input; ``folder`` is for temporary files; ``where`` is the model's name.
    """
    ends = io if recipe == "int8" else "float32"
    calibrated = recipe in ("int8", "int16x8")
    quantisation = {"recipe": recipe, "input": ends, "output": ends, **(card.quantisation if calibrated else {})}
    attempt = Attempt(recipe=recipe, card=replace(card, quantisation=quantisation))
    try:
        content = quantise.convert(frozen, recipe, images, io, where, target)
        attempt = replace(attempt, content=content, micro=facts.of(content, where) if target == "tflm" else None)
        tried = runtimes.try_all(write_file(attempt, folder))
    except ConvertError as error:
        return replace(attempt, problem=str(error).removeprefix(f"{where}: "))
    # The first runtime is the one that edge itself would use.
    if tried[0].problem is not None:
        return replace(attempt, problem=f"cannot be run as {recipe}: {tried[0].problem.partition(';')[0]}")
    return replace(attempt, runtimes=tried)


def write_file(attempt: Attempt, folder: Path) -> Path:
    """Write the attempt's .tflite with its card to the temporary ``folder``. Returns its path."""
    path = folder / f"{attempt.recipe}.tflite"
    path.write_bytes(packed(attempt.content, attempt.card))
    return path


def compare(attempt: Attempt, test: TestSet, folder: Path) -> Comparison:
    """Compare the file with the Keras model, both at the card's temperature."""
    path = write_file(attempt, folder)
    return Comparison(
        labels=test.labels,
        keras=probabilities(test.outputs, attempt.card.output, attempt.card.temperature),
        tflite=verify.predict(lambda: Model(path), test.glyphs),
        classes=attempt.card.labels,
    )


def with_temperature(attempt: Attempt, glyphs: Pixels, labels: Labels, folder: Path) -> Attempt:
    """The same with a temperature in its card, fitted on labelled glyphs (n, 28, 28) so that its confidence is
    calibrated: of answers with confidence 0.9, 90 % are right.
    """
    path = write_file(attempt, folder)
    return replace(attempt, card=calibrated(path, attempt.card, glyphs, labels))


def calibrated(path: Path, card: Card, glyphs: Pixels, labels: Labels) -> Card:
    """The card that the .tflite at ``path`` has, with its temperature fitted to labelled glyphs (n, 28, 28)."""
    found = verify.predict(lambda: Model(path), glyphs)
    rows = np.isin(labels, [digit for digit in card.digits if digit is not None])
    classes = np.array([card.digits.index(int(label)) for label in labels[rows]], np.uint8)
    value = card.temperature * temperature.fit(found[rows], classes)
    # Six digits, not six decimals: that of tiny logits is tiny.
    return replace(card, temperature=float(f"{value:.6g}"))


def with_runtime_agreement(attempt: Attempt, glyphs: Pixels, folder: Path) -> Attempt:
    """The same with how far its runtimes agree on glyphs (n, 28, 28)."""
    return replace(attempt, runtimes=runtimes.with_agreement(write_file(attempt, folder), attempt.runtimes, glyphs))


def weakness(attempt: Attempt, folder: Path) -> str | None:
    """Why ``edge run`` refuses the file, one line; None if it does not."""
    with Model(write_file(attempt, folder)) as model:
        return golden_digits.score(model).problem


def measure_times(attempt: Attempt, glyphs: Pixels, folder: Path) -> Times:
    """How long the file takes for one glyph, on one thread."""
    with Model(write_file(attempt, folder)) as model:
        return verify.time(model, glyphs)
