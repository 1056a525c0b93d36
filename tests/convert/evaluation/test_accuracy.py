import numpy as np
import pytest

from convert.evaluation.accuracy import accuracy, answered, likeliest_digit, taken_for_no_digit, words

CLASSES = ("7", "none", "٣", "10", "0")
"""Two digits, and what are none: a label, a digit of another script, a number."""
OUTPUTS = np.array([[2, 9, 1, 1, 1], [1, 9, 9, 9, 2], [5, 1, 1, 1, 1], [1, 1, 1, 1, 5], [1, 1, 9, 1, 5]], np.float32)


def test_what_is_no_digit_is_left_out_and_told_beside() -> None:
    assert likeliest_digit(OUTPUTS, CLASSES).tolist() == [7, 0, 7, 0, 0]
    written = np.array([7, 0, 0, 0, 3], np.uint8)
    assert accuracy(OUTPUTS, CLASSES, written) == pytest.approx(3 / 5), "a digit without an output is never read"
    assert taken_for_no_digit(OUTPUTS, CLASSES) == pytest.approx(3 / 5)
    assert taken_for_no_digit(OUTPUTS[:, [0, 4]], ("7", "0")) is None


def test_what_is_taken_for_no_digit_is_no_answer() -> None:
    written = np.array([7, 0, 7, 3, 0], np.uint8)
    assert answered(OUTPUTS, CLASSES, written) == pytest.approx(1 / 5), "none, none, 7, a digit without an output, none"
    assert answered(OUTPUTS[:, [0, 4]], ("7", "0"), written) == pytest.approx(4 / 5)


def test_logits_and_probabilities_are_read_alike() -> None:
    shares = np.exp(OUTPUTS) / np.exp(OUTPUTS).sum(axis=1, keepdims=True)
    assert np.array_equal(likeliest_digit(shares, CLASSES), likeliest_digit(OUTPUTS, CLASSES))
    assert words(0.9946, 10_000) == "reads 99.46% of MNIST's 10,000 test images"
