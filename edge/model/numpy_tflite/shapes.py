"""Operators that move values, or tell shapes, and compute nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.graph import MAX_VALUES
from edge.model.numpy_tflite.kernel import Call, Kernel, Values


def reshape(call: Call) -> Kernel:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: to the shape that the output is said to have, or several of them."""
    declared = call.output.shape
    if math.prod(declared) != math.prod(call.input(0).shape) or not declared:
        raise ValueError(f"makes {declared[:8]} of {call.input(0).shape[:8]}")
    return lambda values: _value(values).reshape(-1, *declared[1:])


def shape(call: Call) -> Kernel:
    """SHAPE."""
    kind = np.int64 if call.option(4, "b") == 4 else np.int32
    return lambda values: np.array(call.input(0).shape, kind)


def pad(call: Call) -> Kernel:
    """PAD and PADV2: with what means 0, or with the value given."""
    widths = call.constant(1)
    source = call.input(0)
    if widths.shape != (len(source.shape), 2) or (widths < 0).any():
        raise ValueError("has widths that do not fit its input")
    if math.prod(n + int(a) + int(b) for n, (a, b) in zip(source.shape, widths, strict=True)) > MAX_VALUES:
        raise ValueError("is too large")
    given = call.optional_constant(2)
    integers = np.issubdtype(source.dtype, np.integer)
    fill: Any = given.reshape(-1)[0] if given is not None and given.size else source.zero if integers else 0
    return lambda values: np.pad(_value(values), widths, constant_values=fill)


def mirror_pad(call: Call) -> Kernel:
    """MIRROR_PAD."""
    widths, source = call.constant(1), call.input(0)
    least = 1 if call.option(4, "b") == 0 else 0
    if widths.shape != (len(source.shape), 2) or (widths < 0).any():
        raise ValueError("has widths that do not fit its input")
    if (widths.max(axis=1) > np.array(source.shape) - least).any():
        raise ValueError("has widths larger than its input")
    mode: Any = "reflect" if least else "symmetric"
    return lambda values: np.pad(_value(values), widths, mode=mode)


def transpose(call: Call) -> Kernel:
    """TRANSPOSE."""
    order = [int(axis) for axis in call.constant(1).reshape(-1)]
    return lambda values: np.ascontiguousarray(_value(values).transpose(order))


def concatenation(call: Call) -> Kernel:
    """CONCATENATION. Integers of several scales are refused, as the reference kernel of int8 does not rescale them."""
    axis = call.option(4, "i")
    tensors = [call.input(i) for i in range(len(call.operator.inputs))]
    if any(tensor.dtype != call.output.dtype for tensor in tensors) or call.option(6, "b"):
        raise ValueError("is of types that only a TFLite runtime can compute")
    kinds = {(tuple(tensor.scales), tuple(tensor.zeros)) for tensor in (*tensors, call.output)}
    if len(kinds) > 1 and np.issubdtype(call.output.dtype, np.integer):
        raise ValueError("joins tensors of several scales, which only a TFLite runtime can compute")
    return lambda values: np.concatenate([value for value in values if value is not None], axis)


def pack(call: Call) -> Kernel:
    """PACK."""
    axis = call.option(6, "i")
    return lambda values: np.stack([value for value in values if value is not None], axis)


def strided_slice(call: Call) -> Kernel:
    """STRIDED_SLICE, without ellipses and new axes."""
    begin, end, strides = (call.constant(i).reshape(-1) for i in (1, 2, 3))
    from_start, to_end, single = (call.option(field, "i") for field in (4, 6, 12))
    if (
        call.option(8, "i")
        or call.option(10, "i")
        or call.option(14, "?")
        or not len(begin) == len(end) == len(strides)
    ):
        raise ValueError("has an ellipsis, a new axis or an offset, which only a TFLite runtime can compute")
    parts: list[Any] = []
    for i, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        if single >> i & 1:
            parts.append(int(first))
        else:
            low, high = None if from_start >> i & 1 else int(first), None if to_end >> i & 1 else int(last)
            parts.append(slice(low, high, int(step)))
    return lambda values: np.ascontiguousarray(_value(values)[tuple(parts)])


def space_to_depth(call: Call) -> Kernel:
    """SPACE_TO_DEPTH: blocks of pixels become channels, row by row."""
    block = call.option(4, "i")

    def kernel(values: Values) -> NDArray[Any]:
        n, height, width, channels = _value(values).shape
        if block < 1 or height % block or width % block:
            raise ValueError("has blocks that do not fit its input")
        blocks = _value(values).reshape(n, height // block, block, width // block, block, channels)
        return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, height // block, width // block, block * block * channels)

    return kernel


def _value(values: Values) -> NDArray[Any]:
    assert values[0] is not None
    return values[0]
