"""Read from a .tflite which operators it runs, and the tensors that each reads and writes.

The format is that of ``flatbuffer``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from convert.tflite import flatbuffer

TYPE_BYTES = {"FLOAT64": 8, "INT64": 8, "UINT64": 8, "FLOAT16": 2, "INT16": 2, "UINT16": 2} | dict.fromkeys(
    ("INT8", "UINT8", "BOOL", "INT4", "UINT4"), 1
)
"""The size of a value by its type; of other types it is 4 bytes."""
FLOATS = {"FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor of the graph."""

    shape: tuple[int, ...]
    kind: str
    """Type of its values, as the schema calls it: INT8, INT32, BOOL, FLOAT32, …"""
    is_constant: bool
    """Whether its values are in the file."""
    scales: tuple[float, ...]
    """Scale of its values, or of each channel; () if it is not quantised."""
    zero: int

    @property
    def values(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """What its values take."""
        return self.values * TYPE_BYTES.get(self.kind, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One step of the graph."""

    name: str
    """As the schema calls it: CONV_2D, …; or its own name, if it is a custom one."""
    inputs: tuple[int, ...]
    """The tensors that it reads, as indices; those that it leaves out are not among them."""
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The main graph of a .tflite."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    """In the order in which they run."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def float_operators(self) -> list[str]:
        """The names of the operators that compute floats, sorted; those that only convert come last."""
        names = {
            one.name
            for one in self.operators
            if any(self.tensors[i].kind in FLOATS for i in (*one.inputs, *one.outputs))
        }
        return sorted(names, key=lambda name: (name in ("QUANTIZE", "DEQUANTIZE", "CAST"), name))


def read(content: bytes, where: str) -> Layout:
    """The layout of a .tflite; ``where`` is the file's name. Raises ModelError if it is damaged."""
    with flatbuffer.parsed(content, where) as (model, schema):
        return _layout(model, schema)


def _layout(model: Any, schema: Any) -> Layout:
    kinds, builtin = flatbuffer.names(schema.TensorType), flatbuffer.names(schema.BuiltinOperator)
    graph = model.Subgraphs(0)
    return Layout(
        tensors=tuple(_tensor(graph.Tensors(i), model, kinds) for i in range(graph.TensorsLength())),
        operators=tuple(_operator(graph.Operators(i), model, builtin) for i in range(graph.OperatorsLength())),
        inputs=tuple(graph.Inputs(i) for i in range(graph.InputsLength())),
        outputs=tuple(graph.Outputs(i) for i in range(graph.OutputsLength())),
    )


def _tensor(tensor: Any, model: Any, kinds: dict[int, str]) -> Tensor:
    steps = tensor.Quantization()
    scales = () if steps is None else tuple(steps.Scale(i) for i in range(steps.ScaleLength()))
    return Tensor(
        shape=tuple(tensor.Shape(i) for i in range(tensor.ShapeLength())),
        kind=kinds[tensor.Type()],
        is_constant=model.Buffers(tensor.Buffer()).DataLength() > 0,
        scales=scales,
        zero=steps.ZeroPoint(0) if scales else 0,
    )


def _operator(operator: Any, model: Any, builtin: dict[int, str]) -> Operator:
    read = (operator.Inputs(i) for i in range(operator.InputsLength()))
    return Operator(
        name=flatbuffer.operator_name(operator, model, builtin)[0],
        inputs=tuple(i for i in read if i >= 0),
        outputs=tuple(operator.Outputs(i) for i in range(operator.OutputsLength())),
    )
