"""Train the small Keras CNN that this project ships: on MNIST, generated handwriting, real marks, and non-digits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convert.classes import CLASSES, HEAD, NO_DIGIT
from convert.data.corrections import LabelledGlyphs
from convert.data.mnist import Mnist
from convert.load import LoadedModel
from convert.samples import augment, marks
from convert.samples.nondigits import nondigits
from convert.system.files import atomic_write
from convert.system.workers import Job, Workers, workers
from convert.training import checkpoint
from convert.training.older_weights import fitted
from edge.errors import ConvertError
from edge.model.card import DIGITS
from edge.types import Pixels

CAMERA_SHARE = 0.35
"""Share of the MNIST glyphs of each epoch, 0 to 1, that went through the virtual camera. Chosen: the others stay
sharp, as in MNIST."""
HANDWRITTEN_SHARE = 0.6
"""Number of generated handwritten digits in each epoch, as a share of the training set."""
NONDIGIT_SHARE = 0.35
"""Number of marks that are not digits in each epoch, as a share of the training set."""
NONDIGIT_SHARE_BESIDE_MARKS = 0.17
"""The same beside letters and symbols of many writers. Chosen: those show better what is not a digit."""
OWN_SHARE = 0.06
"""Number of the user's own glyphs in each epoch, as a share of the training set: each is repeated, and varied each
time."""
MAX_OWN_REPEATS = 60
"""How often one of the user's own glyphs is repeated in an epoch at most. Chosen: a few glyphs repeated more often
would be memorised."""
SAMPLE_SETS = 3
"""Number of different sets of handwriting and of non-digits; successive epochs use them in turn. Chosen: more
variety without generating new ones for every epoch."""
SEED_PARTS = 16
"""Generating glyphs is divided into this many parts, each with its own seed, so that the result does not depend on the
number of processor cores."""
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

NO_OWN_GLYPHS = LabelledGlyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
"""No glyphs of the user."""

NO_CLASSES = np.zeros(0, np.uint8)
"""The classes of no glyphs."""

Work = Callable[[Any, Any], Pixels]
"""A function of glyphs (n, 28, 28), or digits (n,), and a seed that returns n glyphs."""


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


def in_parallel(work: Work, items: Pixels, seed: list[int], pool: Workers) -> Pixels:
    """Run ``work`` on all items (n, …), in SEED_PARTS parts with the seeds [*seed, part], divided among the workers."""
    ends = [SEED_PARTS * worker // pool.count for worker in range(pool.count + 1)]
    jobs = [pool.submit(_parts, work, items, seed, *part) for part in zip(ends[:-1], ends[1:], strict=True)]
    return np.concatenate([job.result() for job in jobs])


def _parts(work: Work, items: Pixels, seed: list[int], first: int, end: int) -> Pixels:
    parts = np.array_split(items, SEED_PARTS)
    # Without it there would be nothing to concatenate if all parts are empty.
    none = np.zeros((0, 28, 28), np.uint8)
    return np.concatenate([none, *(work(parts[i], [*seed, i]) for i in range(first, end) if len(parts[i]))])


def train(
    data: Mnist,
    *,
    epochs: int,
    seed: int,
    on_epoch: Callable[[int, dict[str, float]], None],
    start: LoadedModel | None = None,
    checkpoint_file: Path | None = None,
    also: LabelledGlyphs | None = None,
    marks_folder: Path | None = None,
) -> Any:
    """Train a model for ``epochs`` epochs on ``data.train`` and, if given, the user's own glyphs ``also``.

    ``marks_folder``: digits, letters and symbols of many writers (``convert.samples.marks``) are learnt too.

    ``on_epoch(epochs done, figures)`` is called after each epoch; the figures are Keras's ``loss`` and ``accuracy``.
    Training begins with an untrained model, or with ``start``, which an earlier training made; one with the digits and
    none as its classes gets the others, and one with more filters keeps those that weigh most. After each epoch the
    model is saved to ``checkpoint_file``; if that file is of the same training, it continues from there. Raises
    ConvertError if ``start`` is another network, and DataError if ``marks_folder`` has no marks.
    """
    import keras

    keras.utils.set_random_seed(seed)
    own, own_classes = repeated(also, round(OWN_SHARE * len(data.train))) if also else NO_OWN_GLYPHS
    identity = {
        "classes": list(CLASSES), "epochs": epochs, "seed": seed, "data": data.digest, "start": start and start.sha256,
    }  # fmt: skip
    if also:
        identity["also"] = also.digest
    nondigit_share = NONDIGIT_SHARE
    size = len(data.train) + len(own)
    if marks_folder:
        # Loaded here, so that a wrong folder is refused before the long work.
        size += marks.load(marks_folder).number(len(data.train))
        identity["marks"] = marks.digest(marks_folder)
        nondigit_share = NONDIGIT_SHARE_BESIDE_MARKS
    written_count, nondigit_count = (round(share * len(data.train)) for share in (HANDWRITTEN_SHARE, nondigit_share))
    size += written_count + nondigit_count
    model, done = checkpoint.load(checkpoint_file, identity) if checkpoint_file else (None, 0)
    model = model or _compiled(start, epochs, -(-size // BATCH_SIZE))
    written_digits = (np.arange(SAMPLE_SETS * written_count) // SAMPLE_SETS % 10).astype(np.uint8)
    nondigit_sources = np.random.default_rng(seed).integers(len(data.train), size=SAMPLE_SETS * nondigit_count)
    with workers(min(SEED_PARTS, os.cpu_count() or 1)) as pool:
        through_camera = in_parallel(augment.through_camera, data.train, [seed, 0], pool)
        written = in_parallel(augment.handwriting, written_digits, [seed, 0, 1], pool)
        nondigit_glyphs = in_parallel(nondigits, data.train[nondigit_sources], [seed, 0, 2], pool)
    # Another process generates the next epoch's glyphs while this one trains.
    with workers(1) as single:

        def submit(epoch: int) -> tuple[Job, Job | None, Any]:
            varied = single.submit(augment.varied, data.train, [seed, epoch + 1])
            if not marks_folder:
                return varied, None, NO_CLASSES
            places, classes = marks.load(marks_folder).choose(len(data.train), [seed, epoch, 4])
            return varied, single.submit(marks.glyphs, places, [seed, epoch, 5], marks_folder), classes

        next_epoch = submit(done)
        for epoch in range(done, epochs):
            varied, marked_job, marked_classes = next_epoch
            glyphs = varied.result()
            marked_glyphs = [marked_job.result()] if marked_job else []
            if epoch + 1 < epochs:
                next_epoch = submit(epoch + 1)
            rng = np.random.default_rng([seed, epoch])
            through = rng.uniform(size=len(glyphs)) < CAMERA_SHARE
            glyphs[through] = through_camera[through]
            turn = slice(epoch % SAMPLE_SETS, None, SAMPLE_SETS)
            parts = [glyphs, written[turn], nondigit_glyphs[turn], *marked_glyphs]
            none = np.full(len(nondigit_glyphs[turn]), NO_DIGIT)
            if len(own):
                parts.append(augment.varied(own, [seed, epoch, 3]))
            glyphs = np.concatenate(parts)
            labels = np.concatenate([data.train_labels, written_digits[turn], none, marked_classes, own_classes])
            _reseed(model, [seed, epoch])
            order_of_batches = rng.permutation(len(glyphs))
            history = model.fit(
                glyphs[order_of_batches, ..., None].astype(np.float32) / 255,
                np.eye(len(CLASSES), dtype=np.float32)[labels[order_of_batches]],
                batch_size=BATCH_SIZE, epochs=epoch + 1, initial_epoch=epoch, shuffle=False, verbose=0,
            )  # fmt: skip
            if checkpoint_file:
                checkpoint.save(model, epoch + 1, identity, checkpoint_file)
            on_epoch(epoch + 1, {name: values[-1] for name, values in history.history.items()})
    return model


def repeated(also: LabelledGlyphs, many: int) -> LabelledGlyphs:
    """The glyphs repeated in turn up to ``many``; each at least once, at most MAX_OWN_REPEATS times."""
    count = max(len(also.glyphs), min(many, MAX_OWN_REPEATS * len(also.glyphs)))
    which = np.arange(count) % len(also.glyphs)
    return LabelledGlyphs(also.glyphs[which], also.classes[which])


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


def accuracy(model: Any, glyphs: Pixels, labels: Any) -> float:
    """Share of ``glyphs`` (n, 28, 28) whose most probable digit, by the Keras model, is the labelled one, 0 to 1."""
    found = model.predict(glyphs[..., None].astype(np.float32) / 255, batch_size=500, verbose=0)
    return float(np.mean(found[:, : len(DIGITS)].argmax(1) == labels))
