"""The layers of Keras 1 (1.0 to 1.2, 2016 and 2017) in the words of Keras 2, which no longer understands them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from edge.errors import ConvertError

CONVOLUTION = {
    "nb_filter": "filters",
    "subsample": "strides",
    "border_mode": "padding",
    "activation": "activation",
    "bias": "use_bias",
}
POOLING = {"pool_size": "pool_size", "strides": "strides", "border_mode": "padding"}
LAYERS: dict[str, tuple[str, dict[str, str]]] = {
    "InputLayer": ("InputLayer", {}),
    "Dense": ("Dense", {"output_dim": "units", "activation": "activation", "bias": "use_bias"}),
    "Convolution2D": ("Conv2D", CONVOLUTION),
    "AtrousConvolution2D": ("Conv2D", {**CONVOLUTION, "atrous_rate": "dilation_rate"}),
    "MaxPooling2D": ("MaxPooling2D", POOLING),
    "AveragePooling2D": ("AveragePooling2D", POOLING),
    "GlobalMaxPooling2D": ("GlobalMaxPooling2D", {}),
    "GlobalAveragePooling2D": ("GlobalAveragePooling2D", {}),
    "ZeroPadding2D": ("ZeroPadding2D", {"padding": "padding"}),
    "Cropping2D": ("Cropping2D", {"cropping": "cropping"}),
    "UpSampling2D": ("UpSampling2D", {"size": "size"}),
    "Flatten": ("Flatten", {}),
    "Reshape": ("Reshape", {"target_shape": "target_shape"}),
    "Permute": ("Permute", {"dims": "dims"}),
    "Activation": ("Activation", {"activation": "activation"}),
    "LeakyReLU": ("LeakyReLU", {"alpha": "alpha"}),
    "PReLU": ("PReLU", {"shared_axes": "shared_axes"}),
    "ELU": ("ELU", {"alpha": "alpha"}),
    "ThresholdedReLU": ("ThresholdedReLU", {"theta": "theta"}),
    "BatchNormalization": ("BatchNormalization", {"epsilon": "epsilon", "axis": "axis", "momentum": "momentum"}),
    "Dropout": ("Dropout", {"p": "rate"}),
    "SpatialDropout2D": ("SpatialDropout2D", {"p": "rate"}),
    "GaussianNoise": ("GaussianNoise", {"sigma": "stddev"}),
    "GaussianDropout": ("GaussianDropout", {"p": "rate"}),
}
"""A layer of Keras 1, its name in Keras 2, and what its arguments became. After ``get_config`` in Keras 1.2.2. How
weights were initialised and held back is left out: that ended with the training."""
SPATIAL = ("Conv2D", "Pooling2D", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "SpatialDropout2D")
"""How the names of Keras 2's layers end that know where an image's channels are."""
MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}
"""The layers that became of Merge, by its mode."""
ORDERS = {"th": "channels_first", "tf": "channels_last"}


def is_keras1(architecture: dict[str, Any], version: str) -> bool:
    """Whether an architecture is Keras 1's: by the version that wrote it or, where it says none, by its words."""
    if version:
        return version.startswith("1.")
    return bool({"nb_filter", "border_mode", "init"} & {key for layer in _layers(architecture) for key in layer})


def translate(architecture: dict[str, Any], path: Path) -> dict[str, Any]:
    """An architecture of Keras 1, as Keras 2 writes one. Raises ConvertError where a layer has no successor there."""
    orders = {layer["dim_ordering"] for layer in _layers(architecture) if "dim_ordering" in layer}
    if len(orders) > 1:
        raise ConvertError(
            f"{path}: has layers of both of Keras 1's image orders, th and tf; build it with one and save it again"
        )
    # Some layers of Keras 1 do not write their order down: it is that of the others, else of an input like (1, 28, 28).
    shapes = [layer["batch_input_shape"] for layer in _layers(architecture) if "batch_input_shape" in layer]
    shape = shapes[0] if shapes else []
    guess = "th" if len(shape) == 4 and shape[1] in (1, 3) else "tf"
    return _model(architecture, ORDERS[next(iter(orders), guess)], path)


def _layers(part: Any) -> list[dict[str, Any]]:
    """The configurations of all layers, however deep."""
    if isinstance(part, list):
        return [layer for item in part for layer in _layers(item)]
    if not isinstance(part, dict):
        return []
    config = part.get("config")
    found = [config] if "class_name" in part and isinstance(config, dict) else []
    return found + [layer for value in part.values() for layer in _layers(value)]


def _model(part: dict[str, Any], order: str, path: Path) -> dict[str, Any]:
    config = part["config"]
    if part["class_name"] == "Sequential":
        name = part.get("name") or "sequential"
        layers = [_entry(layer, order, path) for layer in config]
        return {"class_name": "Sequential", "config": {"name": name, "layers": layers}}
    layers = [{**layer, **_entry(layer, order, path)} for layer in config["layers"]]
    return {"class_name": "Model", "config": {**config, "layers": layers}}


def _entry(layer: dict[str, Any], order: str, path: Path) -> dict[str, Any]:
    name, config = layer["class_name"], layer["config"]
    if name in ("Sequential", "Model"):
        return _model(layer, order, path)
    kept = {key: config[key] for key in ("name", "trainable", "batch_input_shape") if key in config}
    if name == "Merge":
        return _merge(config, kept, path)
    if name not in LAYERS:
        raise _refusal(path, f"has a layer {name} of Keras 1, which Keras 2 has no more")
    successor, words = LAYERS[name]
    kept |= {new: config[old] for old, new in words.items() if config.get(old) is not None}
    if successor.endswith(SPATIAL):
        kept["data_format"] = order
    if successor == "Conv2D":
        kept["kernel_size"] = [config["nb_row"], config["nb_col"]]
    if successor == "ZeroPadding2D":
        kept["padding"] = _padding(config["padding"])
    if kept.get("padding") == "full":
        raise _refusal(path, f"has a layer {name} with border_mode 'full', which Keras 2 has no more")
    if config.get("mode", 0) != 0:
        raise _refusal(path, f"has a layer {name} with mode {config['mode']}, which Keras 2 has no more")
    return {"class_name": successor, "config": kept}


def _merge(config: dict[str, Any], kept: dict[str, Any], path: Path) -> dict[str, Any]:
    successor = MERGES.get(str(config.get("mode")))
    if successor is None:
        raise _refusal(path, f"has a layer Merge with mode {re.sub(r'[^a-z]', '', str(config.get('mode')))[:20]}")
    return {
        "class_name": successor,
        "config": {**kept, **({"axis": config["concat_axis"]} if successor == "Concatenate" else {})},
    }


def _padding(padding: Any) -> Any:
    """(rows, columns), (top, bottom, left, right) or a table of the latter -> what Keras 2 takes."""
    if isinstance(padding, dict):
        padding = [padding.get(side, 0) for side in ("top_pad", "bottom_pad", "left_pad", "right_pad")]
    return [padding[:2], padding[2:]] if len(padding) == 4 else padding


def _refusal(path: Path, what: str) -> ConvertError:
    return ConvertError(f"{path}: {what}; build it anew with today's layers and load the weights into it")
