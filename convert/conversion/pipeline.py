"""From a Keras file to a quantised file beside it: load, find out, try the recipes, compare, choose, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from convert import load
from convert.choices import RECIPES, Io, Recipe
from convert.conversion import attempts, material
from convert.conversion.attempts import AGREEMENT, Attempt, Questions
from convert.conversion.material import TRIED, Material
from convert.data.mnist import Labels, load_mnist
from convert.evaluation.verify import Comparison
from convert.load import Loaded, convention
from convert.load.convention import Convention
from convert.system.files import check_writable, whole
from convert.system.workers import workers
from convert.tflite import quantise
from edge.errors import ConvertError
from edge.model.card import Card, packed
from edge.types import Pixels

SURVEYED = {"int16x8": 50}
"""A recipe that is not taken is compared on every tenth test image, or every so many: int16x8 has no fast kernels."""
RUN = 20
"""Every runtime reads every twentieth test image."""
ADVICE = "train it so that its weights and activations are of a like size (normalise, regularise), or allow more"
"""What helps where quantising breaks a model."""
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be converted, and how."""

    model: Path
    out: Path
    data: str | None = None
    """Where MNIST is, as ``convert.data.mnist.load_mnist`` takes it."""
    recipe: Recipe | Literal["auto"] = "auto"
    """``auto``: of all recipes that keep what the model can, the one with the smallest file."""
    architecture: Path | None = None
    """The model's JSON, where its file has weights only."""
    labels: tuple[str, ...] | None = None
    """What its outputs stand for; None: 0 to 9, and an eleventh is what is no digit."""
    input_range: str | None = None
    """A key of ``names.RANGES``; None: found out."""
    polarity: str | None = None
    """One of ``names.POLARITIES``; None: found out."""
    calibrate: Path | None = None
    """A folder of photographs to calibrate on, besides MNIST."""
    max_drop: float = 0.3
    """Accuracy that may be lost, in percentage points."""
    calibration_images: int = 1000
    seed: int = 1
    io: Io = "uint8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of an order."""

    order: Order
    loaded: Loaded
    convention: Convention
    material: Material
    camera: Pixels
    """``material.test`` as the synthetic camera sees it."""
    attempts: tuple[Attempt, ...]
    """Every recipe that was tried, in the order in which they were preferred: the smallest file that runs everywhere
    first, what gave no file last."""
    chosen: Attempt | None
    """The one to be written; None where none keeps what was asked for."""
    through_camera: Comparison | None
    """The chosen one, or the best there is, on ``camera``."""

    @property
    def shown(self) -> Attempt | None:
        """The chosen attempt, or the one that comes nearest."""
        able = [tried for tried in self.attempts if tried.comparison]
        return self.chosen or min(
            able, key=lambda tried: tried.comparison.drop if tried.comparison else 0, default=None
        )

    def problem(self) -> str | None:
        """Why nothing is to be written, in a line; None where something is."""
        if self.chosen:
            return None
        nearest = self.shown
        if nearest is None or nearest.comparison is None:
            return f"{self.order.model}: {'; '.join(dict.fromkeys(tried.problem or '' for tried in self.attempts))}"
        found = nearest.comparison
        loses = f"loses {found.drop:.2f} percentage points ({found.accuracy_float:.2%} -> {found.accuracy:.2%})"
        more = f"more than --max-drop {self.order.max_drop:g}"
        if nearest.keeps(self.order.max_drop):
            loses, more = f"answers otherwise for {1 - found.agreement:.2%}", f"more than {1 - AGREEMENT:.1%}"
        others = ", and no other recipe does better" if len(self.attempts) > 1 else ""
        return f"{self.order.model}: {nearest.recipe} {loses}, {more}{others}, so nothing is written; {ADVICE}"


def convert(order: Order, told: Told) -> Done:
    """Try the recipes and compare; nothing is written yet. ``told`` hears of each step before it starts.

    Raises ConvertError, ModelError or DataError where there is nothing to compare.
    """
    where = str(order.model)
    check_writable(order.out)
    told("reading MNIST")
    data = load_mnist(order.data)
    given = material.gather(data, images=order.calibration_images, seed=order.seed, photos=order.calibrate)
    with workers(1) as another, TemporaryDirectory() as name:
        coming = another.submit(material.photographed, given.known, given.test, order.seed)
        told("starting TensorFlow")
        loaded = load.load(order.model, architecture=order.architecture, labels=order.labels)
        digits = Card(labels=loaded.labels).digits
        tried_on = given.test[:TRIED], given.test_labels[:TRIED]
        told(f"finding out on {len(tried_on[0]):,} digits what input it wants")
        found = convention.find(
            loaded.model, *tried_on, digits, where,
            input_range=order.input_range, polarity=order.polarity,
        )  # fmt: skip
        folder = Path(name)
        tried = _made(order, loaded, found, given, folder, told)
        told(f"comparing on {len(given.test):,} test images")
        outputs = found.outputs(loaded.model, given.test)
        test = Questions(glyphs=given.test, labels=given.test_labels, outputs=outputs)
        known_seen, test_seen = np.split(coming.result(), [len(given.known)])
        examples = np.concatenate([given.known, known_seen]), np.tile(given.known_labels, 2)
        attempted, chosen = _chosen(order, tried, test, examples, folder, told)
        done = Done(
            order=order, loaded=loaded, convention=found, material=given, camera=test_seen, attempts=attempted,
            chosen=chosen, through_camera=None,
        )  # fmt: skip
        if done.shown is None:
            return done
        told(f"comparing on {len(given.test):,} through a synthetic camera")
        outputs = found.outputs(loaded.model, test_seen)
        camera = Questions(glyphs=test_seen, labels=given.test_labels, outputs=outputs)
        return replace(done, through_camera=attempts.compared(done.shown, camera, folder))


def write(done: Done) -> None:
    """The chosen file with its card, whole or not at all. Raises ConvertError where none was chosen."""
    if not done.chosen:
        raise ConvertError(done.problem() or "")
    with whole(done.order.out) as half:
        half.write_bytes(packed(done.chosen.content, card(done)))


def card(done: Done) -> Card:
    """The shown attempt's card with all that was measured, but no time: the same order gives the same bytes."""
    shown = done.shown
    assert shown and shown.comparison and done.through_camera
    return replace(
        shown.card,
        evaluation={
            "data_sha256": done.material.digest,
            "mnist": _figures(shown.comparison),
            "synthetic_camera": _figures(done.through_camera),
            "input": [
                {**asdict(trial), "accuracy": round(trial.accuracy, 6), "loss": round(trial.loss, 4)}
                for trial in done.convention.trials
            ],
        },
    )


def _made(order: Order, loaded: Loaded, found: Convention, given: Material, folder: Path, told: Told) -> list[Attempt]:
    """A file by each recipe that is asked for: those for every runtime first, of them the smallest."""
    where = str(order.model)
    plain = Card(
        name=order.model.stem,
        labels=loaded.labels,
        paper=found.paper,
        ink=found.ink,
        fit=found.fit,
        output=found.output,
        quantisation={
            "calibration_images": len(given.calibration),
            "calibration_photographed": given.photographed,
            "calibration_sha256": quantise.digest(given.calibration),
            "seed": order.seed,
        },
        source={"file": order.model.name, "sha256": loaded.sha256, **_versions(), "loaded_by": loaded.keras},
    )
    frozen = quantise.freeze(loaded.model, found, where)
    images = found.feed(given.calibration)
    tried = []
    for recipe in RECIPES if order.recipe == "auto" else (order.recipe,):
        told(f"converting to {recipe}")
        tried.append(attempts.attempt(frozen, recipe, images, plain, order.io, folder, where))
    return sorted(tried, key=lambda one: (one.problem is not None, not one.runs_everywhere, one.size_bytes))


def _chosen(
    order: Order,
    tried: list[Attempt],
    test: Questions,
    examples: tuple[Pixels, Labels],
    folder: Path,
    told: Told,
) -> tuple[tuple[Attempt, ...], Attempt | None]:
    """All attempts with what they lose, and the first of them that keeps what was asked for."""
    agreement = AGREEMENT if order.recipe == "auto" else 0.0
    chosen = None
    looked_at = []
    for one in tried:
        if not one.problem:
            told(f"comparing {one.recipe}")
            if chosen is None:
                one = attempts.calibrated(one, *examples, folder)
            asked = test if chosen is None else test.each(SURVEYED.get(one.recipe, 10))
            one = replace(
                one, comparison=attempts.compared(one, asked, folder), times=attempts.timed(one, test.glyphs, folder)
            )
            if chosen is None and one.keeps(order.max_drop, agreement):
                chosen = one = attempts.everywhere(one, test.each(RUN).glyphs, folder)
        looked_at.append(one)
    return tuple(looked_at), chosen


def _figures(found: Comparison) -> dict[str, int | float]:
    return {
        "images": found.images,
        "accuracy_float": round(found.accuracy_float, 6),
        "accuracy": round(found.accuracy, 6),
        "agreement": round(found.agreement, 6),
        **({} if found.rejected is None else {"taken_for_no_digit": round(found.rejected, 6)}),
        "confidence_drift_mean": round(float(found.drift.mean()), 4),
        "confidence_drift_worst": round(float(found.drift.max()), 4),
    }


def _versions() -> dict[str, str]:
    import keras
    import tensorflow as tf

    from edge.system.version import __version__

    return {"tensorflow": tf.__version__, "keras": keras.__version__, "edge-digits": __version__}
