"""From a Keras file to a quantised file beside it: load, calibrate, quantise, verify, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from convert import convention, load, quantise, temperature
from convert.datasets import load_mnist
from convert.verify import Verdict, verify
from convert.whole import check_writable, whole
from edge.card import Card
from edge.errors import ConvertError, ModelError
from edge.model import Model

ADVICE = "train it so that its weights and activations are of a like size (normalise, regularise)"
"""What helps where int8 breaks a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be converted, and how."""

    model: Path
    out: Path
    data: str | None = None
    """Where MNIST is, as ``convert.datasets.load_mnist`` takes it."""
    max_drop: float = 0.3
    """Accuracy that may be lost, in percentage points."""
    calibration_images: int = 1000
    seed: int = 1
    io: quantise.Io = "uint8"


@dataclass(frozen=True, slots=True)
class Done:
    """What was written, and what it is worth."""

    card: Card
    verdict: Verdict
    float_bytes: int
    """Size of the Keras model's weights, 4 bytes each; its file may hold an optimizer's state, too."""


def convert(order: Order, told: Callable[[str], None]) -> Done:
    """Quantise, and write the file only where it proves good enough; ``told`` hears of each step before it starts.

    Raises ConvertError, ModelError or DataError; then nothing is written and an older file stays as it was.
    """
    where = str(order.model)
    check_writable(order.out)
    told("starting TensorFlow")
    loaded = load.load(order.model)
    told("reading MNIST")
    data = load_mnist(order.data)
    glyphs = quantise.calibration(data, order.calibration_images, order.seed)
    found = convention.find(loaded.model, glyphs, where)
    told("quantising")
    content = quantise.int8(loaded.model, found, glyphs, order.io, where)
    card = Card(
        name=order.model.stem,
        labels=loaded.labels,
        paper=found.paper,
        ink=found.ink,
        output=found.output,
        quantisation={
            "recipe": "int8",
            "input": order.io,
            "output": order.io,
            "calibration_images": len(glyphs),
            "calibration_sha256": quantise.digest(glyphs),
            "seed": order.seed,
        },
        source={"file": order.model.name, "sha256": loaded.sha256, **_versions(), "loaded_by": loaded.keras},
    )
    told(f"comparing on {len(data.test):,} test images")
    outputs = found.outputs(loaded.model, data.test)
    with TemporaryDirectory() as folder:
        candidate = Path(folder, order.out.name)
        try:
            with _opened(candidate, content, card) as quantised:
                seen, labels = temperature.examples(data, order.seed)
                card = replace(card, temperature=temperature.fit(quantised.predict(seen), labels))
            with _opened(candidate, content, card) as quantised:
                verdict = verify(outputs, quantised, data.test, data.test_labels, len(content))
        except ModelError as error:
            # Its text speaks of a file that is about to vanish.
            why = str(error).removeprefix(f"{candidate}: ").partition(";")[0]
            raise ConvertError(f"{where}: cannot be run in int8: {why}; {ADVICE}") from error
    if verdict.drop > order.max_drop:
        raise ConvertError(
            f"{where}: int8 loses {verdict.drop:.2f} percentage points ({verdict.accuracy_float:.2%} ->"
            f" {verdict.accuracy:.2%}), more than --max-drop {order.max_drop:g}, so nothing is written;"
            f" {ADVICE}, or allow more"
        )
    # No time in the card: the same order gives the same bytes.
    card = replace(card, evaluation=_evaluation(verdict, data.digest))
    with whole(order.out) as half:
        half.write_bytes(content + card.archive())
    return Done(card, verdict, 4 * loaded.model.count_params())


def _opened(path: Path, content: bytes, card: Card) -> Model:
    path.write_bytes(content + card.archive())
    return Model(path)


def _evaluation(verdict: Verdict, data_sha256: str) -> dict[str, int | float | str]:
    return {
        "images": verdict.images,
        "data_sha256": data_sha256,
        "accuracy_float": round(verdict.accuracy_float, 6),
        "accuracy_int8": round(verdict.accuracy, 6),
        "agreement": round(verdict.agreement, 6),
        **({} if verdict.rejected is None else {"taken_for_no_digit": round(verdict.rejected, 6)}),
        "confidence_drift_mean": round(verdict.drift_mean, 4),
        "confidence_drift_worst": round(verdict.drift_worst, 4),
    }


def _versions() -> dict[str, str]:
    import keras
    import tensorflow as tf

    from edge import __version__

    return {"tensorflow": tf.__version__, "keras": keras.__version__, "edge-digits": __version__}
