"""Models made for another kind of convolution, as TensorFlow on a processor computes it, which is also TFLite's way.

Channels first, (1, 28, 28), become channels last; Theano's convolution, which turns its kernels by 180 degrees, becomes
TensorFlow's, which does not.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from edge.errors import ConvertError

TURNED = ("Conv1D", "Conv2D", "Conv2DTranspose")
"""The layers whose kernels Theano turns: Keras 2.2.4, ``engine/saving.py``, ``preprocess_weights_for_loading``. Its
separable and depthwise convolutions do not."""
POOLED = ("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D")
FORMATTED = {
    "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D",
    "GlobalMaxPooling2D", "GlobalAveragePooling2D", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "SpatialDropout2D",
    "Flatten",
}  # fmt: skip
"""Layers that do the same on the other order of the axes once they are told of it; their weights are alike in both."""
ELEMENTWISE = {
    "Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU",
    "Rescaling", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
}  # fmt: skip
"""Layers that take each number for itself, so that the order of the axes is nothing to them."""
TO_LAST, TO_FIRST = (2, 3, 1), (3, 1, 2)
"""Keras's Permute, counted from 1 after the batch."""
CHANNELS = (1, 3)
"""Of an image of a digit, grey or coloured."""


def from_theano(model: Any, path: Path) -> None:
    """Turn the kernels of a tf_keras model whose weights were trained under Theano.

    Raises ConvertError where Theano pads an image otherwise than TensorFlow.
    """
    for layer in model._flatten_layers(include_self=False):
        kind = type(layer).__name__
        same = getattr(layer, "padding", None) == "same"
        strides, sizes = getattr(layer, "strides", (1,)), getattr(layer, "kernel_size", (1,))
        if same and (kind in POOLED or any(n > 1 for n in strides) or any(n % 2 == 0 for n in sizes)):
            raise ConvertError(
                f"{path}: its layer {layer.name} pads by Theano's own rule, which TensorFlow has not;"
                " train it again with today's Keras"
            )
        if kind in TURNED:
            kernel, *bias = layer.get_weights()
            layer.set_weights([kernel[::-1, ::-1] if kernel.ndim == 4 else kernel[::-1], *bias])


def is_channels_first(model: Any) -> bool:
    """Whether a model has channels before rows and columns, in its input or within."""
    shape = model.input_shape
    in_front = len(shape) == 4 and shape[1] in CHANNELS and shape[3] not in CHANNELS
    return in_front or any(_is_first(layer) for layer in _flat(model))


def channels_last(model: Any, keras: ModuleType, path: Path) -> Any:
    """The same model with channels last, by the Keras that made it: its input (c, h, w) becomes (h, w, c).

    Between its layers the axes of an image are the other way round than in ``model``; layers that cannot be told so
    get it the old way. Raises ConvertError where an operation is outside of any layer.
    """
    shape = model.input_shape
    if len(shape) == 4 and shape[1] in CHANNELS and shape[3] not in CHANNELS:
        glyph = last = keras.layers.Input((*shape[2:], shape[1]))
    else:
        glyph = keras.layers.Input(shape[1:])
        last = keras.layers.Permute(TO_LAST)(glyph) if len(shape) == 4 else glyph
    (output,) = _run(model, [last], keras, path, {})
    return keras.Model(glyph, keras.layers.Permute(TO_FIRST)(output) if len(output.shape) == 4 else output)


def _flat(model: Any) -> list[Any]:
    return [inner for layer in model.layers for inner in (_flat(layer) if hasattr(layer, "layers") else [layer])]


def _is_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first" and type(layer).__name__ in FORMATTED - {"Flatten"}


def _run(model: Any, inputs: list[Any], keras: ModuleType, path: Path, made: dict[int, Any]) -> list[Any]:
    """The outputs of a model's layers, rebuilt, for new inputs; images are (h, w, c) in both."""
    # Keras 3's Sequential keeps its graph within.
    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "_nodes_by_depth"):
        raise ConvertError(
            f"{path}: has channels first, (1, 28, 28), in a model of its own class, {type(model).__name__};"
            " build it with keras.Sequential or keras.Model and save it again"
        )
    tensors = {id(old): new for old, new in zip(graph.inputs, inputs, strict=True)}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.is_input:
                continue
            layer = getattr(node, "operation", None) or node.layer
            old = _argument(node, layer, path)
            several = isinstance(old, list | tuple)
            new = [tensors[id(tensor)] for tensor in (old if several else [old])]
            if hasattr(layer, "layers"):
                outputs = _run(layer, new, keras, path, made)
            else:
                outputs = [_called(layer, new, several, keras, made)]
            ends = node.outputs if isinstance(node.outputs, list | tuple) else [node.outputs]
            tensors.update({id(old): new for old, new in zip(ends, outputs, strict=True)})
    return [tensors[id(output)] for output in graph.outputs]


def _argument(node: Any, layer: Any, path: Path) -> Any:
    """What a layer was called with, in Keras 3 and in tf_keras."""
    arguments = node.arguments.args if hasattr(node, "arguments") else node.call_args
    if len(arguments) != 1:
        raise ConvertError(
            f"{path}: has channels first, (1, 28, 28), and an operation outside of its layers, {layer.name};"
            " build it with channels last, (28, 28, 1)"
        )
    return arguments[0]


def _called(layer: Any, inputs: list[Any], several: bool, keras: ModuleType, made: dict[int, Any]) -> Any:
    """A layer on inputs of which images are (h, w, c), itself knowing images as (c, h, w); the result is (h, w, c)."""
    kind, image = type(layer).__name__, len(inputs[0].shape) == 4
    if image and (kind in ELEMENTWISE or (kind == "Activation" and layer.activation.__name__ != "softmax")):
        return layer(inputs if several else inputs[0])
    if image and (changes := _changes(layer)):
        if id(layer) not in made:
            config = {key: value for key, value in layer.get_config().items() if key != "batch_input_shape"}
            made[id(layer)] = type(layer).from_config({**config, **changes})
        output = made[id(layer)](inputs if several else inputs[0])
        made[id(layer)].set_weights(layer.get_weights())
        return output
    if image:
        inputs = [keras.layers.Permute(TO_FIRST)(tensor) for tensor in inputs]
    output = layer(inputs if several else inputs[0])
    return keras.layers.Permute(TO_LAST)(output) if len(output.shape) == 4 else output


def _changes(layer: Any) -> dict[str, Any]:
    """What a layer has to be told to do the same on (h, w, c)."""
    if type(layer).__name__ in FORMATTED and layer.data_format == "channels_first":
        return {"data_format": "channels_last"}
    axis = getattr(layer, "axis", None)
    if type(layer).__name__ in ("BatchNormalization", "Concatenate") and axis in (1, [1], (1,)):
        return {"axis": 3}
    return {}
