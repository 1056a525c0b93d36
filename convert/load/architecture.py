"""The architecture of a Keras model as its file has it, a table of tables: what is refused in it, what is mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.errors import ConvertError

CODE = {"Lambda", "__lambda__", "LambdaMerge", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer"}
"""Layers that keep program code of their own, as bytes that would run on loading or in use."""
TEXTS = {"TextVectorization", "StringLookup", "IntegerLookup", "Hashing", "HashedCrossing"}
"""Layers that work on words; some open whatever file their configuration names."""
TENSORFLOW = re.compile(r"(tf\.)?(math|nn|image|__operators__|linalg)\.[\w.]+|(tf\.)?(?!load|save|print|py_|numpy_)\w+")
"""Which of TensorFlow's operations tf_keras may keep as a layer: those of numbers, none of files."""
KERAS = re.compile(r"(tf_)?keras(\.|$)|tensorflow\.(python\.)?keras(\.|$)|builtins$")
"""The modules of Keras's own objects."""
FLOATS = {"mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"}
OPERATION = "operation>"
"""What is put before the name of an operation outside of layers."""
BATCHED: tuple[str, ...] = ("batch_shape", "batch_input_shape", "build_input_shape")
"""Under which names an architecture has shapes with the batch first."""


def refuse_code(architecture: Any, path: Path) -> None:
    """Raise ConvertError where loading a model would run code from its file, or look for code that is not in it.

    Keras's own safe mode did not cover .h5 before 3.11.3 (CVE-2025-9905), and tf_keras's does not at all; tf_keras
    also imports any module that a .keras names (CVE-2025-1550).
    """
    for part in _parts(architecture):
        kind, config = part.get("class_name"), part.get("config")
        settings = config if isinstance(config, dict) else {}
        if kind in CODE or settings.get("mode_type") in ("lambda", "function"):
            raise _code(path, f"{'Lambda' if 'ambda' in f'{kind}' else kind} layer{_named(settings)}")
        if set(part) == {"value"} and not _are_numbers(part["value"]):
            # What tf_keras makes of activation=lambda x: ...; a constant initializer has a value, too.
            raise _code(path, "lambda function")
        if kind in TEXTS:
            raise ConvertError(f"{path}: has a layer {kind}, which works on words; name a classifier of images")
        module = part.get("module")
        if isinstance(module, str) and not KERAS.match(module):
            raise _custom(path, kind, config, module)
        if kind == "function" and isinstance(module, str) and not re.search(r"builtins|activations|ops|nn", module):
            raise _custom(path, kind, config, module)
        operation = str(settings.get("function", ""))
        if kind in ("TFOpLambda", "ClassMethod", "SlicingOpLambda") and not TENSORFLOW.fullmatch(operation):
            raise _operation(path, operation)
        if kind == "TensorFlowOpLayer" and re.search(r"File|PyFunc|Print|Save|Restore", str(settings)):
            raise _operation(path, str(settings.get("name")))


def _are_numbers(value: Any) -> bool:
    return all(map(_are_numbers, value)) if isinstance(value, list) else isinstance(value, int | float)


def mended(architecture: dict[str, Any]) -> dict[str, Any]:
    """The same with any size of batch, in float32, and without what only training needs."""
    mended: dict[str, Any] = _mended(architecture)
    return mended


def with_operations(architecture: Any) -> Any:
    """The same with operations outside of layers, such as x - 1, told from layers of the same name.

    Keras 3 writes both alike into an .h5, and then reads neither TrueDivide nor Subtract; only layers have a dtype.
    """
    if isinstance(architecture, list):
        return [with_operations(part) for part in architecture]
    if not isinstance(architecture, dict):
        return architecture
    told = {key: with_operations(value) for key, value in architecture.items()}
    config = told.get("config")
    if told.get("inbound_nodes") and isinstance(config, dict) and not {"dtype", "layers"} & set(config):
        told["class_name"] = f"{OPERATION}{told['class_name']}"
    return told


def outside(architecture: Any) -> set[str]:
    """The names that ``with_operations`` gave to operations."""
    kinds = {str(part.get("class_name")) for part in _parts(architecture)}
    return {kind for kind in kinds if kind.startswith(OPERATION)}


def has_input(architecture: dict[str, Any]) -> bool:
    """Whether an architecture says anywhere what shape its input has."""
    return any(part.get(key) for part in _parts(architecture) for key in (*BATCHED, "build_config"))


def unknown(architecture: dict[str, Any], keras: Any, path: Path) -> ConvertError | None:
    """What Keras's own layers and functions leave unknown in an architecture, as a refusal; None for nothing."""
    if not _is_known(architecture, keras):
        return ConvertError(
            f"{path}: is a model of a class of its own, {_plain(architecture['class_name'])}, whose code is not in the"
            " file; rebuild it with keras.Sequential or keras.Model and save that"
        )
    for part in _parts(architecture):
        config = part.get("config")
        if not isinstance(config, dict):
            continue
        for layer in config.get("layers") or ():
            if isinstance(layer, dict) and "class_name" in layer and not _is_known(layer, keras):
                return _custom(path, layer["class_name"], layer.get("config"))
        for key in ("activation", "recurrent_activation"):
            function = config.get(key)
            if isinstance(function, dict):
                function = function.get("config") if function.get("class_name") == "function" else None
            if isinstance(function, str) and not _is_function(function, keras):
                return _function(path, config.get("name"), function)
    return None


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    """All tables in an architecture, but for those of the training."""
    if isinstance(part, dict):
        yield part
    values = [value for key, value in part.items() if key != "compile_config"] if isinstance(part, dict) else part
    if isinstance(values, list):
        for value in values:
            yield from _parts(value)


def _mended(part: Any, key: str = "") -> Any:
    if isinstance(part, dict):
        policy = part.get("config")
        if key == "dtype" and isinstance(policy, dict) and policy.get("name") in FLOATS:
            return "float32"
        batched = {"input_shape": "batch_shape"} if key == "build_config" else {}
        kept = {name: value for name, value in part.items() if name != "compile_config"}
        return {name: _mended(value, batched.get(name, name)) for name, value in kept.items()}
    if isinstance(part, list):
        if key in BATCHED and len(part) > 1 and isinstance(part[0], int):
            return [None, *part[1:]]
        return [_mended(value) for value in part]
    if key == "dtype" and part in FLOATS:
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


def _code(path: Path, what: str) -> ConvertError:
    return ConvertError(
        f"{path}: has a {what}, which is program code that would run on loading; replace it by Keras's own"
        " layers (Rescaling, Reshape, ...) and save again"
    )


def _function(path: Path, layer: Any, name: str) -> ConvertError:
    whose = f"TensorFlow's tf.nn.{_plain(name[:-3])}" if name.endswith("_v2") else "none of Keras's"
    return ConvertError(
        f"{path}: its layer {_plain(layer)} has the function {_plain(name)} ({whose}), whose code is not in the file;"
        " use Keras's own, such as activation='softmax', and save again"
    )


def _custom(path: Path, kind: Any, config: Any, module: str | None = None) -> ConvertError:
    what = "function" if kind == "function" else "layer"
    name = config if kind == "function" else kind
    settings = config if isinstance(config, dict) else {}
    place = f" of {_plain(module)}" if module else ""
    return ConvertError(
        f"{path}: has a {what} of its own, {_plain(name)}{place}{_named(settings)}, whose code is not in the file;"
        " replace it by Keras's own and save again"
    )


def _operation(path: Path, name: str) -> ConvertError:
    return ConvertError(f"{path}: has an operation, {_plain(name)}, that is none on numbers; leave it out, save again")


def _named(settings: dict[str, Any]) -> str:
    return f" ({_plain(settings['name'])})" if settings.get("name") else ""


def _plain(name: Any) -> str:
    """A name from a file, safe to print on one line."""
    return re.sub(r"[^\w.>:/ -]", "?", str(name))[:60]
