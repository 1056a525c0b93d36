"""Translate architectures of Keras 1 (1.0 to 1.2, 2016 and 2017) to Keras 2, which no longer reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from convert.load.architecture import parts
from convert.load.trusted import refuse_code
from edge.errors import ConvertError
from edge.system.text import one_line, printable

CONVOLUTION_ARGUMENTS = {
    "nb_filter": "filters",
    "subsample": "strides",
    "border_mode": "padding",
    "activation": "activation",
    "bias": "use_bias",
}
POOLING_ARGUMENTS = {"pool_size": "pool_size", "strides": "strides", "border_mode": "padding"}
LAYERS: dict[str, tuple[str, dict[str, str]]] = {
    "InputLayer": ("InputLayer", {}),
    "Dense": ("Dense", {"output_dim": "units", "activation": "activation", "bias": "use_bias"}),
    "Convolution2D": ("Conv2D", CONVOLUTION_ARGUMENTS),
    "AtrousConvolution2D": ("Conv2D", {**CONVOLUTION_ARGUMENTS, "atrous_rate": "dilation_rate"}),
    "MaxPooling2D": ("MaxPooling2D", POOLING_ARGUMENTS),
    "AveragePooling2D": ("AveragePooling2D", POOLING_ARGUMENTS),
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
"""For each layer of Keras 1: its name in Keras 2, and the new names of its arguments. Source: ``get_config`` in Keras
1.2.2. Initialisers and regularisers are left out: only training needs them."""
SPATIAL = ("Conv2D", "Pooling2D", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "SpatialDropout2D")
"""How the names of those Keras 2 layers end that have a ``data_format``."""
MERGE_LAYERS = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}
"""The Keras 2 layers that replace Merge, by its mode."""
DATA_FORMATS = {"th": "channels_first", "tf": "channels_last"}
"""Keras 1's image orders, and their names in Keras 2."""


def is_keras1(architecture: dict[str, Any], version: str) -> bool:
    """Whether Keras 1 wrote an architecture: by the version or, if there is none, by the names of arguments."""
    if version:
        return version.startswith("1.")
    return bool({"nb_filter", "border_mode", "init"} & {key for layer in _layers(architecture) for key in layer})


def translate(architecture: dict[str, Any], path: Path) -> dict[str, Any]:
    """An architecture of Keras 1 in the form of Keras 2. Raises ConvertError if a layer has no replacement."""
    try:
        orders = {layer["dim_ordering"] for layer in _layers(architecture) if "dim_ordering" in layer}
        if len(orders) > 1:
            raise _error(path, "mixes Keras 1's two image orders, tf and th")
        # Without a layer that says it, the shape tells: channels first are 1 or 3.
        shapes = [layer["batch_input_shape"] for layer in _layers(architecture) if "batch_input_shape" in layer]
        shape = shapes[0] if shapes else []
        guess = "th" if len(shape) == 4 and shape[1] in (1, 3) else "tf"
        return _model(architecture, DATA_FORMATS[next(iter(orders), guess)], path)
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        raise ConvertError(f"{path}: its architecture is damaged ({one_line(error, 120)}); copy it again") from error


def _layers(architecture: dict[str, Any]) -> list[dict[str, Any]]:
    """The configurations of all layers, at any depth."""
    configs = [part.get("config") for part in parts(architecture) if "class_name" in part]
    return [config for config in configs if isinstance(config, dict)]


def _model(part: dict[str, Any], order: str, path: Path) -> dict[str, Any]:
    config = part["config"]
    if part["class_name"] == "Sequential":
        name = part.get("name") or "sequential"
        layers = [_entry(layer, order, path) for layer in config]
        return {"class_name": "Sequential", "config": {"name": name, "layers": layers}}
    layers = [{**layer, **_entry(layer, order, path)} for layer in config["layers"]]
    return {"class_name": "Model", "config": {**config, "layers": layers}}


def _entry(layer: dict[str, Any], order: str, path: Path) -> dict[str, Any]:
    refuse_code(layer, path)
    name, config = layer["class_name"], layer["config"]
    if name in ("Sequential", "Model"):
        return _model(layer, order, path)
    new_config = {key: config[key] for key in ("name", "trainable", "batch_input_shape") if key in config}
    if name == "Merge":
        return _merge(config, new_config, path)
    if name not in LAYERS:
        raise _error(path, f"has a layer {printable(name)[:60]} of Keras 1, which Keras 2 does not have")
    successor, renamed = LAYERS[name]
    new_config |= {new: config[old] for old, new in renamed.items() if config.get(old) is not None}
    if successor.endswith(SPATIAL):
        new_config["data_format"] = order
    if successor == "Conv2D":
        new_config["kernel_size"] = [config["nb_row"], config["nb_col"]]
    if successor == "ZeroPadding2D":
        new_config["padding"] = _padding(config["padding"])
    if new_config.get("padding") == "full":
        raise _error(path, f"has a layer {name} with border_mode 'full', which Keras 2 does not have")
    if config.get("mode", 0) != 0:
        raise _error(path, f"has a layer {name} with mode {config['mode']}, which Keras 2 does not have")
    return {"class_name": successor, "config": new_config}


def _merge(config: dict[str, Any], new_config: dict[str, Any], path: Path) -> dict[str, Any]:
    successor = MERGE_LAYERS.get(str(config.get("mode")))
    if successor is None:
        raise _error(
            path,
            f"has a layer Merge with mode {re.sub(r'[^a-z]', '', str(config.get('mode')))[:20]}, not supported",
        )
    return {
        "class_name": successor,
        "config": {**new_config, **({"axis": config["concat_axis"]} if successor == "Concatenate" else {})},
    }


def _padding(padding: Any) -> Any:
    """Keras 1's padding, (rows, columns), (top, bottom, left, right) or a table of these, in the form of Keras 2."""
    if isinstance(padding, dict):
        padding = [padding.get(side, 0) for side in ("top_pad", "bottom_pad", "left_pad", "right_pad")]
    return [padding[:2], padding[2:]] if len(padding) == 4 else padding


def _error(path: Path, what: str) -> ConvertError:
    return ConvertError(f"{path}: {what}; rebuild it with current layers and load the weights into it")
