"""ADD, SUB, MUL, DIV, MAXIMUM and MINIMUM of two tensors, with NumPy's broadcasting, which is TFLite's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.fixed_point import rescaler
from edge.model.numpy_tflite.kernel import FLOAT, INTEGERS, Call, Kernel, Values, clamped

OF_FLOATS: dict[str, Any] = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "DIV": np.divide, "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
}  # fmt: skip
_LEFT_SHIFT, _LEFT_SHIFT_INT16 = 20, 15
"""Bits by which int8, and int16, is shifted before it is added (tensorflow/lite/kernels/add.cc)."""


def binary(call: Call) -> Kernel:
    """Any of OF_FLOATS; of quantised integers: ADD, SUB and MUL, and MAXIMUM and MINIMUM of one scale."""
    name, kind = call.operator.name, call.types(FLOAT, *INTEGERS, np.int32, np.int64)
    if call.input(1).dtype != kind:
        raise ValueError("is of two types, which only a TFLite runtime can compute")
    extreme = name in ("MAXIMUM", "MINIMUM")
    if kind in INTEGERS and not extreme:
        if name not in ("ADD", "SUB", "MUL"):
            raise ValueError("is of integers, which only a TFLite runtime can compute")
        return _product(call) if name == "MUL" else _sum(call, -1 if name == "SUB" else 1)
    if extreme and kind in INTEGERS:
        tensors = (call.input(0), call.input(1), call.output)
        if len({(tensor.scale, tensor.zero) for tensor in tensors}) > 1:
            raise ValueError("changes the scale, which only a TFLite runtime can compute")
    if name == "DIV" and kind != FLOAT:
        raise ValueError("is of integers, which only a TFLite runtime can compute")
    how, limits = OF_FLOATS[name], call.limits(4) if kind == FLOAT and not extreme else (-np.inf, np.inf)
    return lambda values: clamped(np.asarray(how(values[0], values[1])), limits)


def _sum(call: Call, sign: int) -> Kernel:
    """AddFunc in tensorflow/lite/kernels/internal/reference/integer_ops/add.h: both inputs brought to one scale."""
    first, second, target, limits = call.input(0), call.input(1), call.output, call.limits(4)
    twice = np.float64(np.float32(2) * np.float32(max(first.scale, second.scale)))
    shift = 2.0 ** (_LEFT_SHIFT_INT16 if target.dtype == np.int16 else _LEFT_SHIFT)
    largest = float(np.iinfo(target.dtype).max - np.iinfo(target.dtype).min) * shift
    scaled = [rescaler(np.float64(tensor.scale) / twice, largest) for tensor in (first, second)]
    rescale = rescaler(twice / (shift * np.float64(target.scale)), 2 * largest)

    def kernel(values: Values) -> NDArray[Any]:
        assert values[0] is not None and values[1] is not None
        one = scaled[0]((values[0].astype(np.float64) - first.zero) * shift)
        other = scaled[1]((values[1].astype(np.float64) - second.zero) * shift)
        return clamped(rescale(one + sign * other) + target.zero, limits).astype(target.dtype)

    return kernel


def _product(call: Call) -> Kernel:
    """MulElementwise in tensorflow/lite/kernels/internal/reference/integer_ops/mul.h."""
    first, second, target, limits = call.input(0), call.input(1), call.output, call.limits(4)
    real = np.float32(first.scale) * np.float32(second.scale) / np.float32(target.scale)
    largest = float(np.iinfo(target.dtype).max - np.iinfo(target.dtype).min)
    rescale = rescaler(real, largest * largest)

    def kernel(values: Values) -> NDArray[Any]:
        assert values[0] is not None and values[1] is not None
        made = (values[0].astype(np.float64) - first.zero) * (values[1].astype(np.float64) - second.zero)
        return clamped(rescale(made) + target.zero, limits).astype(target.dtype)

    return kernel
