from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.evaluation import verify
from convert.evaluation.verify import Comparison
from edge.model.card import NONE, Card
from edge.model.classifier import Model
from tests.support import small

pytestmark = small.QUIET
CLASSES = tuple("0123456789")


def one_hot(digits: list[int], sure: float, classes: int = 10) -> np.ndarray:
    rest = (1 - sure) / (classes - 1)
    return np.where(np.eye(classes)[digits] > 0, sure, rest).astype(np.float32)


def compared(written: list[int], keras: list[int], file: list[int]) -> Comparison:
    return Comparison(
        labels=np.array(written, np.uint8), keras=one_hot(keras, 0.91), tflite=one_hot(file, 0.82), classes=CLASSES
    )


def test_figures_are_those_counted_by_hand() -> None:
    found = compared([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 0], [1, 2, 3, 4, 5, 6, 1, 0])
    assert (found.images, found.correct_float, found.correct) == (8, 7, 6)
    assert (found.accuracy_float, found.accuracy, found.drop) == (0.875, 0.75, 12.5)
    assert found.agreement == 0.875 and found.taken_for_no_digit is None
    # Seven times 0.91 -> 0.82, once 0.91 -> 0.02, what the file leaves a 7.
    np.testing.assert_allclose(found.drift, [0.09] * 6 + [0.89, 0.09], atol=1e-6)
    assert found.by_digit()[-2:] == [(7, 1, 1, 0), (8, 1, 0, 0)] and len(found.by_digit()) == 8


def test_the_confusion_has_a_row_for_what_is_written() -> None:
    counts = verify.confusion(np.array([7, 1, 1]), np.array([7, 7, 1], np.uint8))
    assert counts[7, 7] == counts[7, 1] == counts[1, 1] == 1 and counts.sum() == 3


def test_labels_may_have_any_order_and_be_no_digits() -> None:
    found = Comparison(
        labels=np.array([3, 1, 3], np.uint8),
        keras=np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [0.6, 0.1, 0.3]], np.float32),
        tflite=np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [0.9, 0.1, 0.0]], np.float32),
        classes=(NONE, "1", "3"),
    )
    assert found.correct_float == 3 and found.correct == 2
    assert found.taken_for_no_digit == pytest.approx(1 / 3) and found.agreement == 1
    several = replace(found, classes=("minus", "1", "letter"))
    assert several.taken_for_no_digit == pytest.approx(2 / 3) and several.correct == 1


@pytest.mark.parametrize(
    ("right", "images", "low", "high"),
    # Brown, Cai, DasGupta, "Interval estimation for a binomial proportion" (2001), and R's binom.confint(…, "wilson").
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (9964, 10_000, 0.99502, 0.99740)],
)
def test_the_interval_is_wilsons(right: int, images: int, low: float, high: float) -> None:
    assert verify.wilson(right, images) == pytest.approx((low, high), abs=1e-4)


def test_predictions_keep_their_order_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small.quantised(small.trained()) + Card().archive())
    glyphs = small.data().test
    with Model(path) as model:
        for count in (1, 7, 300):
            assert np.array_equal(verify.predict(lambda: Model(path), glyphs[:count]), model.predict(glyphs[:count]))
        times = verify.time(model, glyphs[:3])
    assert 1 < times.p50 <= times.p95 < 1e6


@given(st.integers(1, 20_000), st.data())
def test_the_share_is_within_its_interval(images: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, images))
    low, high = verify.wilson(right, images)
    assert 0 <= low <= right / images <= high <= 1 and low < high
