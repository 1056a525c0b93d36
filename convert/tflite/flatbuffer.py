"""What the FlatBuffer of a .tflite says: its ends, operators and constants.

The format is TFLite's schema.fbs (https://github.com/tensorflow/tensorflow/tree/master/tensorflow/compiler/mlir/lite/schema).
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or an output."""

    name: str
    shape: tuple[int, ...]
    kind: str
    """Type of its numbers: float32, uint8, ..."""
    scale: float
    """real = (number - zero) * scale; 0 where the numbers are real ones."""
    zero: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A .tflite without its weights."""

    version: int
    """Of the schema."""
    description: str
    needs: tuple[int, ...]
    """The oldest TFLite that has all of its operators, as the converter wrote it down: (2, 4, 0); () where it did
    not."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: dict[str, int]
    """How often each is used."""
    constants: int
    """How many numbers the file holds: weights, biases, shapes."""
    constant_bytes: int


def read(content: bytes, where: str) -> Graph:
    """The graph in the bytes of a .tflite. Raises ModelError where it is damaged; ``where`` is the file's name."""
    from ai_edge_litert import schema_py_generated as schema

    try:
        return _graph(schema.Model.GetRootAs(content, 0), schema)
    except (struct.error, IndexError, KeyError, ValueError, TypeError, AttributeError) as error:
        # What FlatBuffers, which checks nothing, comes to in a file that is cut short or overwritten.
        raise ModelError(f"{where}: is damaged or cut short; convert the model again") from error


def _graph(model: Any, schema: Any) -> Graph:
    kinds, names = _names(schema.TensorType), _names(schema.BuiltinOperator)
    graphs = [model.Subgraphs(i) for i in range(model.SubgraphsLength())]
    main = graphs[0]
    used: Counter[str] = Counter()
    kept: dict[int, tuple[int, int]] = {}
    for graph in graphs:
        for i in range(graph.OperatorsLength()):
            code = model.OperatorCodes(graph.Operators(i).OpcodeIndex())
            # Codes beyond a byte came later, in a field of their own.
            name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            used[_text(code.CustomCode()) if name == "CUSTOM" else name] += 1
        for i in range(graph.TensorsLength()):
            tensor = graph.Tensors(i)
            size = model.Buffers(tensor.Buffer()).DataLength()
            if size:
                kept[tensor.Buffer()] = (int(tensor.ShapeAsNumpy().prod()) if tensor.ShapeLength() else 1, size)
    return Graph(
        version=model.Version(),
        description=_text(model.Description()),
        needs=_needs(model),
        inputs=tuple(_tensor(main.Tensors(main.Inputs(i)), kinds) for i in range(main.InputsLength())),
        outputs=tuple(_tensor(main.Tensors(main.Outputs(i)), kinds) for i in range(main.OutputsLength())),
        operators=dict(sorted(used.items())),
        constants=sum(count for count, _ in kept.values()),
        constant_bytes=sum(size for _, size in kept.values()),
    )


def _tensor(tensor: Any, kinds: dict[int, str]) -> Tensor:
    steps = tensor.Quantization()
    scaled = steps is not None and steps.ScaleLength() > 0
    return Tensor(
        name=_text(tensor.Name()),
        shape=tuple(int(n) for n in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else (),
        kind=kinds[tensor.Type()].lower(),
        scale=float(steps.Scale(0)) if scaled else 0.0,
        zero=int(steps.ZeroPoint(0)) if scaled else 0,
    )


def _needs(model: Any) -> tuple[int, ...]:
    for i in range(model.MetadataLength()):
        if _text(model.Metadata(i).Name()) == "min_runtime_version":
            version = bytes(model.Buffers(model.Metadata(i).Buffer()).DataAsNumpy()).rstrip(b"\0").decode()
            return tuple(int(part) for part in version.split(".") if part.isdecimal())
    return ()


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def _text(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")
