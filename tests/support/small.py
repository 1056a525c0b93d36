"""Small digits and small Keras models, made where they are needed: what most of the converter's tests run on."""

from __future__ import annotations

import functools
import math
import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from convert import load
from convert.choices import Io, Recipe
from convert.classes import CLASSES, HEAD, LABELS_BY_OUTPUTS
from convert.data.mnist import ARRAYS, Mnist
from convert.load.input_format import InputFormat, detect
from convert.tflite import quantise
from edge.errors import ConvertError
from tests.support import files

QUIET = files.QUIET


@functools.cache
def keras() -> ModuleType:
    """Keras, imported once and quietly."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras
        import tensorflow  # noqa: F401
    return keras


def drawn(digit: int, rng: np.random.Generator) -> np.ndarray:
    """A digit (28, 28) uint8 in one of OpenCV's line fonts, moved, turned and of some thickness."""
    page = np.zeros((56, 56), np.uint8)
    font = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)[rng.integers(3)]
    cv2.putText(page, str(digit), (12, 46), font, rng.uniform(1.3, 1.6), 255, int(rng.integers(2, 6)), cv2.LINE_AA)
    turned = cv2.getRotationMatrix2D((28, 28), rng.uniform(-12, 12), 1)
    turned[:, 2] += rng.uniform(-3, 3, 2)
    page = cv2.warpAffine(page, turned, (56, 56))
    return cv2.resize(page, (28, 28), interpolation=cv2.INTER_AREA)


@functools.cache
def data(train: int = 1200, test: int = 300) -> Mnist:
    """A small MNIST of drawn digits."""
    rng = np.random.default_rng(5)
    labels = (np.arange(train + test) % 10).astype(np.uint8)
    glyphs = np.stack([drawn(int(label), rng) for label in labels])
    return Mnist(glyphs[:train], labels[:train], glyphs[train:], labels[train:])


def write_npz(path: Path, mnist: Mnist | None = None) -> Path:
    """A data set as Keras's own mnist.npz."""
    mnist = mnist or data()
    parts = (mnist.train, mnist.train_labels, mnist.test, mnist.test_labels)
    np.savez(path, **dict(zip(ARRAYS, parts, strict=True)))
    return path


def untrained(shape: tuple[int, ...] = (28, 28, 1), activation: str | None = "softmax", seed: int = 3) -> Any:
    """Any input shape, one dense layer, ten outputs."""
    layers, models = keras().layers, keras()
    keras().utils.set_random_seed(seed)
    glyph = layers.Input(shape, name="glyph")
    return models.Model(glyph, layers.Dense(10, activation=activation)(layers.Flatten()(glyph)))


@functools.cache
def trained() -> Any:
    """A tiny CNN that reads the drawn digits."""
    layers = keras().layers
    keras().utils.set_random_seed(1)
    model = keras().Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(8, 5, strides=2, use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras().optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(data().train[..., None] / np.float32(255), data().train_labels, epochs=8, batch_size=32, verbose=0)
    return model


@functools.cache
def with_large_layers() -> Any:
    """The same with layers that are large enough for dynamic quantisation, which leaves small ones alone, before it."""
    layers = keras().layers
    keras().utils.set_random_seed(4)
    glyph = layers.Input((28, 28, 1))
    x = layers.Conv2D(64, 3, activation="relu")(layers.Conv2D(8, 3, activation="relu")(glyph))
    x = layers.MaxPooling2D(4)(x)
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    model = keras().Model(glyph, layers.Dense(10, activation="softmax")(x))
    model.compile(keras().optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(data().train[..., None] / np.float32(255), data().train_labels, epochs=4, batch_size=32, verbose=0)
    return model


def _without_its_last_layer() -> tuple[Any, Any]:
    """An input, and what the trained model makes of it before its last layer."""
    glyph = keras().layers.Input((28, 28, 1))
    x = glyph
    for layer in trained().layers[:-1]:
        x = layer(x)
    return glyph, x


def _with_more_outputs(outputs: int, name: str | None = None) -> Any:
    """The trained model with more outputs, which are never the greatest; ``name`` is that of its last layer."""
    layers = keras().layers
    glyph, x = _without_its_last_layer()
    model = keras().Model(glyph, layers.Dense(outputs, name=name)(x))
    kernel, bias = trained().layers[-1].get_weights()
    more = np.full(outputs - 10, -20, np.float32)
    model.layers[-1].set_weights([np.pad(kernel, ((0, 0), (0, len(more)))), np.append(bias, more)])
    return model


@functools.cache
def with_none() -> Any:
    """The same with an eleventh output, which is never the greatest."""
    return _with_more_outputs(11)


@functools.cache
def with_marks() -> Any:
    """The same with the classes of ``edge-train``; those that are no digits are never the greatest."""
    return _with_more_outputs(len(CLASSES), HEAD)


@functools.cache
def breaks_in_int8(size: float = 3e3) -> Any:
    """Reads the drawn digits as well in float; one activation of this size beside small ones ruins it in int8."""
    layers = keras().layers
    glyph, x = _without_its_last_layer()
    huge = layers.Dense(1, kernel_initializer=keras().initializers.Constant(size))(x)
    model = keras().Model(glyph, layers.Dense(10, activation="softmax")(layers.Concatenate()([x, huge])))
    kernel, bias = trained().layers[-1].get_weights()
    model.layers[-1].set_weights([np.vstack([kernel, np.zeros((1, 10), np.float32)]), bias])
    return model


def float_tflite(model: Any, shape: tuple[int, ...], dtype: str = "float32") -> bytes:
    """The model as an unquantised .tflite without a card, by the converter itself; ``dtype`` is its input's type."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    call = tf.function(lambda x: model(x, training=False))
    frozen = convert_variables_to_constants_v2(call.get_concrete_function(tf.TensorSpec((1, *shape), dtype)))
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())


def quantised(model: Any, recipe: Recipe = "int8", io: Io = "uint8", fed: InputFormat | None = None) -> bytes:
    """The model as a .tflite without a card by one of the project's recipes, calibrated on 500 glyphs."""
    fed = fed or input_format(model)
    frozen = quantise.freeze(model, fed, "m.h5")
    return quantise.convert(frozen, recipe, fed.feed(quantise.calibration_glyphs(data(), 500, seed=1)), io, "m.h5")


def input_format(model: Any, labels: tuple[str, ...] | None = None) -> InputFormat:
    """The input format of the model, detected on the small test digits; ``labels`` are those of its outputs."""
    labels = labels or LABELS_BY_OUTPUTS[math.prod(model.output_shape[1:])]
    return detect(model, data().test, data().test_labels, labels, "m.h5")


def saved(model: Any, path: Path) -> Path:
    """The model in a Keras file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path, include_optimizer=False)
    return path


def fully_convolutional() -> Any:
    """Takes a picture of any size, gives ten outputs."""
    layers = keras().layers
    glyph = layers.Input((None, None, 1))
    x = layers.Conv2D(10, 3)(glyph)
    return keras().Model(glyph, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))


def refused(path: Path) -> str:
    """The one line with which loading this file is refused: what, where, what to do."""
    with pytest.raises(ConvertError) as refusal:
        load.load(path)
    text = str(refusal.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and "; " in text and len(text) < 400
    return text
