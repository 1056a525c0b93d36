"""Fit the network that looks at views, the first of the two in ``belief.tflite``, on generated pages.

The second one is fitted on other pages: what the first says of those that it was fitted on is too good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.evaluation.auc import auc
from convert.load.input_format import InputFormat
from convert.tflite import quantise
from convert.training.belief_samples import Pages, Samples
from edge.reading.evidence import SEVERAL, VIEW, VIEW_CLASSES
from edge.types import Pixels

VIEWS_SHARE = 4 / 7
"""Share of the pages, 0 to 1, that the first network is fitted on; the second gets the others. Chosen: the first has
more to learn, and the second overfits where it has few."""
HELD_OUT_SHARE = 1 / 12
"""Number of pages of held-out writers, as a share of the pages. Chosen: enough for figures of each kind."""
FILTERS = (20, 32, 48, 24, 64)
"""Filters of the three stages and of the last convolution, and units of the dense layer."""
BATCH_SIZE = 128
"""Views per training step."""
PEAK_RATE = 2e-3
"""Highest learning rate, reached after half an epoch; from there it falls to 0 along a cosine."""
GAIN = (0.7, 1.15)
"""Range of the factor by which a view's ink is made weaker or stronger."""
SHIFT = 1
"""Views are moved by at most so many pixels either way."""
CALIBRATION_VIEWS = 600
"""Number of views to calibrate int8 on. Chosen: as for a classifier."""
LEAST_PROBABILITY = 1e-4
"""Smaller probabilities count as this one in a log loss."""


def page_sets(pages: int, seed: int) -> tuple[Pages, Pages, Pages]:
    """The pages to fit each of the two networks on, ``pages`` together, and those of held-out writers to judge by."""
    for_views = round(VIEWS_SHARE * pages)
    counts = for_views, pages - for_views, max(1, round(HELD_OUT_SHARE * pages))
    first, second, third = (Pages(count, (seed, part), part == 2) for part, count in enumerate(counts))
    return first, second, third


def view_network(filters: Sequence[int] = FILTERS) -> Any:
    """The untrained network: views (40, 40, 2) float32 in 0..1 -> logits of VIEW_CLASSES.

    Residual blocks (He, Zhang, Ren and Sun, 2016) at 10x10 and at 5x5 pixels: 122,000 parameters, 4.2 million
    multiplications a view.
    """
    import keras
    from keras import layers

    def convolution(x: Any, count: int, side: int = 3, *, last: bool = False, **options: Any) -> Any:
        x = layers.Conv2D(count, side, use_bias=False, padding="same", **options)(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        return x if last else layers.ReLU()(x)

    def block(x: Any, count: int) -> Any:
        return layers.ReLU()(layers.Add()([x, convolution(convolution(x, count), count, last=True)]))

    first, second, third, reduced, dense = filters
    view = layers.Input((VIEW, VIEW, 2), name="view")
    x = convolution(view, first, 5, strides=2)
    x = block(convolution(x, second, strides=2), second)
    x = block(convolution(x, third, strides=2), third)
    x = layers.Dropout(0.25)(layers.Flatten()(convolution(x, reduced, 1)))
    x = layers.Dense(dense, activation="relu")(x)
    return keras.Model(view, layers.Dense(VIEW_CLASSES)(x), name="belief")


def fit_views(
    samples: Samples,
    held_out: Samples,
    *,
    epochs: int,
    seed: int,
    on_epoch: Callable[[int, str], None],
    filters: Sequence[int] = FILTERS,
) -> Any:
    """The Keras model, fitted on the samples that are looked at; ``on_epoch`` gets epochs done and held-out figures."""
    import keras

    # It numbers layers through the whole process, and the file has their names.
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    samples, held_out = samples[samples["looked_at"]], held_out[held_out["looked_at"]]
    steps = max(1, len(samples) // BATCH_SIZE)
    model = view_network(filters)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, epochs * steps - steps // 2), warmup_target=PEAK_RATE, warmup_steps=steps // 2
    )
    # XLA makes small convolutions slower on a CPU.
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    views, truths = samples["view"], samples["truth"]
    for epoch in range(epochs):
        rng = np.random.default_rng([seed, epoch])
        for batch in np.array_split(rng.permutation(len(samples)), steps):
            model.train_on_batch(varied(views[batch], rng), truths[batch])
        found = view_figures(_softmax(_logits(model, held_out["view"])), held_out["truth"])
        told = ", ".join(f"{name} {'-' if value is None else f'{value:.4f}'}" for name, value in found.items())
        on_epoch(epoch + 1, f"{told} (pages of writers who are held out)")
    return model


def varied(views: Pixels, rng: np.random.Generator) -> NDArray[np.float32]:
    """Views (n, 40, 40, 2) uint8 as the network gets them, 0 to 1: their ink weaker or stronger, and all moved."""
    gain = rng.uniform(*GAIN, (len(views), 1, 1, 1)).astype(np.float32) / 255
    shift = rng.integers(-SHIFT, SHIFT + 1, 2).tolist()
    return np.roll(np.minimum(views * gain, np.float32(1)), shift, (1, 2))


def view_figures(shares: NDArray[np.float32], truths: NDArray[np.int8]) -> dict[str, float | None]:
    """How well shares of VIEW_CLASSES, (n, 12), fit the classes: log loss, AUC, share of digits named right."""
    is_digit = truths < SEVERAL
    own = shares[np.arange(len(truths)), truths]
    named = shares[is_digit, :SEVERAL].argmax(axis=1) == truths[is_digit]
    return {
        "log loss": float(-np.log(np.maximum(own, LEAST_PROBABILITY)).mean()),
        "AUC": auc(shares[:, :SEVERAL].sum(axis=1), is_digit),
        "digits right": float(named.mean()) if len(named) else None,
    }


def _logits(model: Any, views: Pixels) -> NDArray[np.float32]:
    """In parts: as float32 all of them would take four times the memory of the samples."""
    parts = [views[i : i + 2048].astype(np.float32) / 255 for i in range(0, len(views), 2048)]
    return np.concatenate([np.zeros((0, VIEW_CLASSES), np.float32), *(model.predict_on_batch(part) for part in parts)])


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shares: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def quantised(model: Any, views: Pixels, seed: int) -> bytes:
    """The model as an int8 .tflite, calibrated on some of these views (n, 40, 40, 2); its input is their bytes."""
    some = np.random.default_rng(seed).permutation(len(views))[:CALIBRATION_VIEWS]
    calibration: NDArray[np.float32] = views[some].astype(np.float32) / np.float32(255)
    # A blank view with one pixel of full ink: the input's scale is exactly 1/255.
    calibration[0] = 0
    calibration[0, 0, 0] = 1
    shape = (VIEW, VIEW, 2)
    frozen = quantise.freeze(model, InputFormat(shape=shape, image=shape), "belief")
    return quantise.convert(frozen, "int8", calibration, "uint8", "belief")


def is_right(samples: Samples) -> NDArray[np.bool_]:
    """(n,): whether each sample is a digit, and the one that the classifier names."""
    right: NDArray[np.bool_] = samples["truth"] == samples["digit"]
    return right
