"""Readings are the same on a Pi and on a workstation, with any TFLite runtime, OpenCV and NumPy.

Only rounding may differ. OpenCV's on 64-bit ARM moves a side of a box by up to 2 pixels and a confidence by up to 0.6
in log-odds; tflite-runtime's changes probabilities by up to 0.05 where two digits are about as likely. Pages are the
same bytes, with the same marks; texts and reasons are the same, but where rounding decides whether a mark is read.
"""

import numpy as np
import pytest

from edge.model.runtime import RUNTIMES, STAND_IN
from tests.readings import DOUBT, PAGES, doubts, furthest, installed, is_decided, is_same, pages, readings, recorded


@pytest.fixture(params=(*RUNTIMES, STAND_IN))
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param not in installed():
        pytest.skip(f"{request.param} is not installed here; make test-edge RUNTIME=litert, or tflite, has it")
    return str(request.param)


def test_readings_are_those_that_were_recorded(runtime: str) -> None:
    found, then = readings(runtime), recorded()["readings"]
    assert [one["page"] for one in found] == [one["page"] for one in then]
    for what in ("text", "reason"):
        pairs = [(a[what], b[what]) for a, b in zip(found, then, strict=True) if is_decided(b)]
        assert [a for a, _ in pairs] == [b for _, b in pairs], what
    assert all(map(is_same, found, then)), furthest(found, then)


def test_another_reading_is_seen() -> None:
    page = {"text": "4", "reason": None, "boxes": [[1, 2, 30, 40]], "confidences": [0.99]}
    doubtful = page | {"confidences": [0.45]}
    assert is_same(page, page) and is_same(doubtful | {"text": "", "confidences": [0.5]}, doubtful)
    for changed in (
        {"text": "7"},
        {"boxes": [[1, 2, 30, 43]]},
        {"boxes": [], "confidences": []},
        {"confidences": [0.98]},
    ):
        assert not is_same(page | changed, page), changed


def test_probabilities_of_doubtful_digits_are_the_same_everywhere(runtime: str) -> None:
    np.testing.assert_allclose(doubts(runtime), recorded()["doubts"], rtol=0, atol=DOUBT)


def test_the_recorded_pages_are_varied() -> None:
    """Pages that are mostly read, empty ones, and doubtful digits, which rounding would change the most."""
    then = recorded()["readings"]
    assert len({one["page"] for one in then}) == PAGES
    assert sum(one["text"] == truth for one, (_, truth) in zip(then, pages(), strict=True)) >= 0.8 * PAGES
    assert sum(len(one["boxes"]) for one in then) > 100 and any(one["reason"] for one in then)
    assert sum(map(is_decided, then)) >= 0.8 * PAGES
    best = np.max(recorded()["doubts"], axis=1)
    assert len(best) == 50 and np.count_nonzero(best < 0.9) >= 10
