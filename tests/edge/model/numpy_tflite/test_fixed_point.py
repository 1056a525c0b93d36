"""Fixed-point multiplication against gemmlowp's definition, in Python's own integers, which have no limit."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.numpy_tflite.fixed_point import multiplier, rescaler, rescaler_once

REALS = st.floats(1e-6, 8.0)


def high_mul(a: int, b: int) -> int:
    """SaturatingRoundingDoublingHighMul, as gemmlowp writes it: with C's division, which rounds towards 0."""
    product = a * b
    nudged = product + (2**30 if product >= 0 else 1 - 2**30)
    return int(math.copysign(abs(nudged) // 2**31, nudged)) if nudged else 0


def divide_by_power(x: int, exponent: int) -> int:
    """RoundingDivideByPOT, as gemmlowp writes it."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


def expected(x: int, real: float) -> int:
    mantissa, shift = (int(part[0]) for part in multiplier(real))
    return divide_by_power(high_mul(x << max(shift, 0), mantissa), max(-shift, 0))


@settings(deadline=None)
@given(st.lists(st.integers(-(2**22), 2**22), min_size=1, max_size=50), REALS)
def test_numbers_are_rounded_twice_as_in_gemmlowp(numbers: list[int], real: float) -> None:
    array = np.array(numbers, np.float64)
    want = [expected(x, real) for x in numbers]
    # Small numbers are computed in float64, large ones in int64.
    for largest in (2.0**22, 2.0**31):
        assert rescaler(real, largest)(array).tolist() == want


@settings(deadline=None)
@given(st.lists(st.integers(-(2**22), 2**22), min_size=1, max_size=50), REALS)
def test_where_the_sign_does_not_matter_what_is_not_negative_is_the_same(numbers: list[int], real: float) -> None:
    array = np.array(numbers, np.float64)
    both, one = rescaler(real, 2.0**22)(array), rescaler(real, 2.0**22, negative=False)(array)
    assert np.maximum(both, 0).tolist() == np.maximum(one, 0).tolist()


@settings(deadline=None)
@given(st.lists(st.integers(-(2**22), 2**22), min_size=1, max_size=50), REALS)
def test_numbers_are_rounded_once(numbers: list[int], real: float) -> None:
    array = np.array(numbers, np.float64)
    mantissa, shift = (int(part[0]) for part in multiplier(real))
    want = [math.floor(Fraction(x * mantissa) * Fraction(2) ** (shift - 31) + Fraction(1, 2)) for x in numbers]
    for largest in (2.0**22, 2.0**31):
        assert rescaler_once(real, largest)(array).tolist() == want


@given(REALS)
def test_a_multiplier_is_close_to_its_number(real: float) -> None:
    mantissa, shift = (int(part[0]) for part in multiplier(real))
    assert 2**30 <= mantissa < 2**31
    assert abs(mantissa * 2.0 ** (shift - 31) / real - 1) < 2**-30
