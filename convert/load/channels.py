"""Convert models with channels first, and weights trained under Theano, to what TFLite supports.

Channels first, (1, 28, 28), become channels last. Theano's convolution rotates its kernels by 180 degrees; TensorFlow's
does not, so the kernels are rotated here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from edge.errors import ConvertError

FLIPPED_KERNELS = ("Conv1D", "Conv2D", "Conv2DTranspose")
"""Layers whose kernels Theano rotates: Keras 2.2.4, ``engine/saving.py``, ``preprocess_weights_for_loading``. Separable
and depthwise convolutions are not among them."""
POOLING = ("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D")
WITH_DATA_FORMAT = {
    "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D",
    "GlobalMaxPooling2D", "GlobalAveragePooling2D", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "SpatialDropout2D",
    "Flatten",
}  # fmt: skip
"""Layers with a ``data_format``: set to channels last they compute the same; their weights do not change."""
ELEMENTWISE = {
    "Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU",
    "Rescaling", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
}  # fmt: skip
"""Layers that process each value separately, so that the order of the axes does not matter to them."""
TO_LAST, TO_FIRST = (2, 3, 1), (3, 1, 2)
"""Arguments of Keras's Permute, which counts axes from 1 and leaves out the batch."""
CHANNEL_COUNTS = (1, 3)
"""Number of channels that an image of a digit may have: grey or colour."""


def from_theano(model: Any, path: Path) -> None:
    """Rotate the kernels of a tf_keras model whose weights were trained under Theano, in place.

    Raises ConvertError if a layer pads images in a way that TensorFlow does not have.
    """
    for layer in model._flatten_layers(include_self=False):
        kind = type(layer).__name__
        same = getattr(layer, "padding", None) == "same"
        strides, sizes = getattr(layer, "strides", (1,)), getattr(layer, "kernel_size", (1,))
        if same and (kind in POOLING or any(n > 1 for n in strides) or any(n % 2 == 0 for n in sizes)):
            raise ConvertError(
                f"{path}: its layer {layer.name} pads by Theano's own rule, which TensorFlow does not"
                " have; train it again with a current Keras"
            )
        if kind in FLIPPED_KERNELS:
            kernel, *bias = layer.get_weights()
            layer.set_weights([kernel[::-1, ::-1] if kernel.ndim == 4 else kernel[::-1], *bias])


def are_in_front(shape: Sequence[int | None]) -> bool:
    """Whether an input of this shape, batch first, is an image with channels before rows and columns."""
    return len(shape) == 4 and shape[1] in CHANNEL_COUNTS and shape[3] not in CHANNEL_COUNTS


def is_channels_first(model: Any) -> bool:
    """Whether a model has channels before rows and columns, in its input or in any layer."""
    return are_in_front(model.input_shape) or any(_is_channels_first(layer) for layer in _all_layers(model))


def channels_last(model: Any, keras: ModuleType, path: Path) -> Any:
    """The same model with channels last, built with the Keras that loaded it: its input (c, h, w) becomes (h, w, c).

    Images between its layers are channels last, too; layers that do not support this get channels first, between two
    Permute layers. Raises ConvertError if there is an operation outside layers.
    """
    shape = model.input_shape
    if are_in_front(shape):
        glyph = last = keras.layers.Input((*shape[2:], shape[1]))
    else:
        glyph = keras.layers.Input(shape[1:])
        last = _permuted(glyph, TO_LAST, keras) if len(shape) == 4 else glyph
    (output,) = _rebuild(model, [last], keras, path, {})
    return keras.Model(glyph, _permuted(output, TO_FIRST, keras) if len(output.shape) == 4 else output)


def _all_layers(model: Any) -> list[Any]:
    return [inner for layer in model.layers for inner in (_all_layers(layer) if hasattr(layer, "layers") else [layer])]


def _is_channels_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first" and type(layer).__name__ in WITH_DATA_FORMAT - {
        "Flatten"
    }


def _rebuild(model: Any, inputs: list[Any], keras: ModuleType, path: Path, made: dict[int, Any]) -> list[Any]:
    """Rebuild a model's layers on new inputs; returns its outputs. Images are (h, w, c) in both.

    ``made`` has the layers that were rebuilt so far, by the id of the old one.
    """
    # Keras 3's Sequential keeps its graph in an inner model.
    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "_nodes_by_depth"):
        raise ConvertError(
            f"{path}: is of a custom model class, {type(model).__name__}, with channels first, (1, 28, 28);"
            " rebuild it with keras.Sequential or keras.Model and save it again"
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
                outputs = _rebuild(layer, new, keras, path, made)
            else:
                outputs = [_call(layer, new, several, keras, made)]
            ends = node.outputs if isinstance(node.outputs, list | tuple) else [node.outputs]
            tensors.update({id(old): new for old, new in zip(ends, outputs, strict=True)})
    return [tensors[id(output)] for output in graph.outputs]


def _argument(node: Any, layer: Any, path: Path) -> Any:
    """The argument that a layer was called with, for Keras 3 and tf_keras."""
    arguments = node.arguments.args if hasattr(node, "arguments") else node.call_args
    if len(arguments) != 1:
        raise ConvertError(
            f"{path}: has channels first, (1, 28, 28), and an operation outside its layers, {layer.name};"
            " rebuild it with channels last, (28, 28, 1)"
        )
    return arguments[0]


def _call(layer: Any, inputs: list[Any], several: bool, keras: ModuleType, made: dict[int, Any]) -> Any:
    """Call a channels-first layer on channels-last inputs; the result is channels last, too."""
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
        inputs = [_permuted(tensor, TO_FIRST, keras) for tensor in inputs]
    output = layer(inputs if several else inputs[0])
    return _permuted(output, TO_LAST, keras) if len(output.shape) == 4 else output


def _permuted(tensor: Any, order: tuple[int, ...], keras: ModuleType) -> Any:
    """The tensor with its axes in this order, by a layer whose name no layer of the file has by itself."""
    return keras.layers.Permute(order, name=f"to_{keras.backend.get_uid('edge_channels')}_edge_channels")(tensor)


def _changes(layer: Any) -> dict[str, Any]:
    """The settings that make a layer compute the same on (h, w, c); empty if there are none."""
    if type(layer).__name__ in WITH_DATA_FORMAT and layer.data_format == "channels_first":
        return {"data_format": "channels_last"}
    axis = getattr(layer, "axis", None)
    if type(layer).__name__ in ("BatchNormalization", "Concatenate") and axis in (1, [1], (1,)):
        return {"axis": 3}
    return {}
