"""Digits of seven segments: the right ones are on, and one display shows all digits alike."""

from __future__ import annotations

import cv2
import numpy as np

from convert.samples.segments import HEIGHT, segment_digit


def test_each_digit_has_its_segments() -> None:
    for seed in range(30):
        digits = [segment_digit(digit, np.random.default_rng(seed)) for digit in range(10)]
        ink = [np.count_nonzero(one > 127) for one in digits]
        assert ink[1] < ink[7] < ink[8] == max(ink) and ink[8] > ink[0] > ink[4] > ink[1], seed
        assert all(0.7 * HEIGHT < one.shape[0] < 1.4 * HEIGHT and one.max() == 255 for one in digits)
        assert digits[1].shape[1] < digits[8].shape[1]


def test_an_eight_holds_every_digit() -> None:
    eight = segment_digit(8, np.random.default_rng(4))
    for digit in (0, 2, 3, 5, 6, 9):
        one = segment_digit(digit, np.random.default_rng(4))
        found = cv2.matchTemplate(cv2.copyMakeBorder(eight, 40, 40, 40, 40, cv2.BORDER_CONSTANT), one, cv2.TM_CCORR)
        assert found.max() > 0.97 * float(np.square(one.astype(np.float64)).sum()), digit


def test_displays_differ() -> None:
    assert len({segment_digit(2, np.random.default_rng(seed)).shape for seed in range(20)}) > 10
