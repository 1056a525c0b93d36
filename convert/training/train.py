"""Train the small Keras CNN that this project ships: on MNIST, generated handwriting, real marks, and non-digits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.classes import CLASSES, HEAD
from convert.data.corrections import LabelledGlyphs
from convert.data.mnist import Labels, Mnist
from convert.evaluation.accuracy import accuracy
from convert.load import LoadedModel
from convert.samples import marks
from convert.system.files import atomic_write
from convert.training import checkpoint, held_out, progress_file
from convert.training.checkpoint import Checkpoint
from convert.training.glyphs import Glyphs
from convert.training.older_weights import fitted
from convert.training.progress_file import Epoch
from edge.errors import ConvertError
from edge.types import Pixels

BATCH_SIZE = 128
"""Glyphs per training step."""
PEAK_RATE = 2e-3
"""Highest learning rate, reached after the first epoch; from there it falls to 0 along a cosine."""
FURTHER_PEAK_RATE = 8e-4
"""Highest learning rate when a trained model is trained further (``--start``)."""
SMOOTHING = 0.05
"""Label smoothing: keeps the model from becoming more confident than the data justifies."""

FILTERS = (24, 36, 48, 56, 64)
"""Filters of the five convolutions. Chosen: the .tflite is then below 100 KB."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model, and how it came about."""

    model: Any
    epochs: tuple[Epoch, ...]
    """The figures of each epoch."""
    kept: int
    """The epoch, from 1, whose weights the model has."""


def network() -> Any:
    """The untrained network: (28, 28, 1) float32 in 0..1, light ink on black -> logits of CLASSES.

    Five convolutions. The first has stride 2: a pen stroke of 2 to 3 pixels survives it, and the layers behind it
    have less work. 82,523 parameters, 3.0 million multiplications an image.
    """
    import keras
    from keras import layers

    def convolution(x: Any, filters: int, side: int = 3, **options: Any) -> Any:
        x = layers.Conv2D(filters, side, use_bias=False, kernel_initializer="he_normal", **options)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        return layers.ReLU()(x)

    glyph = layers.Input((28, 28, 1), name="glyph")
    x = convolution(glyph, FILTERS[0], 5, strides=2, padding="same")
    x = convolution(x, FILTERS[1])
    x = convolution(x, FILTERS[2])
    x = layers.MaxPooling2D(2)(x)
    x = convolution(x, FILTERS[3])
    x = convolution(x, FILTERS[4])
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(glyph, layers.Dense(len(CLASSES), name=HEAD)(x), name="mnist")


def train(
    data: Mnist,
    *,
    epochs: int,
    seed: int,
    on_epoch: Callable[[Epoch], None],
    on_resume: Callable[[int], None] = lambda done: None,
    patience: int | None = None,
    start: LoadedModel | None = None,
    checkpoint_file: Path | None = None,
    progress: Path | None = None,
    also: LabelledGlyphs | None = None,
    marks_folder: Path | None = None,
) -> Trained:
    """Train a model for ``epochs`` epochs on ``data.train`` and, if given, the user's own glyphs ``also``.

    ``marks_folder``: digits, letters and symbols of many writers (``convert.samples.marks``) are learnt too.
    ``patience``: it ends after so many epochs in a row that did not read the digits that are held out better than an
    earlier one, and the model is that of the best epoch, the first of equal ones. Without it, that of the last.

    ``on_epoch(figures)`` is called after each epoch, and their lines are written to the file ``progress``. Training
    begins with an untrained model, or with ``start``, which an earlier training made; one with the digits and none as
    its classes gets the others, and one with more filters keeps those that weigh most. After each epoch everything is
    saved to ``checkpoint_file``; if it is there, the training continues from it: ``on_resume(epochs done)``.
    Raises ConvertError if it is of another training or ``start`` is another network, and DataError if ``marks_folder``
    has no marks or ``data`` has too few images.
    """
    import keras

    keras.utils.set_random_seed(seed)
    parts = held_out.split(data)
    glyphs = Glyphs(parts, seed=seed, also=also, marks_folder=marks_folder)
    # Not the patience: it says only where the same way ends.
    identity = {
        "classes": list(CLASSES), "epochs": epochs, "seed": seed, "data": parts.digest,
        "start": start and start.sha256, "also": also and also.digest,
        "marks": marks_folder and marks.digest(marks_folder),
    }  # fmt: skip
    before = checkpoint.load(checkpoint_file, identity) if checkpoint_file else None
    model = before.model if before else _compiled(start, epochs, -(-len(glyphs) // BATCH_SIZE))
    done: tuple[Epoch, ...] = before.epochs if before else ()
    best = before.best if before else []
    if before:
        on_resume(len(done))
    if progress:
        progress_file.start(progress, done)
    with closing(glyphs.epochs(len(done), epochs)) as each:
        while len(done) < epochs and not is_over(done, patience):
            figures = _epoch(model, len(done), each, seed, parts)
            done = (*done, figures)
            if best_epoch(done) == len(done):
                best = model.get_weights()
            if checkpoint_file:
                checkpoint.save(Checkpoint(model, done, best), identity, checkpoint_file)
            if progress:
                progress_file.add(progress, figures)
            on_epoch(figures)
    if patience:
        model.set_weights(best)
    return Trained(model, done, best_epoch(done) if patience else len(done))


def best_epoch(epochs: Sequence[Epoch]) -> int:
    """The epoch, from 1, that reads the held-out digits best; the first of equal ones."""
    return 1 + max(range(len(epochs)), key=lambda i: epochs[i]["held_out_accuracy"])


def is_over(epochs: Sequence[Epoch], patience: int | None) -> bool:
    """Whether the last ``patience`` of these epochs did not read the held-out digits better than an earlier one."""
    return patience is not None and len(epochs) > 0 and len(epochs) - best_epoch(epochs) >= patience


def words(epoch: Epoch) -> str:
    """The figures of an epoch for a person: of its own glyphs, and of the digits that are held out."""
    return (
        f"loss {epoch['loss']:.3f}, {epoch['accuracy']:.2%} correct, {epoch['held_out_accuracy']:.2%} of the held-out"
    )


def _epoch(model: Any, done: int, each: Iterator[tuple[Pixels, Labels]], seed: int, parts: Mnist) -> Epoch:
    """Train one more epoch after ``done``, on the next of ``each``. Returns its figures."""
    started = time.monotonic()
    glyphs, classes = next(each)
    _reseed(model, [seed, done])
    history = model.fit(
        glyphs[..., None].astype(np.float32) / 255, np.eye(len(CLASSES), dtype=np.float32)[classes],
        batch_size=BATCH_SIZE, epochs=done + 1, initial_epoch=done, shuffle=False, verbose=0,
    ).history  # fmt: skip
    return {
        "epoch": done + 1,
        "loss": history["loss"][-1],
        "accuracy": history["accuracy"][-1],
        "held_out_accuracy": reads(model, parts.test, parts.test_labels),
        "seconds": round(time.monotonic() - started, 3),
        "learning_rate": float(model.optimizer.learning_rate),
    }


def _reseed(model: Any, seed: list[int]) -> None:
    """Seed dropout anew for each epoch: a checkpoint does not contain its state."""
    for layer in model.layers:
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign(np.random.default_rng(seed).integers(2**31, size=2))


def _compiled(start: LoadedModel | None, epochs: int, steps: int) -> Any:
    import keras

    model = network()
    if start:
        weights = fitted(start.model.get_weights(), [array.shape for array in model.get_weights()])
        other_labels = not start.labels or (len(start.labels) == len(CLASSES) and start.labels != CLASSES)
        if weights is None or other_labels:
            raise ConvertError(
                f"{start.path}: is not the network that edge-train trains; leave out --start to train a new one"
            )
        model.set_weights(weights)
    peak = FURTHER_PEAK_RATE if start else PEAK_RATE
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, (epochs - 1) * steps), warmup_target=peak, warmup_steps=steps
    )
    # XLA makes small convolutions slower on a CPU.
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING),
        metrics=["accuracy"],
        jit_compile=False,
    )
    return model


def save(model: Any, out: Path) -> None:
    """Write the Keras .h5 without its optimizer, atomically."""
    with atomic_write(out) as temporary:
        model.save(temporary, include_optimizer=False)


def reads(model: Any, glyphs: Pixels, labels: Labels) -> float:
    """The Keras model's accuracy on ``glyphs`` (n, 28, 28), 0 to 1, as ``convert.evaluation.accuracy`` defines it."""
    outputs = model.predict(glyphs[..., None].astype(np.float32) / 255, batch_size=500, verbose=0)
    return accuracy(outputs, CLASSES, labels)
