"""The graph of a .tflite: its tensors with their constants, and its operators in order.

The fields are those of TFLite's schema.fbs
(https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.flatbuffer import Damaged, Table
from edge.model.numpy_tflite.names import operator_name

MAX_VALUES = 2**24
"""Most values of a tensor, and of all constants that operators use. Chosen: 64 MiB in float32."""
DTYPES: dict[int, Any] = {
    0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 7: np.int16, 9: np.int8,
}  # fmt: skip
"""NumPy's types by the numbers of schema.fbs's TensorType."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tensor:
    """What the file says of a tensor."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: Any
    """A type of NumPy; None for one that is not supported, such as texts."""
    scales: NDArray[np.float32]
    """(n,): one for all values, one for each part along ``axis``, or none if it is not quantised.
    real = (value - zero) * scale."""
    zeros: NDArray[np.int64]
    """(n,), as ``scales``."""
    axis: int
    constant: NDArray[Any] | None
    """Its values, of its shape, if the file has them."""

    @property
    def scale(self) -> float:
        """The one scale. Raises ValueError if there is not exactly one, or it is not positive."""
        if len(self.scales) != 1:
            raise ValueError(f"tensor {self.name}: has {len(self.scales)} scales instead of one")
        return float(self.positive_scales[0])

    @property
    def positive_scales(self) -> NDArray[np.float32]:
        """All scales. Raises ValueError if there is none, or one is not positive."""
        if not len(self.scales) or not (np.isfinite(self.scales) & (self.scales > 0)).all():
            raise ValueError(f"tensor {self.name}: has no positive scale")
        return self.scales

    @property
    def zero(self) -> int:
        """The value that means 0, within the type's range. Raises ValueError if it is not."""
        zero = int(self.zeros[0]) if len(self.zeros) else 0
        limits = np.iinfo(self.dtype)
        if not limits.min <= zero <= limits.max:
            raise ValueError(f"tensor {self.name}: its zero point {zero} is outside of its type")
        return zero


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operator:
    """An operator, and the tensors that it reads and writes."""

    name: str
    """As schema.fbs's BuiltinOperator: CONV_2D and so on."""
    inputs: tuple[Tensor | None, ...]
    """None: an optional one that is left out."""
    outputs: tuple[Tensor, ...]
    options: Table | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """A model: what its main graph reads and writes, and how."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]


def parse(content: bytes) -> Graph:
    """The main graph in the bytes of a .tflite. Raises ValueError, which says what is wrong."""
    try:
        return _graph(Table.root(content))
    except Damaged as error:
        raise ValueError("the file is damaged or cut short") from error


def _graph(model: Table) -> Graph:
    graphs = model.tables(8)
    if not graphs:
        raise Damaged
    main, buffers, codes = graphs[0], model.tables(12), model.tables(6)
    names = [_operator_name(code) for code in codes]
    tensors = [_tensor(i, table, buffers) for i, table in enumerate(main.tables(4))]

    def listed(indices: NDArray[Any]) -> tuple[Tensor, ...]:
        if ((indices < 0) | (indices >= len(tensors))).any():
            raise Damaged
        return tuple(tensors[i] for i in indices)

    def operator(table: Table) -> Operator:
        code = table.number(4, "I")
        if code >= len(names):
            raise Damaged
        return Operator(
            name=names[code],
            inputs=tuple(None if i == -1 else listed(np.array([i]))[0] for i in table.array(6, np.int32)),
            outputs=listed(table.array(8, np.int32)),
            options=table.table(12),
        )

    return Graph(
        inputs=listed(main.array(6, np.int32)),
        outputs=listed(main.array(8, np.int32)),
        operators=tuple(map(operator, main.tables(10))),
    )


def _operator_name(code: Table) -> str:
    # Codes above 127 were added later, in a field of their own.
    number = max(code.number(10, "i"), code.number(4, "b"))
    return operator_name(number, code.text(6))


def _tensor(index: int, table: Table, buffers: list[Table]) -> Tensor:
    shape = tuple(int(n) for n in table.array(4, np.int32))
    dtype = DTYPES.get(table.number(6, "b"))
    name = table.text(10)[:80]
    if any(n < 0 for n in shape) or math.prod(shape) > MAX_VALUES:
        raise ValueError(f"tensor {name}: has the shape {shape[:8]}, which is too large")
    if table.table(16):
        raise ValueError(f"tensor {name}: is sparse, which only a TFLite runtime can compute")
    steps = table.table(12)
    scales = steps.array(8, np.float32) if steps else np.zeros(0, np.float32)
    zeros = steps.array(10, np.int64) if steps else np.zeros(0, np.int64)
    if len(zeros) != len(scales):
        zeros = np.zeros(len(scales), np.int64)
    return Tensor(
        index=index,
        name=name,
        shape=shape,
        dtype=dtype,
        scales=scales,
        zeros=zeros,
        axis=steps.number(16, "i") if steps else 0,
        constant=_constant(table, buffers, shape, dtype),
    )


def _constant(table: Table, buffers: list[Table], shape: tuple[int, ...], dtype: Any) -> NDArray[Any] | None:
    number = table.number(8, "I")
    if number >= len(buffers):
        raise Damaged
    content = buffers[number].array(4, np.uint8)
    if not len(content) or dtype is None:
        return None
    if len(content) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise Damaged
    return content.view(np.dtype(dtype).newbyteorder("<")).reshape(shape)
