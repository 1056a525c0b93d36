"""What the kernels share: what one is, its constants, its fused activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.graph import Operator, Tensor

Values = tuple[NDArray[Any] | None, ...]
"""The values of an operator's inputs; None for one that is left out."""
Kernel = Callable[[Values], NDArray[Any]]
"""Computes the one output of an operator."""
_NONE, _RELU, _RELU_N1_TO_1, _RELU6 = range(4)
_RANGES = {_NONE: (-np.inf, np.inf), _RELU: (0.0, np.inf), _RELU_N1_TO_1: (-1.0, 1.0), _RELU6: (0.0, 6.0)}
"""Least and greatest output, by schema.fbs's ActivationFunctionType."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """An operator as a kernel is made for it."""

    operator: Operator
    known: Values
    """The inputs whose values never change."""

    def option(self, field: int, kind: str, default: int | float = 0) -> Any:
        """A number of the operator's own options, by its place in their vtable."""
        return self.operator.options.number(field, kind, default) if self.operator.options else default

    def input(self, i: int) -> Tensor:
        """An input that must be there. Raises ValueError."""
        tensor = self.operator.inputs[i] if i < len(self.operator.inputs) else None
        if tensor is None:
            raise ValueError(f"has no input {i}")
        return tensor

    def constant(self, i: int) -> NDArray[Any]:
        """An input that must never change. Raises ValueError."""
        value = self.optional_constant(i)
        if value is None:
            raise ValueError(f"its input {i} is not constant, which only a TFLite runtime can compute")
        return value

    def optional_constant(self, i: int) -> NDArray[Any] | None:
        """As ``constant``; None if the input is left out."""
        tensor = self.operator.inputs[i] if i < len(self.operator.inputs) else None
        if tensor is None:
            return None
        if self.known[i] is None:
            raise ValueError(f"its input {i} is not constant, which only a TFLite runtime can compute")
        return self.known[i]

    @property
    def output(self) -> Tensor:
        """The one output."""
        return self.operator.outputs[0]

    def types(self, *kinds: Any) -> Any:
        """The first input's type, which must be one of ``kinds`` and that of the output. Raises ValueError."""
        kind = self.input(0).dtype
        if kind not in kinds or self.output.dtype != kind:
            raise ValueError(
                f"is of {_name(kind)} -> {_name(self.output.dtype)}, which only a TFLite runtime can compute"
            )
        return kind

    def limits(self, field: int) -> tuple[float, float]:
        """Least and greatest output, of the fused activation in this field and the output's type. Raises ValueError."""
        return self.limits_of(self.option(field, "b"))

    def limits_of(self, activation: int) -> tuple[float, float]:
        """As ``limits``, of a number of ActivationFunctionType."""
        if activation not in _RANGES:
            raise ValueError(f"has the fused activation {activation}, which only a TFLite runtime can compute")
        low, high = _RANGES[activation]
        if self.output.dtype not in INTEGERS:
            return low, high
        limits, scale, zero = np.iinfo(self.output.dtype), np.float32(self.output.scale), self.output.zero
        ends = [zero + np.trunc(end / scale + np.copysign(np.float32(0.5), end)) for end in (low, high)]
        return max(float(limits.min), float(ends[0])), min(float(limits.max), float(ends[1]))


FLOAT = np.float32
INTEGERS: tuple[Any, ...] = (np.int8, np.uint8, np.int16)
"""Types of quantised activations."""


def clamped(values: NDArray[Any], limits: tuple[float, float]) -> NDArray[Any]:
    """The same values, changed, within limits."""
    low, high = limits
    if low > -np.inf:
        np.maximum(values, low, out=values)
    if high < np.inf:
        np.minimum(values, high, out=values)
    return values


def _name(kind: Any) -> str:
    return "an unknown type" if kind is None else np.dtype(kind).name
