"""Multiply integers by real numbers as TFLite's reference kernels do: in fixed point, most of them rounded twice.

Source: tensorflow/lite/kernels/internal/quantization_util.cc and common.h; gemmlowp's fixedpoint.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 2.0**53
"""Integers below this are exact in float64."""
Rescale = Callable[[NDArray[Any]], NDArray[Any]]
"""Whole numbers (…, channels) -> whole numbers of the same shape, float64."""


def multiplier(real: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """QuantizeMultiplier: positive real numbers as mantissa * 2**(shift - 31), mantissa 2**30 to 2**31 - 1."""
    fraction, shift = np.frexp(np.atleast_1d(np.asarray(real, np.float64)))
    mantissa, shift = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64), shift.astype(np.int64)
    carry = mantissa == 2**31
    mantissa, shift = np.where(carry, mantissa // 2, mantissa), shift + carry
    tiny = shift < -31
    mantissa, shift = np.where(tiny, 0, mantissa), np.where(tiny, 0, shift)
    if (shift > 30).any():
        raise ValueError("its scales differ by a factor that is too large")
    return mantissa, shift


def rescaler(real: Any, largest: float, *, negative: bool = True) -> Rescale:
    """MultiplyByQuantizedMultiplier by positive real numbers, one or one a channel, of whole numbers up to ``largest``.

    Whole numbers come out as float64. They are computed there too if all products are exact, which is faster. Without
    ``negative``, it does not matter which number below 0 a negative one becomes.
    """
    return _twice(*multiplier(real), largest, negative)


def rescaler_of_mean(real: float, count: int, largest: float) -> Rescale:
    """As ``rescaler``, of sums of ``count`` numbers, which it also divides by that (QuantizedMeanOrSum in reduce.h)."""
    mantissa, shift = multiplier(real)
    more = min(count.bit_length() - 1, 32, 31 + int(shift[0]))
    return _twice((mantissa << more) // count, shift - more, largest, True)


def _twice(mantissa: NDArray[np.int64], shift: NDArray[np.int64], largest: float, negative: bool) -> Rescale:
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    if largest * float(2.0 ** left.max()) * float(mantissa.max()) + 2.0**30 < EXACT:
        return _rescaler_float64(mantissa, left, right, negative)
    half, rounded = (1 << right) >> 1, right > 0

    def rescale(numbers: NDArray[Any]) -> NDArray[Any]:
        # SaturatingRoundingDoublingHighMul: halves are rounded up.
        high = ((numbers.astype(np.int64) << left) * mantissa + 2**30) >> 31
        # RoundingDivideByPOT: halves are rounded away from 0.
        return ((high + half - ((high < 0) & rounded)) >> right).astype(np.float64)

    return rescale


def _rescaler_float64(
    mantissa: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64], negative: bool
) -> Rescale:
    factor, half = mantissa * 2.0**left * 2.0**-31, np.where(right > 0, 0.5, 0.0)
    divisor = 2.0**-right

    def rescale(numbers: NDArray[Any]) -> NDArray[Any]:
        # As above: multiplying by a power of two, and adding a half to what is below 2**52, is exact.
        high = np.multiply(numbers, factor, dtype=np.float64)
        high += 0.5
        np.floor(high, out=high)
        if negative:
            # Halves away from 0: half up of the absolute number, with its sign.
            sign = np.copysign(1.0, high)
            np.abs(high, out=high)
        high *= divisor
        high += half
        np.floor(high, out=high)
        if negative:
            high *= sign
        return high

    return rescale


def rescaler_once(real: Any, largest: float) -> Rescale:
    """As ``rescaler``, rounded once, as FULLY_CONNECTED is since LiteRT 2: halves are rounded up."""
    mantissa, shift = multiplier(real)
    if largest * float(mantissa.max()) < EXACT:
        factor = mantissa * 2.0 ** (shift - 31)
        return lambda numbers: np.floor(np.multiply(numbers, factor, dtype=np.float64) + 0.5)
    half = np.int64(1) << (30 - shift)
    return lambda numbers: ((numbers.astype(np.int64) * mantissa + half) >> (31 - shift)).astype(np.float64)


def rescaler_int16(real: Any) -> Rescale:
    """As ``rescaler``, of sums of int16 activations: the multiplier has 16 bits, and it is rounded once."""
    mantissa, shift = multiplier(real)
    # TFLite refuses larger ones; then no sum overflows.
    if (shift > 7).any():
        raise ValueError("its scales differ by a factor that is too large")
    reduced, total = np.where(mantissa < 0x7FFF0000, (mantissa + 2**15) >> 16, 0x7FFF), 15 - shift
    half = np.int64(1) << (total - 1)

    def rescale(numbers: NDArray[Any]) -> NDArray[Any]:
        return ((numbers.astype(np.int64) * reduced + half) >> total).astype(np.float64)

    return rescale


def quantised(real: NDArray[Any], scale: float, zero: int, dtype: Any) -> NDArray[Any]:
    """Real numbers as integers of a type; halves are rounded away from 0."""
    steps = real / np.float32(scale)
    steps = np.trunc(steps + np.copysign(np.float32(0.5), steps))
    limits = np.iinfo(dtype)
    return np.clip(np.nan_to_num(steps) + zero, limits.min, limits.max).astype(dtype)
