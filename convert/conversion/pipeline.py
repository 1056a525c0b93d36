"""The steps of a conversion: load the model, detect its input format, try the recipes, compare, choose, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from convert import load
from convert.choices import Recipe
from convert.conversion import attempts, dataset
from convert.conversion.attempts import AGREEMENT, Attempt, TestSet
from convert.conversion.dataset import Dataset
from convert.conversion.request import Request
from convert.data.mnist import Labels, load_mnist
from convert.evaluation.accuracy import answered
from convert.evaluation.verify import Comparison
from convert.load import LoadedModel, input_format
from convert.load.conventions import USUAL_ACCURACY, InputFormat
from convert.system.confinement import Protections
from convert.system.versions import versions
from convert.system.workers import workers
from convert.tflite import quantise
from edge.errors import ConvertError, ModelError
from edge.model.card import Card, packed
from edge.system.text import MAX_TEXT, printable
from edge.types import Pixels

SAMPLE_STEP = 10
"""After a recipe has been chosen, the others are compared on every tenth test image only, to save time."""
SLOW_SAMPLE_STEP = {"int16x8": 50}
"""The same for recipes without fast kernels: int16x8 is compared on every fiftieth test image."""
RUNTIME_STEP = 20
"""The runtimes are compared with one another on every twentieth test image, to save time."""
ADVICE = "train the model so that its weights and activations have similar magnitudes (normalise, regularise)"
"""What to do if quantisation breaks a model."""
StepCallback = Callable[[str], None]
"""Called with the name of each step before it starts."""
AllowCallback = Callable[[float], None]
"""Called with how many seconds the model may be computed from now on, until it is called again."""
TIMED_IMAGES = 100
"""How many digits a model is timed on, as one batch, before the other steps get the time that they may take."""
LOAD_SECONDS = 20.0
"""How long a model may be read, tried on two images and timed. Measured: 2 s for the models of 22 people, and 4 s where
``tf_keras`` has to be imported."""
STEP_SECONDS = 15.0
"""How long a step may take besides what the Keras model itself needs for STEP_IMAGES. Measured: 4 s at most."""
STEP_IMAGES = 100_000
"""How many times a step may run the Keras model: up to 60,000 times to detect the input format."""
CARD_TRIALS = 8
"""How many of the ways to feed the model that were tried are in the card, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The result of a conversion, before anything is written."""

    request: Request
    loaded: LoadedModel
    input_format: InputFormat
    dataset: Dataset
    camera: Pixels
    """``dataset.test`` as the synthetic camera sees it."""
    attempts: tuple[Attempt, ...]
    """Every recipe that was tried, best first: files that run in every runtime, smallest first; then the other files;
    then recipes that gave no file."""
    chosen: Attempt | None
    """The one to write; None if none is accurate enough."""
    protections: Protections | None = None
    """What the process in which the model was read cannot do; None if it was not confined."""
    through_camera: Comparison | None
    """``shown`` compared with the Keras model on ``camera``; None if no recipe gave a file that runs."""
    weakness: str | None = None
    """Why ``edge run`` refuses the chosen file, though it is as accurate as was asked; None if it does not."""

    @property
    def shown(self) -> Attempt | None:
        """The attempt that the report describes: the chosen one, or else the one that loses least accuracy."""
        compared = [attempt for attempt in self.attempts if attempt.comparison]
        return self.chosen or min(
            compared, key=lambda attempt: attempt.comparison.drop if attempt.comparison else 0, default=None
        )

    def remarks(self) -> Iterator[str]:
        """What a person should know before trusting the file: sentences without a full stop."""
        yield from self.input_format.remarks()
        if self.weakness:
            yield f"edge run refuses it: {self.weakness}; train it on more kinds of handwriting"

    def problem(self) -> str | None:
        """Why no file is written, in one line; None if one is."""
        if self.chosen:
            return None
        model, best = self.request.model, self.shown
        if best is None or best.comparison is None:
            return f"{model}: {'; '.join(dict.fromkeys(attempt.problem or '' for attempt in self.attempts))}"
        found = best.comparison
        floor = self.request.min_accuracy
        least = f"of MNIST's test images, less than --min-accuracy {floor:g}"
        if 100 * found.answered_float < floor:
            trials = self.input_format.trials
            tried = f", fed in the best of {len(trials)} ways ({trials[0].name})" if trials else ""
            taken = f", as it takes {others:.2%} for no digit" if (others := found.taken_for_no_digit) else ""
            fed = "if its outputs have another order or its input another range, say --labels or --input-range; else "
            if found.answered_float >= USUAL_ACCURACY:
                # Then it is fed rightly.
                fed = ""
            return (
                f"{model}: reads {found.answered_float:.2%} {least}{taken}{tried}; nothing is written; {fed}train it"
                " on digits like MNIST's, or lower --min-accuracy"
            )
        loses = f"loses {found.drop:.2f} percentage points ({found.accuracy_float:.2%} -> {found.accuracy:.2%})"
        limit, instead = f"--max-drop {self.request.max_drop:g}", "raise --max-drop"
        if best.is_within(self.request.max_drop) and 100 * found.answered < floor:
            text = f"{model}: as {best.recipe} reads {found.answered:.2%} {least}"
            return f"{text}; nothing is written; {ADVICE}, or lower it"
        if best.is_within(self.request.max_drop):
            loses = f"gives another answer than Keras for {1 - found.agreement:.2%} of the images"
            one = "--recipe int8" if self.request.target == "tflm" else "one --recipe"
            limit, instead = f"{1 - AGREEMENT:.1%}", f"choose {one}"
        alone = ", and no other recipe does better" if len(self.attempts) > 1 else ""
        return f"{model}: {best.recipe} {loses}, more than {limit}{alone}; nothing is written; {ADVICE}, or {instead}"


def convert(
    request: Request,
    on_step: StepCallback,
    allow: AllowCallback = lambda seconds: None,
    protections: Protections | None = None,
) -> Conversion:
    """Try the recipes and compare them; nothing is written yet. ``on_step`` is called before each step.

    Raises ConvertError, ModelError or DataError if there is nothing to compare.
    """
    where = str(request.model)
    allow(LOAD_SECONDS)
    load.check(request.model, architecture=request.architecture, labels=request.labels)
    # Nothing foreign is read from here to the next of these lines, and a network's disk may be slow.
    allow(0)
    on_step("reading MNIST")
    data = load_mnist(request.data)
    digits = dataset.select(data, images=request.calibration_images, seed=request.seed, photos=request.calibrate)
    with workers(1) as pool, TemporaryDirectory() as name:
        camera_job = pool.submit(dataset.through_camera, digits.temperature, digits.test, request.seed)
        on_step("starting TensorFlow")
        import tensorflow  # noqa: F401

        on_step("loading the model")
        allow(LOAD_SECONDS)
        loaded = load.load(
            request.model, architecture=request.architecture, labels=request.labels,
            graph_input=request.graph_input, graph_output=request.graph_output,
        )  # fmt: skip
        # Not on blank images: a model may be made to be quick on these, and endless on digits.
        timed = input_format.samples(loaded.model, digits.test[:TIMED_IMAGES], where)
        seconds = STEP_SECONDS + STEP_IMAGES * load.seconds_per_image(loaded.model, timed, request.model)

        def next_step(name: str) -> None:
            allow(seconds)
            on_step(name)

        next_step("detecting the input format")
        detected = input_format.detect(
            loaded.model, digits.test, digits.test_labels, loaded.labels or None, where,
            is_named=request.labels is not None, input_range=request.input_range, polarity=request.polarity,
        )  # fmt: skip
        next_step(f"reading {len(digits.test):,} test images")
        outputs = detected.outputs(loaded.model, digits.test)
        recipes, reads = request.recipes, answered(outputs, detected.labels, digits.test_labels)
        if request.target == "pi" and 100 * reads < request.min_accuracy:
            # No file can be written: one is enough for the report.
            recipes = ("float32",)
        folder = Path(name)
        tried = _try_recipes(request, loaded, detected, digits, recipes, folder, next_step)
        test = TestSet(glyphs=digits.test, labels=digits.test_labels, outputs=outputs)
        fitting_camera, test_camera = np.split(camera_job.result(), [len(digits.temperature)])
        fitting = np.concatenate([digits.temperature, fitting_camera]), np.tile(digits.temperature_labels, 2)
        compared, chosen = _compare_and_choose(request, tried, test, fitting, folder, next_step)
        conversion = Conversion(
            request=request, loaded=loaded, input_format=detected, dataset=digits, camera=test_camera,
            attempts=compared, chosen=chosen, protections=protections, through_camera=None,
        )  # fmt: skip
        if conversion.shown is None:
            return conversion
        next_step(f"comparing on {len(digits.test):,} test images through a synthetic camera")
        outputs = detected.outputs(loaded.model, test_camera)
        camera = TestSet(glyphs=test_camera, labels=digits.test_labels, outputs=outputs)
        seen = attempts.compare(conversion.shown, camera, folder)
        weakness = attempts.weakness(chosen, folder) if chosen else None
        return replace(conversion, through_camera=seen, weakness=weakness)


def write(conversion: Conversion, path: Path) -> int:
    """Write the chosen file with its card. Returns its size in bytes. Raises ConvertError if none was chosen."""
    if not conversion.chosen:
        raise ConvertError(conversion.problem() or "")
    return path.write_bytes(packed(conversion.chosen.content, card(conversion)))


def card(conversion: Conversion) -> Card:
    """The shown attempt's card with all that was measured except times: the same request gives the same bytes."""
    shown = conversion.shown
    assert shown and shown.comparison and conversion.through_camera
    return replace(
        shown.card,
        evaluation={
            "data_sha256": conversion.dataset.digest,
            "mnist": _figures(shown.comparison),
            "synthetic_camera": _figures(conversion.through_camera),
            "input": [trial.figures() for trial in conversion.input_format.trials[:CARD_TRIALS]],
        },
    )


def _try_recipes(
    request: Request,
    loaded: LoadedModel,
    detected: InputFormat,
    digits: Dataset,
    recipes: Sequence[Recipe],
    folder: Path,
    on_step: StepCallback,
) -> list[Attempt]:
    """A file by each of the recipes, sorted as ``Conversion.attempts`` is."""
    where = str(request.model)
    plain = replace(
        detected.card,
        name=printable(request.model.stem)[:MAX_TEXT],
        quantisation={
            "calibration_images": len(digits.calibration),
            "calibration_photographed": digits.own_count,
            "calibration_sha256": quantise.digest(digits.calibration),
            "seed": request.seed,
        },
        source={
            "file": printable(request.model.name),
            "sha256": loaded.sha256,
            **versions(),
            "loaded_by": loaded.loaded_by,
        },
    )
    frozen = quantise.freeze(loaded.model, detected, where)
    images = detected.feed(digits.calibration)
    tried = []
    for recipe in recipes:
        on_step(f"converting to {recipe}")
        tried.append(attempts.try_recipe(frozen, recipe, images, plain, request.io, folder, where, request.target))
    return sorted(tried, key=lambda one: (one.problem is not None, not one.runs_everywhere, one.size_bytes))


def _compare_and_choose(
    request: Request,
    tried: list[Attempt],
    test: TestSet,
    fitting: tuple[Pixels, Labels],
    folder: Path,
    on_step: StepCallback,
) -> tuple[tuple[Attempt, ...], Attempt | None]:
    """All attempts with their comparison, and the first of them that is accurate enough."""
    min_agreement = AGREEMENT if request.recipe == "auto" else 0.0
    chosen = None
    compared = []
    for attempt in tried:
        if not attempt.problem:
            on_step(f"comparing {attempt.recipe}")
            try:
                if chosen is None:
                    attempt = attempts.with_temperature(attempt, *fitting, folder)
                step = 1 if chosen is None else SLOW_SAMPLE_STEP.get(attempt.recipe, SAMPLE_STEP)
                attempt = replace(
                    attempt,
                    comparison=attempts.compare(attempt, test.every(step), folder),
                    times=attempts.measure_times(attempt, test.glyphs, folder),
                )
            except ModelError as error:
                attempt = replace(attempt, problem=f"as {attempt.recipe} {_reason(error)}")
            if chosen is None and attempt.is_within(request.max_drop, min_agreement, request.min_accuracy / 100):
                chosen = attempt = attempts.with_runtime_agreement(attempt, test.every(RUNTIME_STEP).glyphs, folder)
        compared.append(attempt)
    return tuple(compared), chosen


def _reason(error: ModelError) -> str:
    """Why a file in a temporary folder fails, without its name and without advice."""
    return str(error).partition(": ")[2].partition(";")[0]


def _figures(found: Comparison) -> dict[str, int | float]:
    return {
        "images": found.images,
        "accuracy_float": round(found.accuracy_float, 6),
        "accuracy": round(found.accuracy, 6),
        "agreement": round(found.agreement, 6),
        **({} if found.taken_for_no_digit is None else {"taken_for_no_digit": round(found.taken_for_no_digit, 6)}),
        "confidence_drift_mean": round(float(found.drift.mean()), 4),
        "confidence_drift_worst": round(float(found.drift.max()), 4),
    }
