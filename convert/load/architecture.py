"""Check and adapt the architecture of a Keras model: nested tables, as they are in its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convert.load.operations import ALLOWED
from edge.errors import ConvertError

CODE_LAYERS = {"Lambda", "__lambda__", "LambdaMerge", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer"}
"""Layers that contain program code, which would run when the model is loaded or used."""
TEXT_LAYERS = {"TextVectorization", "StringLookup", "IntegerLookup", "Hashing", "HashedCrossing"}
"""Layers that work on text; some of them open any file that their configuration names."""
TENSORFLOW_OPERATION = re.compile(
    r"(tf\.)?(math|nn|image|__operators__|linalg)\.[\w.]+|(tf\.)?(?!load|save|print|py_|numpy_)\w+"
)
"""TensorFlow operations that a tf_keras model may use as layers: numeric ones, none that access files."""
KERAS_MODULE = re.compile(r"(tf_)?keras(\.|$)|tensorflow\.(python\.)?keras(\.|$)|builtins$")
"""Modules of Keras's own classes and functions."""
FLOAT_TYPES = {"mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"}
"""Types of layers that are replaced by float32, which the TFLite converter needs."""
OPERATION_PREFIX = "operation>"
"""Put before the class name of an operation outside layers, such as x - 1, by ``mark_operations``."""
SHAPE_KEYS: tuple[str, ...] = ("batch_shape", "batch_input_shape", "build_input_shape")
"""Keys of an architecture whose values are shapes with the batch size first."""


def refuse_code(architecture: Any, path: Path) -> None:
    """Raise ConvertError if loading the model would run code from its file, or needs code that is not in it.

    Keras's own safe mode did not cover .h5 before 3.11.3 (CVE-2025-9905), and tf_keras's does not at all; tf_keras
    also imports any module that a .keras names (CVE-2025-1550).
    """
    for part in _parts(architecture):
        kind, config = part.get("class_name"), part.get("config")
        settings = config if isinstance(config, dict) else {}
        if kind in CODE_LAYERS or settings.get("mode_type") in ("lambda", "function"):
            raise _code_error(path, f"{'Lambda' if 'ambda' in f'{kind}' else kind} layer{_in_brackets(settings)}")
        if set(part) == {"value"} and not _are_numbers(part["value"]):
            # This is how tf_keras saves activation=lambda x: …; a constant initializer has a value, too.
            raise _code_error(path, "lambda function")
        if kind in TEXT_LAYERS:
            raise ConvertError(f"{path}: has a layer {kind}, which works on text; give an image classifier")
        module = part.get("module")
        if isinstance(module, str) and not KERAS_MODULE.match(module):
            raise _custom_error(path, kind, config, module)
        if kind == "function" and isinstance(module, str) and not re.search(r"builtins|activations|ops|nn", module):
            raise _custom_error(path, kind, config, module)
        operation = str(settings.get("function", ""))
        if kind in ("TFOpLambda", "ClassMethod", "SlicingOpLambda") and not TENSORFLOW_OPERATION.fullmatch(operation):
            raise _operation_error(path, operation)
        if kind == "TensorFlowOpLayer":
            node = settings.get("node_def")
            if not isinstance(node, dict) or node.get("op") not in ALLOWED:
                raise _operation_error(path, str(node.get("op") if isinstance(node, dict) else settings.get("name")))


def _are_numbers(value: Any) -> bool:
    return all(map(_are_numbers, value)) if isinstance(value, list) else isinstance(value, int | float)


def for_inference(architecture: dict[str, Any]) -> dict[str, Any]:
    """The same for any batch size, in float32, and without what only training needs."""
    adapted: dict[str, Any] = _for_inference(architecture)
    return adapted


def mark_operations(architecture: Any) -> Any:
    """The same with OPERATION_PREFIX before the names of operations outside layers, such as x - 1.

    Keras 3 writes operations and layers of the same name alike into an .h5, and then cannot read TrueDivide and
    Subtract. Only layers have a dtype.
    """
    if isinstance(architecture, list):
        return [mark_operations(part) for part in architecture]
    if not isinstance(architecture, dict):
        return architecture
    marked = {key: mark_operations(value) for key, value in architecture.items()}
    config = marked.get("config")
    if marked.get("inbound_nodes") and isinstance(config, dict) and not {"dtype", "layers"} & set(config):
        marked["class_name"] = f"{OPERATION_PREFIX}{marked['class_name']}"
    return marked


def operation_names(architecture: Any) -> set[str]:
    """The class names of the operations outside layers, as ``mark_operations`` writes them."""
    kinds = {str(part.get("class_name")) for part in _parts(architecture)}
    return {kind for kind in kinds if kind.startswith(OPERATION_PREFIX)}


def has_input(architecture: dict[str, Any]) -> bool:
    """Whether the architecture contains the shape of its input."""
    return any(part.get(key) for part in _parts(architecture) for key in (*SHAPE_KEYS, "build_config"))


def unknown_class_error(architecture: dict[str, Any], keras: Any, path: Path) -> ConvertError | None:
    """An error that names a layer or function that is not one of Keras's own; None if there is none."""
    if not _is_known(architecture, keras):
        return ConvertError(
            f"{path}: is of a custom model class, {_printable(architecture['class_name'])}, whose code is not in the"
            " file; rebuild it with keras.Sequential or keras.Model and save it again"
        )
    for part in _parts(architecture):
        config = part.get("config")
        if not isinstance(config, dict):
            continue
        for layer in config.get("layers") or ():
            if isinstance(layer, dict) and "class_name" in layer and not _is_known(layer, keras):
                return _custom_error(path, layer["class_name"], layer.get("config"))
        for key in ("activation", "recurrent_activation"):
            function = config.get(key)
            if isinstance(function, dict):
                function = function.get("config") if function.get("class_name") == "function" else None
            if isinstance(function, str) and not _is_function(function, keras):
                return _function_error(path, config.get("name"), function)
    return None


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    """All tables in an architecture except those for training."""
    if isinstance(part, dict):
        yield part
    values = [value for key, value in part.items() if key != "compile_config"] if isinstance(part, dict) else part
    if isinstance(values, list):
        for value in values:
            yield from _parts(value)


def _for_inference(part: Any, key: str = "") -> Any:
    if isinstance(part, dict):
        policy = part.get("config")
        if key == "dtype" and isinstance(policy, dict) and policy.get("name") in FLOAT_TYPES:
            return "float32"
        batched = {"input_shape": "batch_shape"} if key == "build_config" else {}
        kept = {name: value for name, value in part.items() if name != "compile_config"}
        return {name: _for_inference(value, batched.get(name, name)) for name, value in kept.items()}
    if isinstance(part, list):
        if key in SHAPE_KEYS and len(part) > 1 and isinstance(part[0], int):
            return [None, *part[1:]]
        return [_for_inference(value) for value in part]
    if key == "dtype" and part in FLOAT_TYPES:
        return "float32"
    return part


def _is_known(layer: dict[str, Any], keras: Any) -> bool:
    name = str(layer["class_name"])
    return (
        any(hasattr(place, name) for place in (keras.layers, keras.models))
        or name in ("Functional", "Model", "Sequential", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
        or str(layer.get("module")).startswith(("keras.src.ops", "keras.ops"))
    )


def _is_function(name: str, keras: Any) -> bool:
    return hasattr(keras.activations, name) or hasattr(getattr(keras, "layers", None), name)


def _code_error(path: Path, what: str) -> ConvertError:
    return ConvertError(
        f"{path}: has a {what}, which is program code that would run on loading; replace it with Keras's own"
        " layers (Rescaling, Reshape, ...) and save again"
    )


def _function_error(path: Path, layer: Any, name: str) -> ConvertError:
    origin = f"TensorFlow's tf.nn.{_printable(name[:-3])}" if name.endswith("_v2") else "not one of Keras's"
    return ConvertError(
        f"{path}: its layer {_printable(layer)} uses the function {_printable(name)} ({origin}), whose code is not"
        " in the file; use Keras's own, such as activation='softmax', and save again"
    )


def _custom_error(path: Path, kind: Any, config: Any, module: str | None = None) -> ConvertError:
    what = "function" if kind == "function" else "layer"
    name = config if kind == "function" else kind
    settings = config if isinstance(config, dict) else {}
    place = f" from {_printable(module)}" if module else ""
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
