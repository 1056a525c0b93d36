"""NumPy's stand-in computes what TFLite's reference kernels do, for what the five recipes make of usual networks."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from convert.choices import RECIPES, Recipe
from convert.load.input_format import InputFormat
from convert.tflite import quantise
from edge.model.numpy_tflite.interpreter import Interpreter
from tests.support import small

pytestmark = small.QUIET

litert = pytest.importorskip("ai_edge_litert.interpreter")
SHAPE = (28, 28, 1)
INTEGER_STEPS = {"SOFTMAX": 1, "LOGISTIC": 1, "TANH": 1}
"""How far an int8 output may lie from the reference's, in steps; 0 for operators that are not named."""
INT16_STEPS = {"SOFTMAX": 20, "LOGISTIC": 2, "TANH": 3}
"""The same of int16: TFLite interpolates between 513 values of a table."""
CLOSE = 1e-5
"""How far a float may lie from the reference's, as a share of the largest: sums are added in another order."""
Layers = Callable[[ModuleType, Any], Any]

NETWORKS: dict[str, Layers] = {
    "lenet": lambda k, x: k.Dense(16, activation="relu")(
        k.Flatten()(k.MaxPooling2D()(k.Conv2D(6, 5, activation="relu", padding="same")(x)))
    ),
    "strided": lambda k, x: k.Flatten()(k.Conv2D(4, 3, strides=(2, 3), padding="same", activation="relu6")(x)),
    "dilated": lambda k, x: k.Flatten()(k.Conv2D(4, 3, dilation_rate=2, activation="relu")(x)),
    "wide": lambda k, x: k.Flatten()(k.Conv2D(4, (2, 7), padding="valid")(x)),
    "grouped": lambda k, x: k.Flatten()(k.Conv2D(8, 3, strides=2, groups=4)(k.Conv2D(4, 3)(x))),
    "depthwise": lambda k, x: k.Flatten()(
        k.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, activation="relu")(k.Conv2D(5, 3)(x))
    ),
    "separable": lambda k, x: k.GlobalAveragePooling2D()(k.SeparableConv2D(6, 3, activation="relu")(k.Conv2D(4, 3)(x))),
    "average": lambda k, x: k.Flatten()(k.AveragePooling2D(3, strides=2, padding="same")(k.Conv2D(4, 3)(x))),
    "largest": lambda k, x: k.GlobalMaxPooling2D()(k.MaxPooling2D(3, 2, padding="same")(k.Conv2D(4, 3)(x))),
    "normalised": lambda k, x: k.Flatten()(k.ReLU()(k.BatchNormalization()(k.Conv2D(4, 3)(x)))),
    "residual": lambda k, x: (lambda y: k.Flatten()(k.Add()([y, k.Conv2D(4, 3, padding="same")(y)])))(
        k.Conv2D(4, 3, activation="relu")(x)
    ),
    "difference": lambda k, x: (lambda y: k.Flatten()(k.Subtract()([y, k.Conv2D(4, 3, padding="same")(y)])))(
        k.Conv2D(4, 3)(x)
    ),
    "product": lambda k, x: (lambda y: k.Flatten()(k.Multiply()([y, k.Conv2D(4, 3, padding="same")(y)])))(
        k.Conv2D(4, 3)(x)
    ),
    "joined": lambda k, x: k.Flatten()(k.Concatenate()([k.Conv2D(4, 3)(x), k.Conv2D(3, 3)(x)])),
    "padded": lambda k, x: k.Flatten()(k.Conv2D(3, 3)(k.ZeroPadding2D(((1, 2), (0, 3)))(k.Conv2D(3, 3)(x)))),
    "sigmoid": lambda k, x: k.Dense(12, activation="sigmoid")(k.Flatten()(x)),
    "tanh": lambda k, x: k.Dense(12, activation="tanh")(k.Flatten()(k.Conv2D(4, 3, strides=4)(x))),
    "leaky": lambda k, x: k.Flatten()(k.LeakyReLU(0.13)(k.Conv2D(8, 3, strides=2)(x))),
    "turned": lambda k, x: k.Flatten()(k.Permute((2, 1, 3))(k.Conv2D(4, 3, strides=2)(x))),
    "flat": lambda k, x: k.Dense(20, activation="relu")(k.Reshape((784,))(x)),
}


def model(layers: Layers) -> Any:
    keras = small.keras()
    keras.utils.set_random_seed(7)
    glyph = keras.layers.Input(SHAPE, name="glyph")
    made = keras.Model(glyph, keras.layers.Dense(10, activation="softmax")(layers(keras.layers, glyph)))
    rng = np.random.default_rng(7)
    # Biases of 0, and means of 0, would hide mistakes.
    weights = [w + rng.normal(0, 0.1, w.shape) if w.ndim == 1 else w for w in made.get_weights()]
    positive = ["variance" in variable.path for variable in made.weights]
    made.set_weights([np.abs(w) + 0.1 if must else w for w, must in zip(weights, positive, strict=True)])
    return made


def tflite(name: str, recipe: Recipe) -> bytes:
    images = (small.data().train[:200] / np.float32(255))[..., None]
    frozen = quantise.freeze(model(NETWORKS[name]), InputFormat(shape=SHAPE, image=SHAPE), name)
    return quantise.convert(frozen, recipe, images, "uint8", name)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_each_operator_computes_what_the_reference_kernel_does(name: str, recipe: Recipe) -> None:
    content = tflite(name, recipe)
    reference = litert.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    reference.allocate_tensors()
    ours = Interpreter(model_content=content)
    ours.allocate_tensors()
    (first,), (last,) = ours.get_input_details(), ours.get_output_details()
    glyphs = small.data().test[:20, ..., None]
    images, single = glyphs if first["dtype"] == np.uint8 else glyphs / np.float32(255), []
    for image in images:
        reference.set_tensor(first["index"], image[None])
        reference.invoke()
        for operator, values in ours.steps_with(reference.get_tensor):
            compare(operator.name, values, reference.get_tensor(operator.outputs[0].index))
        ours.set_tensor(first["index"], image[None])
        ours.invoke()
        single.append(ours.get_tensor(last["index"])[0])
    # All at once: the same, but for the order in which floats are added.
    np.testing.assert_allclose(ours.run_batch(images), single, rtol=0, atol=1e-5 if last["dtype"] == np.float32 else 0)


def compare(name: str, ours: np.ndarray, reference: np.ndarray) -> None:
    assert (ours.shape, ours.dtype) == (reference.shape, reference.dtype), name
    if ours.dtype == np.float32:
        assert np.abs(ours - reference).max() <= CLOSE * np.abs(reference).max(), name
    else:
        steps = INT16_STEPS if ours.dtype == np.int16 else INTEGER_STEPS
        assert np.abs(ours.astype(int) - reference.astype(int)).max() <= steps.get(name, 0), name
