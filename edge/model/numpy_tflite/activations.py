"""Functions of each value, SOFTMAX, QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.fixed_point import quantised, rescaler
from edge.model.numpy_tflite.graph import Tensor
from edge.model.numpy_tflite.kernel import FLOAT, INTEGERS, Call, Kernel, Values, clamped

_RELUS = {"RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
"""Numbers of ActivationFunctionType."""
Function = Callable[[NDArray[Any]], NDArray[Any]]


def relu(call: Call) -> Kernel:
    """RELU, RELU_N1_TO_1 and RELU6."""
    kind, limits = call.types(FLOAT, *INTEGERS), call.limits_of(_RELUS[call.operator.name])
    if kind == FLOAT:
        return lambda values: clamped(_value(values).copy(), limits)
    source, target = call.input(0), call.output
    rescale = rescaler(np.float64(np.float32(source.scale) / np.float32(target.scale)), 65535.0)

    def kernel(values: Values) -> NDArray[Any]:
        made = rescale(_value(values).astype(np.float64) - source.zero)
        return clamped(made + target.zero, limits).astype(target.dtype)

    return kernel


def leaky_relu(call: Call) -> Kernel:
    """LEAKY_RELU. Of integers as QuantizeLeakyRelu in tensorflow/lite/kernels/internal/reference/leaky_relu.h."""
    kind, slope = call.types(FLOAT, *INTEGERS), FLOAT(call.option(4, "f"))
    if kind == FLOAT:
        return lambda values: np.where(_value(values) > 0, _value(values), _value(values) * slope)
    if not slope >= 0:
        raise ValueError("has a negative slope, which only a TFLite runtime can compute")
    source, target, limits = call.input(0), call.output, call.limits_of(0)
    step, target_step = FLOAT(source.scale), FLOAT(target.scale)
    above, below = (rescaler(np.float64(real), 65535.0) for real in (step / target_step, step * slope / target_step))

    def kernel(values: Values) -> NDArray[Any]:
        numbers = _value(values).astype(np.float64) - source.zero
        made = np.where(numbers >= 0, above(numbers), below(numbers))
        return clamped(made + target.zero, limits).astype(target.dtype)

    return kernel


def elementwise(call: Call) -> Kernel:
    """A function of each value: of floats as it is, of integers by a table of all their values."""
    name, kind = call.operator.name, call.types(FLOAT, *INTEGERS)
    if (name == "SQRT" and kind != FLOAT) or (name == "RSQRT" and kind == np.int16):
        # The reference kernels compute these in ways of their own.
        raise ValueError("is of integers, which only a TFLite runtime can compute")
    function = FUNCTIONS[name]
    if kind == FLOAT:
        return lambda values: np.asarray(function(_value(values)), FLOAT)
    source, target, limits = call.input(0), call.output, np.iinfo(kind)
    every = np.arange(limits.min, limits.max + 1)
    real = ((every - source.zero) * np.float32(source.scale)).astype(FLOAT)
    made = np.asarray(function(real), FLOAT)
    # LUTPopulate multiplies by the inverse of the scale.
    steps = made * (FLOAT(1) / FLOAT(target.scale))
    steps = np.trunc(steps + np.copysign(FLOAT(0.5), steps)) + target.zero
    table = np.clip(np.nan_to_num(steps), limits.min, limits.max).astype(kind)
    return lambda values: table[_value(values).astype(np.intp) - limits.min]


def softmax(call: Call) -> Kernel:
    """SOFTMAX along the last axis. Integers are made real, and the result is rounded, as TFLite does."""
    kind, beta = call.types(FLOAT, *INTEGERS), FLOAT(call.option(4, "f"))
    source, target = call.input(0), call.output
    scale = FLOAT(1) if kind == FLOAT else FLOAT(source.scale)

    def kernel(values: Values) -> NDArray[Any]:
        numbers = _value(values)
        if not numbers.ndim or not numbers.size:
            raise ValueError("its input is empty")
        made = numbers.astype(FLOAT)
        made = np.exp((made - made.max(axis=-1, keepdims=True)) * (scale * beta))
        sums = made.sum(axis=-1, keepdims=True)
        if kind == FLOAT:
            return made / sums
        made = made * (FLOAT(1) / (sums * FLOAT(target.scale)))
        limits = np.iinfo(kind)
        return np.clip(np.trunc(made + FLOAT(0.5)) + target.zero, limits.min, limits.max).astype(kind)

    return kernel


def quantize(call: Call) -> Kernel:
    """QUANTIZE: floats, or integers of another scale or type, as integers."""
    source, target = call.input(0), call.output
    if target.dtype not in INTEGERS or source.dtype not in (FLOAT, *INTEGERS):
        raise ValueError("is of types that only a TFLite runtime can compute")
    scale, zero = target.scale, target.zero
    if source.dtype == FLOAT:
        return lambda values: quantised(_value(values), scale, zero, target.dtype)
    rescale, limits = rescaler(np.float64(source.scale) / scale, 65535.0), np.iinfo(target.dtype)

    def kernel(values: Values) -> NDArray[Any]:
        made = rescale(_value(values).astype(np.float64) - source.zero) + zero
        return clamped(made, (float(limits.min), float(limits.max))).astype(target.dtype)

    return kernel


def dequantize(call: Call) -> Kernel:
    """DEQUANTIZE: float16, or integers with one scale or one a channel, as float32."""
    source, target = call.input(0), call.output
    if target.dtype != FLOAT or source.dtype not in (np.float16, *INTEGERS):
        raise ValueError("is of types that only a TFLite runtime can compute")
    if source.dtype == np.float16:
        return lambda values: _value(values).astype(FLOAT)
    scales, zeros = _steps(source)
    return lambda values: ((_value(values).astype(np.float64) - zeros) * scales).astype(FLOAT)


def _steps(tensor: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scales and zeros of a tensor, in a shape that fits its values."""
    scales, shape = tensor.positive_scales, [1] * len(tensor.shape)
    if len(scales) > 1:
        if not 0 <= tensor.axis < len(shape) or tensor.shape[tensor.axis] != len(scales):
            raise ValueError("has scales that do not fit its values")
        shape[tensor.axis] = len(scales)
    return scales.astype(np.float64).reshape(shape), tensor.zeros.astype(np.float64).reshape(shape)


def _logistic(x: NDArray[Any]) -> NDArray[Any]:
    return FLOAT(1) / (FLOAT(1) + np.exp(-x))


def _elu(x: NDArray[Any]) -> NDArray[Any]:
    return np.where(x < 0, np.expm1(np.minimum(x, 0)), x)


def _hard_swish(x: NDArray[Any]) -> NDArray[Any]:
    return x * np.clip(x + FLOAT(3), FLOAT(0), FLOAT(6)) / FLOAT(6)


FUNCTIONS: dict[str, Function] = {
    "ABS": np.abs, "ELU": _elu, "EXP": np.exp, "HARD_SWISH": _hard_swish, "LOGISTIC": _logistic, "NEG": np.negative,
    "RSQRT": lambda x: FLOAT(1) / np.sqrt(x), "SQRT": np.sqrt, "SQUARE": np.square, "TANH": np.tanh,
}  # fmt: skip
"""By the names of operators."""


def _value(values: Values) -> NDArray[Any]:
    assert values[0] is not None
    return values[0]
