"""Readings are the same on a Pi and on a workstation, with any TFLite runtime, OpenCV and NumPy.

Only rounding may differ. OpenCV's on 64-bit ARM moves a side of a box by up to 2 pixels and a confidence by up to 0.03;
tflite-runtime's changes probabilities by up to 0.05 where two digits are about as likely. Pages are the same bytes;
texts, reasons and the number of unread marks are the same.
"""

import numpy as np
import pytest

from edge.model.runtime import RUNTIMES, STAND_IN
from tests.readings import BOX_PIXELS, CONFIDENCE, DOUBT, PAGES, doubts, furthest, installed, pages, readings, recorded


@pytest.fixture(params=(*RUNTIMES, STAND_IN))
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param not in installed():
        pytest.skip(f"{request.param} is not installed here; make test-edge RUNTIME=litert, or tflite, has it")
    return str(request.param)


def test_readings_are_those_that_were_recorded(runtime: str) -> None:
    found, then = readings(runtime), recorded()["readings"]
    for what in ("page", "text", "reason", "unread"):
        assert [one[what] for one in found] == [one[what] for one in then], what
    assert furthest(found, then, "boxes") <= BOX_PIXELS
    assert furthest(found, then, "confidences") <= CONFIDENCE


def test_probabilities_of_doubtful_digits_are_the_same_everywhere(runtime: str) -> None:
    np.testing.assert_allclose(doubts(runtime), recorded()["doubts"], rtol=0, atol=DOUBT)


def test_the_recorded_pages_are_varied() -> None:
    """Pages that are mostly read, empty ones, and doubtful digits, which rounding would change the most."""
    then = recorded()["readings"]
    assert len({one["page"] for one in then}) == PAGES
    assert sum(one["text"] == truth for one, (_, truth) in zip(then, pages(), strict=True)) >= 0.8 * PAGES
    assert sum(len(one["boxes"]) for one in then) > 100 and any(one["reason"] for one in then)
    best = np.max(recorded()["doubts"], axis=1)
    assert len(best) == 50 and np.count_nonzero(best < 0.9) >= 10
