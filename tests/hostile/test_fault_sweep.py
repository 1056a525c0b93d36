"""A sample of ``tests.hostile.fault_sweep``: a call fails in a real ``edge run``, with a broker and the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.hostile.faulted import ERRORS, Bench

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler; apt-get install build-essential"),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("sweep"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("phase", "kind", "nth", "result"),
    [
        ("loading", "open", 40, "ends"),
        ("start", "thread", 1, "ends"),
        ("start", "read", 3, "goes on"),
        ("run", "write", 4, "goes on"),
        ("stop", "fsync", 1, "goes on"),
    ],
)
def test_it_goes_on_or_ends_cleanly_and_keeps_what_was_stored(
    phase: str, kind: str, nth: int, result: str, bench: Bench
) -> None:
    outcome = bench.attempt(phase, kind, nth, ERRORS[kind][0])
    assert outcome.good and outcome.what, outcome
    assert outcome.result == result or phase == "loading", outcome
