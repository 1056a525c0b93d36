"""Let only what computes numbers into Keras: an architecture is refused, or comes back with Keras's own names in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from convert.load import operations
from convert.load.known import CLASSES, ELEMENTWISE, FUNCTIONS, PLAIN_FUNCTIONS, SAME_ACTIVATIONS, VALUES, is_numeric
from edge.errors import ConvertError

CODE_LAYERS = {"Lambda", "__lambda__", "LambdaMerge", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer"}
"""Layers that contain program code, which would run when the model is loaded or used."""
TEXT_LAYERS = {"TextVectorization", "StringLookup", "IntegerLookup", "Hashing", "HashedCrossing"}
"""Layers that work on text; some of them open any file that their configuration names."""
QUANTISED_LAYERS = {"QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2"}
"""Layers of tensorflow-model-optimization, in models that were trained to be quantised."""
QUANTISED_BY_KERAS = re.compile(r"(Quantized|Int4|GPTQ|AWQ)\w*Policy|\w+QuantizationConfig")
"""Classes in a model on which ``quantize`` of Keras 3 was called. TFLite 2.21 cannot convert its operations."""
KERAS_MODULE = re.compile(r"(tf_)?keras(\.|$)|tensorflow\.(python\.)?keras(\.|$)|builtins$")
"""Modules of Keras's own classes and functions."""
KNOWN = VALUES.union(*CLASSES.values())
NUMBER_TYPE = re.compile(r"(u?int|b?float|complex)\d{1,3}|bool")
CONSTANT = "_CONSTANT_VALUE"
"""How tf_keras begins an input of a layer that is a value, not another layer's output."""


def trusted(architecture: dict[str, Any], path: Path) -> dict[str, Any]:
    """The architecture with the names that Keras itself uses, and without what only training needs.

    Raises ConvertError if there is a class or function that ``known`` does not name, or one under another name: code
    in the file would run, or code that is not in it is needed. Keras is not asked: its safe mode did not cover .h5
    before 3.11.3 (CVE-2025-9905); tf_keras imports any module that a file names (CVE-2025-1550), and takes a class by
    its ``registered_name`` where the module does not have its ``class_name``.
    """
    kind = architecture.get("class_name")
    if isinstance(kind, str) and kind not in KNOWN | CODE_LAYERS | TEXT_LAYERS:
        raise ConvertError(
            f"{path}: is of a custom model class, {_printable(kind)}, whose code is not in the file; rebuild it with"
            " keras.Sequential or keras.Model and save it again"
        )
    checked: dict[str, Any] = _trusted(architecture, path)
    return checked


def refuse_code(part: dict[str, Any], path: Path) -> None:
    """Raise ConvertError if a table is a layer that contains program code."""
    kind, config = part.get("class_name"), part.get("config")
    settings = config if isinstance(config, dict) else {}
    if str(kind) in CODE_LAYERS or settings.get("mode_type") in ("lambda", "function"):
        raise _code_error(path, f"{'Lambda' if 'ambda' in str(kind) else kind} layer{_in_brackets(settings)}")


def _trusted(part: Any, path: Path, owner: Any = None, numbers_only: bool = False) -> Any:
    """A part of the architecture; ``owner`` is the name of the layer that it is in."""
    if isinstance(part, list):
        is_input = part[:1] == [CONSTANT]
        return [_trusted(item, path, owner, numbers_only or (is_input and n == 2)) for n, item in enumerate(part)]
    if isinstance(part, str) and numbers_only:
        raise ConvertError(
            f"{path}: its layer {_printable(owner)} has a text, {_printable(part)}, as a constant; use numbers and save"
            " again"
        )
    if not isinstance(part, dict):
        return part
    part = _without_plain_lambda(part)
    is_object = "class_name" in part
    public = _checked_names(part, path, owner) if is_object else {}
    if part.get("class_name") == "function":
        name = part["config"]
        # Keras 3 takes functions that are not its own from the scope only in this form.
        own = {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
        return own if name in ELEMENTWISE else SAME_ACTIVATIONS.get(name, name)
    numbers_only |= part.get("class_name") in ("__numpy__", "__tensor__")
    _check_functions(part, path)
    owner = part.get("name", owner)
    part = {key: _same_activation(key, value) for key, value in part.items()}
    kept = {
        key: _trusted(value, path, owner, numbers_only and key not in ("class_name", "dtype"))
        for key, value in part.items()
        if key != "compile_config" and not (is_object and key in ("module", "registered_name"))
    }
    return {**kept, **public}


def _without_plain_lambda(part: dict[str, Any]) -> dict[str, Any]:
    """A layer; one like ``Lambda(tf.nn.softmax)`` of Keras 3, which names a function and has no code, as Activation."""
    config = part.get("config")
    if part.get("class_name") != "Lambda" or not isinstance(config, dict):
        return part
    function = config.get("function")
    named = function.get("config") if isinstance(function, dict) and function.get("class_name") == "function" else None
    if not isinstance(named, str) or named not in PLAIN_FUNCTIONS or config.get("arguments"):
        return part
    kept = {key: config[key] for key in ("name", "trainable", "dtype") if key in config}
    return {**part, "class_name": "Activation", "config": {**kept, "activation": function}}


def _same_activation(key: str, value: Any) -> Any:
    """A setting of a layer; an activation that Keras has under another name is called so."""
    is_named = isinstance(value, str) and key.rpartition("_")[2] == "activation"
    return SAME_ACTIVATIONS.get(value, value) if is_named else value


def _checked_names(part: dict[str, Any], path: Path, owner: Any) -> dict[str, Any]:
    """The public ``module`` and ``registered_name`` of an object. Raises ConvertError if it may not be in a model."""
    refuse_code(part, path)
    kind, config, module = part["class_name"], part.get("config"), part.get("module")
    if isinstance(kind, str) and kind in TEXT_LAYERS:
        raise ConvertError(f"{path}: has a layer {kind}, which works on text; give an image classifier")
    if isinstance(kind, str) and QUANTISED_BY_KERAS.fullmatch(kind):
        raise ConvertError(
            f"{path}: is quantised by Keras, which TFLite cannot convert; save it before model.quantize(), edge-convert"
            " quantises it"
        )
    if module is not None and not KERAS_MODULE.match(str(module)):
        raise _custom_error(path, kind, config, str(module))
    if kind == "function":
        _check_function(part, path, owner)
        return {}
    if not isinstance(kind, str) or kind not in KNOWN:
        raise _custom_error(path, kind, config)
    if part.get("registered_name") not in (None, kind):
        raise _custom_error(path, part["registered_name"], config, module)
    settings = config if isinstance(config, dict) else {}
    _check_operation(kind, settings, path)
    if kind in VALUES:
        if not NUMBER_TYPE.fullmatch(str(settings.get("dtype", "bool"))):
            raise _custom_error(path, kind, config)
        return {}
    return {"module": _public_module(part, path), "registered_name": None} if module is not None else {}


def _public_module(part: dict[str, Any], path: Path) -> str:
    """The module from which Keras takes a class, for the one that is in the file: ``keras.src.layers.core.dense``."""
    kind, module = part["class_name"], str(part["module"])
    places = [place for place, names in CLASSES.items() if kind in names]
    words = module.split(".")
    fitting = [place for place in places if place == module] or [
        place for place in places if place.rpartition(".")[2] in words or len(places) == 1
    ]
    if not fitting:
        raise _custom_error(path, kind, part.get("config"), module)
    return fitting[0]


def _check_function(part: dict[str, Any], path: Path, owner: Any) -> None:
    name, module = part.get("config"), part.get("module")
    if isinstance(name, str) and name in PLAIN_FUNCTIONS and part.get("registered_name") in (None, name, "function"):
        return
    if module in (None, "builtins"):
        raise _function_error(path, owner, name)
    raise _custom_error(path, "function", name, str(module))


def _check_functions(settings: dict[str, Any], path: Path) -> None:
    """Raise ConvertError if a layer's settings name a function, such as an activation, that is not Keras's own."""
    for key, value in settings.items():
        names = FUNCTIONS.get(key.rpartition("_")[2])
        if names is None:
            continue
        if isinstance(value, str) and value not in names:
            raise _function_error(path, settings.get("name"), value)
        if isinstance(value, dict) and "class_name" not in value:
            # This is how tf_keras saves activation=lambda x: …
            raise _code_error(path, "lambda function")


def _check_operation(kind: str, settings: dict[str, Any], path: Path) -> None:
    """Raise ConvertError if a layer that stands for an operation of TensorFlow stands for one that is not numeric."""
    operation = str(settings.get("function", ""))
    if kind in ("TFOpLambda", "SlicingOpLambda") and not is_numeric(operation):
        raise _operation_error(path, operation)
    if kind == "TensorFlowOpLayer":
        node = settings.get("node_def")
        name = node.get("op") if isinstance(node, dict) else settings.get("name")
        if not isinstance(node, dict) or not isinstance(name, str) or name not in operations.ALLOWED:
            raise _operation_error(path, str(name))


def _code_error(path: Path, what: str) -> ConvertError:
    return ConvertError(
        f"{path}: has a {what}, which is program code that would run on loading; replace it with Keras's own"
        " layers (Rescaling, Reshape, ...) and save again"
    )


def _function_error(path: Path, layer: Any, name: Any) -> ConvertError:
    return ConvertError(
        f"{path}: its layer {_printable(layer)} uses the function {_printable(name)} (not one of Keras's), whose"
        " code is not in the file; use Keras's own, such as activation='softmax', and save again"
    )


def _custom_error(path: Path, kind: Any, config: Any, module: str | None = None) -> ConvertError:
    what = "function" if kind == "function" else "layer"
    name = config if kind == "function" else kind
    settings = config if isinstance(config, dict) else {}
    place = f" from {_printable(module)}" if module else ""
    if isinstance(name, str) and name in QUANTISED_LAYERS:
        return ConvertError(
            f"{path}: was trained to be quantised, with layers of tensorflow-model-optimization, whose code is not in"
            " the file; a SavedModel of it keeps the ranges: with tfmot.quantization.keras.quantize_scope(): model ="
            " tf_keras.models.load_model(file); model.save('saved'); then: edge-convert saved"
        )
    return ConvertError(
        f"{path}: has a custom {what}, {_printable(name)}{place}{_in_brackets(settings)}, whose code is not in the"
        " file; replace it with one of Keras's own and save again"
    )


def _operation_error(path: Path, name: str) -> ConvertError:
    return ConvertError(f"{path}: has the operation {_printable(name)}, which is not numeric; remove it and save again")


def _in_brackets(settings: dict[str, Any]) -> str:
    return f" ({_printable(settings['name'])})" if settings.get("name") else ""


def _printable(name: Any) -> str:
    """A name from a file, safe to print on one line."""
    return re.sub(r"[^\w.>:/ -]", "?", str(name))[:60]
