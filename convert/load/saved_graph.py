"""Check the graph of a SavedModel before TensorFlow loads it, and take out what saves and restores it."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from convert.load import classifier
from convert.load.operations import ALLOWED, CHECKPOINT
from convert.load.sizes import MAX_BYTES, mebibytes
from edge.errors import ConvertError
from edge.system.text import printable

MAX_NODES = 200_000
"""The most operations in a graph and its functions. Chosen: a recurrent model of Keras 2 has about 5,000."""
MAX_NAMED = 4
"""How many operations an error names."""
SIGNATURE = "serving_default"
"""The name of the function that TensorFlow and every Keras export for inference."""
INITIALISER = "__saved_model_init_op"
"""The signature that names what TensorFlow runs on loading (``tensorflow/python/saved_model/constants.py``)."""
INITIALISERS = ("saved_model_main_op", "legacy_init_op")
"""The collections that name it in older files."""
OBJECTS = {"user_object", "function", "bare_concrete_function", "variable", "constant", "captured_tensor", None}
"""Kinds of objects that a model of numbers has. The others are ``asset``, a file, and ``resource``, such as a table of
words, with functions that run on loading."""
CONSTANT = "tf.TrackableConstant"
"""The name that TensorFlow gives to its own class of a constant (``saved_model_utils.py``)."""
NO_VALUES = {"DT_RESOURCE", "DT_VARIANT"}
"""Types of constants whose bytes TensorFlow would take for objects."""
ADVICE = "export it for inference only, with model.export(folder)"
"""What to do with a model that has more in it."""


def checked(content: bytes, path: Path) -> Any:
    """The SavedModel in ``content``, the bytes of a ``saved_model.pb``, without what saves it; ``path`` names it.

    Every node of the graph and of every function is checked, also those that nothing calls: TensorFlow computes some
    of them while it loads. Raises ConvertError if it is damaged, or has an operation that is not in ALLOWED, a file, an
    initialiser, or constants of more than MAX_BYTES.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    try:
        parsed = SavedModel.FromString(content)
    except Exception as error:  # protobuf's DecodeError, which has no types for mypy
        raise ConvertError(f"{path}: its saved_model.pb is damaged or cut short; copy the folder again") from error
    if len(parsed.meta_graphs) != 1:
        what = f"has {len(parsed.meta_graphs)} graphs" if parsed.meta_graphs else "is empty"
        raise ConvertError(f"{path}: its saved_model.pb {what}; {ADVICE}")
    (meta,) = parsed.meta_graphs
    _check_objects(meta, path)
    nodes = {node.name: node for node in meta.graph_def.node}
    functions = {function.signature.name: function for function in meta.graph_def.library.function}
    check_sizes([*nodes.values(), *(node for function in functions.values() for node in function.node_def)], path)
    check_operations(nodes.values(), functions, path)
    _check_initialisers(meta, nodes, path)
    _remove_saving(meta, nodes, functions, path)
    return parsed


def signature(parsed: Any, path: Path) -> tuple[str, Any]:
    """The signature of a checked SavedModel that classifies: its name, and the shape of its output.

    Raises ConvertError if there is none, or if it has not exactly one input and one output.
    """
    signatures = {key: one for key, one in parsed.meta_graphs[0].signature_def.items() if key != INITIALISER}
    names = sorted(signatures)
    name = SIGNATURE if SIGNATURE in names else names[0] if len(names) == 1 else None
    if name is None:
        others = f"only {', '.join(map(_printable, names[:MAX_NAMED]))}" if names else "none"
        raise ConvertError(f"{path}: has no signature {SIGNATURE} ({others}); save it with model.export(folder)")
    inputs, outputs = signatures[name].inputs, signatures[name].outputs
    if (len(inputs), len(outputs)) != (1, 1):
        classifier.check_ends(len(inputs), len(outputs), (), path)
    (found,) = outputs.values()
    return name, found.tensor_shape


def has_variables(parsed: Any) -> bool:
    """Whether a checked SavedModel needs a checkpoint."""
    return any(node.op in ("VarHandleOp", "VariableV2", "Variable") for node in parsed.meta_graphs[0].graph_def.node)


def _check_objects(meta: Any, path: Path) -> None:
    for asset in meta.asset_file_def:
        raise ConvertError(f"{path}: reads a file of its own, {_printable(asset.filename)}; {ADVICE}")
    for part in meta.object_graph_def.nodes:
        kind = part.WhichOneof("kind")
        registered = "" if kind == "constant" and part.registered_name == CONSTANT else part.registered_name
        if kind not in OBJECTS or part.saveable_objects or registered or part.registered_saver:
            what = kind if kind not in OBJECTS else registered or part.registered_saver or "saver"
            raise ConvertError(f"{path}: has an object that runs on loading, {_printable(what)}; {ADVICE}")


def check_sizes(nodes: list[Any], path: Path) -> None:
    """Raise ConvertError if nodes are too many, or have constants or variables that are too large or no numbers."""
    from tensorflow.core.framework import types_pb2
    from tensorflow.python.framework import dtypes

    # The sum of variables is that of the checkpoint, whose files are limited. Keras 3 lists each variable three times
    # and stores it twice.
    total = variable = 0
    for node in nodes:
        for name, value in node.attr.items():
            if name == "shape" and node.op in ("VarHandleOp", "VariableV2"):
                variable = max(variable, 4 * _count(value.shape))
            for tensor in [value.tensor] if value.HasField("tensor") else value.list.tensor:
                if types_pb2.DataType.Name(tensor.dtype) in NO_VALUES:
                    raise ConvertError(f"{path}: its {_printable(node.name)} is a constant that is no number; {ADVICE}")
                total += _count(tensor.tensor_shape) * dtypes.as_dtype(tensor.dtype).size
        if max(total, variable) > MAX_BYTES or len(nodes) > MAX_NODES:
            raise ConvertError(
                f"{path}: has weights of more than {mebibytes(MAX_BYTES)}, or {len(nodes):,} operations; give a"
                " smaller model"
            )


def _count(shape: Any) -> int:
    return math.prod(max(dim.size, 0) for dim in shape.dim)


def check_operations(
    nodes: Iterable[Any], functions: Mapping[str, Any], path: Path, *, allow_saving: bool = True
) -> None:
    """Raise ConvertError if one of these nodes, or one in a function, is not arithmetic (nor for saving)."""
    everywhere = (nodes, *(function.node_def for function in functions.values()))
    found = {node.op for part in everywhere for node in part} - ALLOWED - (CHECKPOINT if allow_saving else set())
    if found:
        raise _operation_error(path, found)


def _check_initialisers(meta: Any, nodes: Mapping[str, Any], path: Path) -> None:
    # Asking a protobuf's table for what it lacks would add it.
    collections = [meta.collection_def[key] for key in INITIALISERS if key in meta.collection_def]
    signatures = [signature for key, signature in meta.signature_def.items() if key == INITIALISER]
    names = [name for collection in collections for name in collection.node_list.value]
    names += [tensor.name for signature in signatures for tensor in signature.outputs.values()]
    found = {nodes[name].op for name in before(map(node_name, names), nodes)} - {"NoOp"}
    if found:
        raise ConvertError(f"{path}: runs {_listed(found)} on loading, as an initialiser; {ADVICE}")


def _remove_saving(meta: Any, nodes: Mapping[str, Any], functions: Mapping[str, Any], path: Path) -> None:
    """Take out the functions and nodes that write and read checkpoints: TensorFlow restores variables without them.

    A graph of TensorFlow 1 keeps those that restore its variables, if they read no other file.
    """
    saving = {name for name in functions if CHECKPOINT & _operations_of(name, functions)}
    objects = meta.object_graph_def
    called = {*objects.concrete_functions, *(name for part in objects.nodes for name in _functions_of(part))}
    for name in sorted(called & saving):
        raise _operation_error(path, CHECKPOINT & _operations_of(name, functions))
    removed = CHECKPOINT if objects.nodes else CHECKPOINT - {"RestoreV2"}
    first = {name for name, node in nodes.items() if node.op in removed or saving & set(_calls(node))}
    gone = after(first, nodes)
    for key, signature in meta.signature_def.items():
        ends = [node_name(tensor.name) for tensor in (*signature.outputs.values(), *signature.inputs.values())]
        if key != INITIALISER and (bad := gone & set(before(ends, nodes))):
            raise _operation_error(path, {nodes[name].op for name in bad} & CHECKPOINT or CHECKPOINT)
    for node in nodes.values():
        if node.op == "RestoreV2" and node.name not in gone:
            _check_restoring(node, meta.saver_def.filename_tensor_name, nodes, path)
    kept = [node for node in meta.graph_def.node if node.name not in gone]
    del meta.graph_def.node[:]
    meta.graph_def.node.extend(kept)
    left = [function for name, function in functions.items() if name not in saving]
    del meta.graph_def.library.function[:]
    meta.graph_def.library.function.extend(left)


def _check_restoring(node: Any, filename: str, nodes: Mapping[str, Any], path: Path) -> None:
    """Raise ConvertError unless a RestoreV2 reads the file whose name TensorFlow gives to the graph's saver."""
    source = nodes.get(node_name(node.input[0])) if node.input else None
    if source is None or source.name != node_name(filename):
        raise _operation_error(path, {"RestoreV2"})
    for node in (nodes[name] for name in before([source.name], nodes)):
        values = [text for value in node.attr.values() for text in value.tensor.string_val]
        if node.op not in ("Const", "Placeholder", "PlaceholderWithDefault") or any(b"/" in text for text in values):
            raise _operation_error(path, {"RestoreV2"})


def _operations_of(name: str, functions: Mapping[str, Any]) -> set[str]:
    """The operations of a function and of those that it calls."""
    seen, waiting, found = {name}, [name], set()
    while waiting:
        function = functions.get(waiting.pop())
        for node in function.node_def if function else ():
            found.add(node.op)
            new = set(_calls(node)) - seen
            seen |= new
            waiting += new
    return found


def _calls(node: Any) -> Iterator[str]:
    """The names of the functions that a node calls."""
    for value in node.attr.values():
        yield from (function.name for function in (value.func, *value.list.func) if function.name)


def _functions_of(part: Any) -> Iterator[str]:
    """The names of the functions in an object of a SavedModel."""
    yield from part.function.concrete_functions
    yield part.bare_concrete_function.concrete_function_name


def before(names: Iterable[str], nodes: Mapping[str, Any], stop: Container[str] = ()) -> list[str]:
    """These nodes and all that they depend on, without what only those in ``stop`` depend on."""
    found, waiting = set(), [name for name in names if name in nodes]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            inputs = () if name in stop else nodes[name].input
            waiting += [one for end in inputs if (one := node_name(end)) in nodes]
    return sorted(found)


def after(names: set[str], nodes: Mapping[str, Any]) -> set[str]:
    """These nodes and all that depend on them."""
    users: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for end in node.input:
            users.setdefault(node_name(end), []).append(name)
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += users.get(name, ())
    return found


def node_name(end: str) -> str:
    """The node of ``^node`` or ``node:0``, as inputs and tensors are named."""
    return end.removeprefix("^").partition(":")[0]


def _operation_error(path: Path, names: Iterable[str]) -> ConvertError:
    return ConvertError(
        f"{path}: its graph has {_listed(names)}, which a classifier does not need and which may reach outside of it;"
        f" {ADVICE}"
    )


def _listed(names: Iterable[str]) -> str:
    named = [_printable(name) for name in sorted(names)]
    more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    return ", ".join(named[:MAX_NAMED]) + more


def _printable(name: str) -> str:
    return printable(name)[:60]
