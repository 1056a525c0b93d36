"""MAX_POOL_2D, AVERAGE_POOL_2D, and MEAN, SUM and REDUCE_MAX over axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.numpy_tflite.fixed_point import rescaler_of_mean
from edge.model.numpy_tflite.kernel import FLOAT, INTEGERS, Call, Kernel, Values, clamped
from edge.model.numpy_tflite.windows import Windows


def max_pool_2d(call: Call) -> Kernel:
    """MAX_POOL_2D."""
    kind, limits, windows = call.types(FLOAT, *INTEGERS), call.limits(14), _windows(call)
    least = -np.inf if kind == FLOAT else np.iinfo(kind).min

    low, high = (kind(end) for end in limits)

    def kernel(values: Values) -> NDArray[Any]:
        views = windows.views(_images(values), least)
        # Place by place: faster than a reduction over two axes that do not lie side by side.
        made = views[:, :, :, 0, 0].copy()
        for y in range(windows.height):
            for x in range(windows.width):
                np.maximum(made, views[:, :, :, y, x], out=made)
        return np.clip(made, low, high, out=made)

    return kernel


def average_pool_2d(call: Call) -> Kernel:
    """AVERAGE_POOL_2D: of what lies in the image, without its padding."""
    kind, limits, windows = call.types(FLOAT, *INTEGERS), call.limits(14), _windows(call)

    def kernel(values: Values) -> NDArray[Any]:
        images = _images(values)
        exact: Any = FLOAT if kind == FLOAT else np.float64
        views = windows.views(images.astype(exact))
        inside = windows.views(np.ones((1, *images.shape[1:3], 1), exact)).sum(axis=(3, 4))
        made = np.zeros((*views.shape[:3], views.shape[5]), exact)
        for y in range(windows.height):
            for x in range(windows.width):
                made += views[:, :, :, y, x]
        if kind == FLOAT:
            return clamped(made / inside, limits)
        return clamped(_divided(made, inside), limits).astype(kind)

    return kernel


def reduction(call: Call) -> Kernel:
    """MEAN, SUM and REDUCE_MAX. Of integers: MEAN, and REDUCE_MAX of one scale."""
    kind = call.types(FLOAT, *INTEGERS)
    name, axes, keep = call.operator.name, _axes(call), bool(call.option(4, "?"))
    if kind == FLOAT:
        how: Any = {"MEAN": np.mean, "SUM": np.sum, "REDUCE_MAX": np.max}[name]
        return lambda values: np.asarray(how(_value(values), axis=axes, keepdims=keep), FLOAT)
    source, target = call.input(0), call.output
    if name == "REDUCE_MAX":
        if (source.scale, source.zero) != (target.scale, target.zero):
            raise ValueError("changes the scale, which only a TFLite runtime can compute")
        return lambda values: np.max(_value(values), axis=axes, keepdims=keep)
    if name == "SUM":
        raise ValueError("is of integers, which only a TFLite runtime can compute")
    zero, limits = source.zero, np.iinfo(kind)
    count = math.prod(call.input(0).shape[axis] for axis in axes)
    if not count:
        raise ValueError("its input is empty")
    rescale = rescaler_of_mean(source.scale / target.scale, count, 65535.0 * count)

    def mean(values: Values) -> NDArray[Any]:
        numbers = _value(values)
        sums = numbers.sum(axis=axes, keepdims=keep, dtype=np.float64) - float(zero) * count
        return np.clip(rescale(sums) + target.zero, limits.min, limits.max).astype(kind)

    return mean


def _divided(numbers: NDArray[Any], count: Any) -> NDArray[Any]:
    """Whole numbers, divided and rounded to the nearest one, halves away from 0."""
    return np.trunc((numbers + np.copysign(np.floor(count / 2), numbers)) / count)


def _windows(call: Call) -> Windows:
    return Windows.of(
        (call.option(12, "i"), call.option(10, "i")),
        (call.option(8, "i"), call.option(6, "i")),
        call.option(4, "b"),
        (1, 1),
    )


def _axes(call: Call) -> tuple[int, ...]:
    rank = len(call.input(0).shape)
    axes = sorted({int(axis) % max(1, rank) for axis in call.constant(1).reshape(-1)})
    return tuple(axes)


def _images(values: Values) -> NDArray[Any]:
    images = _value(values)
    if images.ndim != 4:
        raise ValueError("its input is no image")
    return images


def _value(values: Values) -> NDArray[Any]:
    assert values[0] is not None
    return values[0]
