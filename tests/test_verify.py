from __future__ import annotations

import io

import numpy as np
import pytest
import small

from convert import convention, quantise, report
from convert.verify import Verdict, verify
from edge.card import Card
from edge.model import Model

pytestmark = small.QUIET
VERDICT = Verdict(
    images=10_000, correct_float=9_931, correct=9_901, agreement=0.9952, drift_mean=0.01, drift_worst=0.5,
    size_bytes=100_000, microseconds=80.4,
)  # fmt: skip


@pytest.fixture(scope="module")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Model:
    glyphs = quantise.calibration(small.data(), 500, seed=1)
    found = convention.find(small.trained(), glyphs, "m.h5")
    path = tmp_path_factory.mktemp("int8") / "m.tflite"
    path.write_bytes(quantise.int8(small.trained(), found, glyphs, "uint8", "m.h5") + Card().archive())
    return Model(path)


def test_figures_are_those_counted_by_hand(quantised: Model) -> None:
    mnist = small.data()
    outputs = small.trained().predict(mnist.test[..., None] / np.float32(255), verbose=0)
    # Some labels are made wrong, so that both err.
    labels = np.where(np.arange(300) % 7 == 0, (mnist.test_labels + 1) % 10, mnist.test_labels).astype(np.uint8)
    verdict = verify(outputs, quantised, mnist.test, labels, 6000)
    found = quantised.predict(mnist.test)
    right_float, right = outputs.argmax(1) == labels, found.argmax(1) == labels
    assert (verdict.images, verdict.size_bytes) == (300, 6000)
    assert verdict.accuracy_float == pytest.approx(right_float.mean())
    assert verdict.accuracy == pytest.approx(right.mean())
    assert verdict.agreement == pytest.approx((outputs.argmax(1) == found.argmax(1)).mean())
    drifts = [abs(found[i, n] - outputs[i, n]) for i, n in enumerate(outputs.argmax(1))]
    assert verdict.drift_mean == pytest.approx(np.mean(drifts), abs=1e-6)
    assert verdict.drift_worst == pytest.approx(np.max(drifts), abs=1e-6)
    assert 1 < verdict.microseconds < 100_000
    assert verdict.accuracy > 0.8


def test_a_model_that_reads_otherwise_shows(quantised: Model) -> None:
    mnist = small.data()
    other = np.roll(small.trained().predict(mnist.test[..., None] / np.float32(255), verbose=0), 1, axis=1)
    verdict = verify(other, quantised, mnist.test, mnist.test_labels, 1)
    assert verdict.agreement < 0.05 and verdict.drop < -90 and verdict.drift_worst > 0.9


def test_the_drop_is_exact_in_percentage_points() -> None:
    assert VERDICT.drop == 0.3
    assert VERDICT.accuracy_float == 0.9931


def test_the_table_has_the_figures() -> None:
    from rich.console import Console

    console = Console(width=80, file=io.StringIO())
    console.print(report.table(VERDICT, io="uint8", float_bytes=476_168, calibrated_on=1000, temperature=0.71))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for figure in ("99.31%", "99.01%", "0.30 percentage points lost", "4.8 times smaller", "99.52%", "80 µs"):
        assert figure in text
    assert all(len(line) <= 80 for line in text.splitlines())
