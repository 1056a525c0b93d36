"""Read the FlatBuffer of a .tflite: its inputs, outputs, operators and constants.

The format is TFLite's schema.fbs (https://github.com/tensorflow/tensorflow/tree/master/tensorflow/compiler/mlir/lite/schema).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or an output of a graph."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """Type of its values: float32, uint8, …"""
    scale: float
    """Scale of quantised values: real = (value - zero) * scale; 0 if it is not quantised."""
    zero: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A .tflite without its weights."""

    version: int
    """Version of the schema."""
    description: str
    min_runtime: tuple[int, ...]
    """The oldest TFLite that has all of its operators, as the converter noted, such as (2, 4, 0); () if it did not."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: dict[str, int]
    """How often each operator is used."""
    custom: tuple[str, ...]
    """Those of them that are not TFLite's own."""
    constants: int
    """Number of values in the file: weights, biases, shapes."""
    constant_bytes: int
    """Their size in bytes."""


@contextmanager
def parsed(content: bytes, where: str) -> Iterator[tuple[Any, Any]]:
    """The model in the bytes of a .tflite, and the module of its schema; ``where`` is the file's name.

    Raises ModelError if the block finds the file damaged: FlatBuffers checks nothing, so that reading what is truncated
    or overwritten fails anywhere.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        yield schema.Model.GetRootAs(content, 0), schema
    except (struct.error, IndexError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{where}: is damaged or cut short; copy it again, or use another file") from error


def names(enumeration: Any) -> dict[int, str]:
    """The values of an enumeration of the schema, as it calls them."""
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def operator_name(operator: Any, model: Any, builtin: Mapping[int, str]) -> tuple[str, bool]:
    """What an operator is called, and whether it is a custom one, with a name of its own; ``builtin``: ``names``."""
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Codes above 127 were added later, in a field of their own.
    name = builtin[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    return (_text(code.CustomCode()), True) if name == "CUSTOM" else (name, False)


def read(content: bytes, where: str) -> Graph:
    """The graph in the bytes of a .tflite; ``where`` is the file's name. Raises ModelError if it is damaged."""
    with parsed(content, where) as (model, schema):
        return _graph(model, schema)


def _graph(model: Any, schema: Any) -> Graph:
    dtypes, builtin = names(schema.TensorType), names(schema.BuiltinOperator)
    graphs = [model.Subgraphs(i) for i in range(model.SubgraphsLength())]
    main = graphs[0]
    used: Counter[str] = Counter()
    custom: set[str] = set()
    constants: dict[int, tuple[int, int]] = {}
    for graph in graphs:
        for i in range(graph.OperatorsLength()):
            name, is_custom = operator_name(graph.Operators(i), model, builtin)
            if is_custom:
                custom.add(name)
            used[name] += 1
        for i in range(graph.TensorsLength()):
            tensor = graph.Tensors(i)
            size = model.Buffers(tensor.Buffer()).DataLength()
            if size:
                constants[tensor.Buffer()] = (int(tensor.ShapeAsNumpy().prod()) if tensor.ShapeLength() else 1, size)
    return Graph(
        version=model.Version(),
        description=_text(model.Description()),
        min_runtime=_min_runtime(model),
        inputs=tuple(_tensor(main.Tensors(main.Inputs(i)), dtypes) for i in range(main.InputsLength())),
        outputs=tuple(_tensor(main.Tensors(main.Outputs(i)), dtypes) for i in range(main.OutputsLength())),
        operators=dict(sorted(used.items())),
        custom=tuple(sorted(custom)),
        constants=sum(count for count, _ in constants.values()),
        constant_bytes=sum(size for _, size in constants.values()),
    )


def _tensor(tensor: Any, dtypes: dict[int, str]) -> Tensor:
    steps = tensor.Quantization()
    scaled = steps is not None and steps.ScaleLength() > 0
    return Tensor(
        name=_text(tensor.Name()),
        shape=tuple(int(n) for n in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else (),
        dtype=dtypes[tensor.Type()].lower(),
        scale=float(steps.Scale(0)) if scaled else 0.0,
        zero=int(steps.ZeroPoint(0)) if scaled else 0,
    )


def _min_runtime(model: Any) -> tuple[int, ...]:
    for i in range(model.MetadataLength()):
        if _text(model.Metadata(i).Name()) == "min_runtime_version":
            version = bytes(model.Buffers(model.Metadata(i).Buffer()).DataAsNumpy()).rstrip(b"\0").decode()
            return tuple(int(part) for part in version.split(".") if part.isdecimal())
    return ()


def _text(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")
