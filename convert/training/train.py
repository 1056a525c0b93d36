"""Train the small Keras CNN that this project ships, on MNIST as other hands and a camera would show it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convert.data.corrections import Taught
from convert.data.mnist import Mnist
from convert.load import Loaded
from convert.samples import augment
from convert.samples.nondigits import nondigits
from convert.system.files import whole
from convert.system.workers import Workers, workers
from convert.training import checkpoint
from edge.errors import ConvertError
from edge.types import Pixels

CAMERA_SHARE = 0.35
"""Share of each epoch's glyphs of MNIST that went through the virtual camera."""
HANDWRITTEN_SHARE = 0.6
"""As many digits of the project's own stroke model are added to each epoch, as a share of the training set."""
NONDIGIT_SHARE = 0.35
"""The same for marks that are no digit."""
TAUGHT_SHARE = 0.06
"""The same for the user's own glyphs: each is repeated, and varied anew each time, until they are so many,"""
TAUGHT_TIMES = 60
"""but no oftener an epoch than this: a few would be learnt by heart."""
SETS = 3
"""So many different sets of both take turns."""
PARTS = 16
"""The making of many glyphs is in so many parts, each with a seed of its own: no core count matters."""
BATCH = 128
PEAK_RATE = 2e-3
"""Learning rate after the first epoch; it falls to 0 along a cosine."""
SECOND_PEAK_RATE = 1e-3
"""The same where a trained model goes on."""
SMOOTHING = 0.05
"""Label smoothing: the model should never be surer than the data."""

CLASSES = 11
"""The digits 0 to 9, and what is no digit."""

NOTHING_TAUGHT = Taught(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))

Work = Callable[[Any, Any], Pixels]
"""Glyphs (n, 28, 28), or digits (n,), and a seed -> as many glyphs."""


def network() -> Any:
    """The untrained network: (28, 28, 1) float32 in 0..1, light ink on black -> logits of ten digits and of none.

    Five convolutions; the first one strides, because a stroke of 2 to 3 pixels survives it and it halves the
    work of everything behind. 135,419 parameters, 3.9 million multiplications an image.
    """
    import keras
    from keras import layers

    def convolution(x: Any, filters: int, side: int = 3, **options: Any) -> Any:
        x = layers.Conv2D(filters, side, use_bias=False, kernel_initializer="he_normal", **options)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        return layers.ReLU()(x)

    glyph = layers.Input((28, 28, 1), name="glyph")
    x = convolution(glyph, 24, 5, strides=2, padding="same")
    x = convolution(x, 40)
    x = convolution(x, 56)
    x = layers.MaxPooling2D(2)(x)
    x = convolution(x, 72)
    x = convolution(x, 104)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(glyph, layers.Dense(CLASSES, name="digit_or_none")(x), name="mnist")


def shares(work: Work, items: Pixels, seed: list[int], some: Workers) -> Pixels:
    """``work`` on all items (n, …), in PARTS parts of seed [*seed, part], shared by the workers."""
    ends = [PARTS * worker // some.count for worker in range(some.count + 1)]
    jobs = [some.submit(_parts, work, items, seed, *part) for part in zip(ends[:-1], ends[1:], strict=True)]
    return np.concatenate([job.result() for job in jobs])


def _parts(work: Work, items: Pixels, seed: list[int], first: int, end: int) -> Pixels:
    parts = np.array_split(items, PARTS)
    # None of them are no glyphs.
    none = np.zeros((0, 28, 28), np.uint8)
    return np.concatenate([none, *(work(parts[i], [*seed, i]) for i in range(first, end) if len(parts[i]))])


def train(
    data: Mnist,
    *,
    epochs: int,
    seed: int,
    told: Callable[[int, dict[str, float]], None],
    start: Loaded | None = None,
    kept: Path | None = None,
    also: Taught | None = None,
) -> Any:
    """The trained model, after ``epochs`` over ``data.train``; ``told(epochs done, figures)`` hears of each.

    ``also`` is learnt besides. It begins untrained, or as ``start``, a model of such a training. After each epoch it is
    kept in the file ``kept``; where that is of the same training, it goes on from there. Raises ConvertError where
    ``start`` is another network.
    """
    import keras

    keras.utils.set_random_seed(seed)
    own, own_classes = repeated(also, round(TAUGHT_SHARE * len(data.train))) if also else NOTHING_TAUGHT
    order = {"epochs": epochs, "seed": seed, "data": data.digest, "start": start and start.sha256}
    if also:
        order["also"] = also.digest
    model, done = checkpoint.load(kept, order) if kept else (None, 0)
    model = model or _compiled(start, epochs, -(-(_epoch_size(len(data.train)) + len(own)) // BATCH))
    written_digits = np.arange(SETS * round(HANDWRITTEN_SHARE * len(data.train)), dtype=np.uint8) // SETS % 10
    nondigit_count = SETS * round(NONDIGIT_SHARE * len(data.train))
    material = np.random.default_rng(seed).integers(len(data.train), size=nondigit_count)
    with workers(min(PARTS, os.cpu_count() or 1)) as some:
        seen = shares(augment.seen, data.train, [seed, 0], some)
        written = shares(augment.handwriting, written_digits, [seed, 0, 1], some)
        nothing = shares(nondigits, data.train[material], [seed, 0, 2], some)
    # Another process makes the next epoch's glyphs while this one trains on the last.
    with workers(1) as single:
        coming = single.submit(augment.varied, data.train, [seed, done + 1])
        for epoch in range(done, epochs):
            glyphs = coming.result()
            if epoch + 1 < epochs:
                coming = single.submit(augment.varied, data.train, [seed, epoch + 2])
            rng = np.random.default_rng([seed, epoch])
            through = rng.uniform(size=len(glyphs)) < CAMERA_SHARE
            glyphs[through] = seen[through]
            turn = slice(epoch % SETS, None, SETS)
            parts = [glyphs, written[turn], nothing[turn]]
            none = np.full(len(nothing[turn]), CLASSES - 1)
            if len(own):
                parts.append(augment.varied(own, [seed, epoch, 3]))
            glyphs = np.concatenate(parts)
            labels = np.concatenate([data.train_labels, written_digits[turn], none, own_classes])
            _reseed(model, [seed, epoch])
            order_of_batches = rng.permutation(len(glyphs))
            past = model.fit(
                glyphs[order_of_batches, ..., None].astype(np.float32) / 255,
                np.eye(CLASSES, dtype=np.float32)[labels[order_of_batches]],
                batch_size=BATCH, epochs=epoch + 1, initial_epoch=epoch, shuffle=False, verbose=0,
            )  # fmt: skip
            if kept:
                checkpoint.save(model, epoch + 1, order, kept)
            told(epoch + 1, {name: values[-1] for name, values in past.history.items()})
    return model


def repeated(also: Taught, many: int) -> Taught:
    """All glyphs in turn until they are ``many``, but none oftener than TAUGHT_TIMES; each once at least."""
    count = max(len(also.glyphs), min(many, TAUGHT_TIMES * len(also.glyphs)))
    which = np.arange(count) % len(also.glyphs)
    return Taught(also.glyphs[which], also.classes[which])


def _reseed(model: Any, seed: list[int]) -> None:
    """Dropout of each epoch follows the seed alone: a checkpoint does not keep its state."""
    for layer in model.layers:
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign(np.random.default_rng(seed).integers(2**31, size=2))


def _epoch_size(images: int) -> int:
    return images + round(HANDWRITTEN_SHARE * images) + round(NONDIGIT_SHARE * images)


def _compiled(start: Loaded | None, epochs: int, steps: int) -> Any:
    import keras

    model = network()
    if start:
        weights = start.model.get_weights()
        if [array.shape for array in weights] != [array.shape for array in model.get_weights()]:
            raise ConvertError(
                f"{start.path}: is another network than edge-train's; leave --start away to train a new one"
            )
        model.set_weights(weights)
    peak = SECOND_PEAK_RATE if start else PEAK_RATE
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
    """Write the Keras .h5, whole or not at all, without its optimizer."""
    with whole(out) as half:
        model.save(half, include_optimizer=False)


def accuracy(model: Any, glyphs: Pixels, labels: Any) -> float:
    """Share of ``glyphs`` (n, 28, 28) that the Keras model classifies as labelled, 0 to 1."""
    found = model.predict(glyphs[..., None].astype(np.float32) / 255, batch_size=500, verbose=0).argmax(1)
    return float(np.mean(found == labels))
