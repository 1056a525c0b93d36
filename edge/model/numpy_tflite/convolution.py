"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, as TFLite's reference kernels compute them.

Sums of int8 products are whole numbers, and are computed by BLAS in float32 or float64, whichever holds the largest
possible sum, and each partial one, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.fixed_point import EXACT, rescaler, rescaler_int16, rescaler_once
from edge.model.numpy_tflite.kernel import FLOAT, INTEGERS, Call, Kernel, Values, clamped
from edge.model.numpy_tflite.windows import Windows

EXACT_FLOAT32 = 2.0**24
"""Integers up to this are exact in float32."""
Sums = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]
"""Inputs, and weights (products of each output, outputs) -> sums (…, outputs)."""


def conv_2d(call: Call) -> Kernel:
    """CONV_2D: weights (outputs, height, width, inputs). With fewer inputs than the image has, it is one of groups:
    each has its own part of the image's channels, and of the outputs.
    """
    weights = _weights(call, 4)
    outputs, height, width, channels = weights.shape
    windows = _windows(call, (height, width), 12)

    def sums(images: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
        groups = images.shape[3] // channels if images.ndim == 4 else 0
        if not groups or images.shape[3] % channels or outputs % groups:
            raise ValueError("its weights do not fit its input")
        rows, columns = windows.counts(images)
        made = np.empty((len(images), rows, columns, groups, outputs // groups), images.dtype)
        for group, (inputs, weights_of) in enumerate(
            zip(np.split(images, groups, 3), np.split(matrix, groups, 1), strict=True)
        ):
            for some, part, patches in windows.patches(inputs):
                target = made[some, part, :, group]
                target[:] = (patches @ weights_of).reshape(target.shape)
        return made.reshape(*made.shape[:3], outputs)

    return _kernel(call, weights, 0, weights.reshape(outputs, -1).T, sums, 10)


def depthwise_conv_2d(call: Call) -> Kernel:
    """DEPTHWISE_CONV_2D: weights (1, height, width, outputs), each input channel in outputs / inputs of them."""
    weights = _weights(call, 4)
    _, height, width, outputs = weights.shape
    windows = _windows(call, (height, width), 14)

    def sums(images: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
        channels = images.shape[-1] if images.ndim == 4 else 0
        if not channels or outputs % channels or len(weights) != 1:
            raise ValueError("its weights do not fit its input")
        views = windows.views(images)
        taps = matrix.reshape(height, width, channels, outputs // channels)
        made = np.zeros((*views.shape[:3], channels, outputs // channels), images.dtype)
        for y in range(height):
            for x in range(width):
                made += views[:, :, :, y, x, :, None] * taps[y, x]
        return made.reshape(*views.shape[:3], outputs)

    return _kernel(call, weights, 3, weights.reshape(-1, outputs), sums, 12)


def _windows(call: Call, size: tuple[int, int], dilation: int) -> Windows:
    """The windows of a convolution; ``dilation``: where its options have the dilation in width, and then in height."""
    return Windows.of(
        size,
        (call.option(8, "i", 1), call.option(6, "i", 1)),
        call.option(4, "b"),
        (call.option(dilation + 2, "i", 1), call.option(dilation, "i", 1)),
    )


def fully_connected(call: Call) -> Kernel:
    """FULLY_CONNECTED: weights (outputs, inputs)."""
    weights = _weights(call, 2)
    outputs, inputs = weights.shape
    if call.option(6, "b"):
        raise ValueError("has shuffled weights, which only a TFLite runtime can compute")
    keep = bool(call.option(8, "?"))

    def sums(values: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
        if not inputs or values.size % inputs or (keep and values.shape[-1:] != (inputs,)):
            raise ValueError("its weights do not fit its input")
        made = values.reshape(-1, inputs) @ matrix
        return made.reshape(*values.shape[:-1], outputs) if keep else made

    return _kernel(call, weights, 0, weights.T, sums, 4)


def _weights(call: Call, dimensions: int) -> NDArray[Any]:
    weights = call.constant(1)
    if weights.ndim != dimensions or not weights.size:
        raise ValueError(f"its weights have the shape {weights.shape}")
    return weights


def _kernel(call: Call, weights: NDArray[Any], axis: int, matrix: NDArray[Any], sums: Sums, activation: int) -> Kernel:
    """The kernel of any sum of products: of floats, of integers, or of floats that are quantised while it runs."""
    kind = call.types(FLOAT, *INTEGERS)
    bias = call.optional_constant(2)
    if bias is not None and bias.shape != (weights.shape[axis],):
        raise ValueError("has another number of biases than of outputs")
    limits = call.limits(activation)
    if kind != FLOAT:
        return _of_integers(call, axis, matrix, bias, sums, limits)
    if weights.dtype == np.int8:
        return _hybrid(call, axis, matrix, bias, sums, limits)
    if weights.dtype != FLOAT or (bias is not None and bias.dtype != FLOAT):
        raise ValueError(f"has weights of {weights.dtype}, which only a TFLite runtime can compute")
    ready = np.ascontiguousarray(matrix, FLOAT)

    def kernel(values: Values) -> NDArray[Any]:
        assert values[0] is not None
        made = sums(values[0], ready)
        if bias is not None:
            made += bias
        return clamped(made, limits)

    return kernel


def _of_integers(
    call: Call, axis: int, matrix: NDArray[Any], bias: NDArray[Any] | None, sums: Sums, limits: tuple[float, float]
) -> Kernel:
    source, weights, target = call.input(0), call.input(1), call.output
    if matrix.dtype not in (np.int8, np.uint8) or (bias is not None and bias.dtype not in (np.int32, np.int64)):
        raise ValueError(f"has weights of {matrix.dtype}, which only a TFLite runtime can compute")
    scales = _channel_scales(call, axis, matrix.shape[1])
    real: Any
    if scales.size == 1:
        # GetQuantizedConvolutionMultipler multiplies these two in float32.
        real = np.float64(np.float32(source.scale) * scales) / target.scale
    else:
        real = np.float64(source.scale) * scales.astype(np.float64) / target.scale
    zero, limit = source.zero, np.iinfo(source.dtype)
    centred = matrix.astype(np.float64) - (weights.zero if scales.size == 1 else 0)
    least, most = int(limit.min) - zero, int(limit.max) - zero
    positive, negative = np.maximum(centred, 0).sum(axis=0), np.minimum(centred, 0).sum(axis=0)
    largest = float(max((positive * most + negative * least).max(), -(positive * least + negative * most).min()))
    if largest >= EXACT:
        raise ValueError("has sums that are too large")
    # least <= 0 <= most, so each partial sum, in whatever order BLAS adds, stays within this bound: all are exact.
    exact: Any = np.float32 if largest <= EXACT_FLOAT32 else np.float64
    ready = np.ascontiguousarray(centred, exact)
    if bias is not None:
        largest += float(np.abs(bias.astype(np.float64)).max(initial=0))
    if call.operator.name == "FULLY_CONNECTED":
        rescale = rescaler_once(real, largest)
    elif source.dtype == np.int16:
        rescale = rescaler_int16(real)
    else:
        rescale = rescaler(real, largest, negative=limits[0] < target.zero)
    added = None if bias is None else bias.astype(np.float64)

    def kernel(values: Values) -> NDArray[Any]:
        assert values[0] is not None
        made = sums(np.subtract(values[0], zero, dtype=exact), ready)
        if added is not None:
            made = made + added
        made = rescale(made)
        made += target.zero
        return clamped(made, limits).astype(target.dtype)

    return kernel


def _channel_scales(call: Call, axis: int, outputs: int) -> NDArray[np.float32]:
    """The scales of the weights: one, or one for each output. Raises ValueError."""
    weights = call.input(1)
    scales = weights.positive_scales
    if len(scales) == 1:
        return scales
    if len(scales) != outputs or weights.axis != axis or weights.zeros.any():
        raise ValueError("has scales that do not fit its weights")
    return scales


def _hybrid(
    call: Call, axis: int, matrix: NDArray[Any], bias: NDArray[Any] | None, sums: Sums, limits: tuple[float, float]
) -> Kernel:
    """Of floats and int8 weights: the input is quantised to int8, each image for itself, and the sums are scaled back.

    Source: AsymmetricQuantizeFloats in tensorflow/lite/kernels/internal/reference/portable_tensor_utils.cc.
    """
    scales = _channel_scales(call, axis, matrix.shape[1])
    ready = np.ascontiguousarray(matrix, np.float64)
    low, high = -128.0, 127.0

    def kernel(values: Values) -> NDArray[Any]:
        assert values[0] is not None
        made = []
        for image in values[0]:
            least, most = min(0.0, float(image.min())), max(0.0, float(image.max()))
            step = (most - least) / (high - low) or 1.0
            zero = float(np.clip(np.rint(low - least / step), low, high))
            numbers = np.clip(np.rint(image / np.float32(step)).astype(np.float64) + zero, low, high) - zero
            made.append(sums(numbers[None], ready) * (step * scales))
        result = np.concatenate(made).astype(FLOAT)
        if bias is not None:
            result += bias
        return clamped(result, limits)

    return kernel
