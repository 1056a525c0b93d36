from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.choices import RECIPES
from convert.load.input_format import InputFormat
from convert.tflite import flatbuffer, quantise
from convert.tflite.space_to_depth import block_weights, use_blocks
from edge.model.classifier import Model
from tests.support import small

pytestmark = small.QUIET

RNG = np.random.default_rng(4)


def frozen(*layers: Any, shape: tuple[int, int, int] = (28, 28, 1)) -> Any:
    """A model of such layers, frozen."""
    keras = small.keras()
    model = keras.Sequential([keras.layers.Input(shape), *layers])
    return quantise.freeze(model, InputFormat(shape=shape, image=shape), "m.h5")


def kinds(function: Any) -> list[str]:
    """What operations it has."""
    return [operation.type for operation in function.graph.get_operations()]


def answer(function: Any, picture: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    return np.asarray(function(tf.constant(picture))[0])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("taps", [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (3, 5), (8, 2)])
def test_the_sums_are_the_same(taps: tuple[int, int], padding: str) -> None:
    import tensorflow as tf

    for size in ((28, 28), (20, 32), (8, 10)):
        picture = RNG.normal(size=(2, *size, 1)).astype(np.float32)
        weights = RNG.normal(size=(*taps, 1, 5)).astype(np.float32)
        strided = tf.nn.conv2d(picture, weights, 2, padding)
        blocks = tf.nn.conv2d(tf.nn.space_to_depth(picture, 2), block_weights(weights, padding), 1, padding)
        assert blocks.shape == strided.shape
        assert np.abs(blocks - strided).max() < 1e-5


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_first_convolution_that_strides_is_done_on_blocks(padding: str) -> None:
    layers = small.keras().layers
    plain = frozen(
        layers.Conv2D(6, 5, strides=2, padding=padding, activation="relu", bias_initializer="normal"),
        layers.Conv2D(4, 3, strides=2),
        layers.Flatten(),
        layers.Dense(10),
    )
    changed = use_blocks(plain)
    assert kinds(changed).count("SpaceToDepth") == 1 and kinds(changed).count("Conv2D") == 2
    for _ in range(5):
        picture = RNG.uniform(size=(1, 28, 28, 1)).astype(np.float32)
        assert np.abs(answer(changed, picture) - answer(plain, picture)).max() < 1e-4


def test_others_stay_as_they_are() -> None:
    layers = small.keras().layers
    for one in (
        frozen(layers.Conv2D(6, 3)),
        frozen(layers.Conv2D(6, 3, strides=(1, 2))),
        frozen(layers.Conv2D(6, 3, strides=3)),
        frozen(layers.Conv2D(6, 3, dilation_rate=2)),
        frozen(layers.Conv2D(6, 5, strides=2), shape=(29, 29, 1)),
        frozen(layers.Conv2D(6, 5, strides=2), shape=(28, 28, 3)),
        frozen(layers.Flatten(), layers.Dense(10)),
    ):
        assert use_blocks(one) is one


def test_the_recipes_use_them_and_quantise_as_well() -> None:
    keras = small.keras()
    model = keras.Sequential([keras.layers.Input((28, 28, 1)), keras.layers.Conv2D(8, 5, strides=2), *_rest(keras)])
    fed = InputFormat(shape=(28, 28, 1), image=(28, 28, 1))
    for recipe in RECIPES:
        content = small.quantised(model, recipe, fed=fed)
        assert ("SPACE_TO_DEPTH" in flatbuffer.read(content, "m.tflite").operators) == (recipe != "int16x8")
        read, glyphs = Model("m.tflite", content=content), small.data().test[:100]
        off = read.predict(glyphs) - fed.outputs(model, glyphs)
        assert np.abs(off).max() < 0.05


def _rest(keras: Any) -> list[Any]:
    layers = keras.layers
    return [layers.ReLU(), layers.Flatten(), layers.Dense(10, activation="softmax")]
