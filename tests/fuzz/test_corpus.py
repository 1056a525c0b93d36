"""Each input of the corpus is read or refused as the project refuses it, in seconds and within the memory of a Pi."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

import pytest

from edge.errors import EdgeError
from tests.fuzz.targets import CORPUS, TARGETS, corpus, find
from tests.support.patience import patience

MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text("utf-8")
MEMORY_MB = 1024
HANG_SECONDS = 10
CORPUS_KB = 256
"""Most kilobytes of all inputs together. Chosen: a clone should stay small."""
INPUTS = [(name, path) for name in TARGETS for path in corpus(name)]


@pytest.mark.parametrize(("name", "path"), INPUTS, ids=lambda value: value if isinstance(value, str) else value.name)
def test_an_input_is_read_or_refused(name: str, path: Path) -> None:
    if "convert" in TARGETS[name]:
        pytest.importorskip("h5py", reason="the converter is not installed here")
    target = find(name)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        target(path.read_bytes())
    except EdgeError as error:
        assert "\n" not in str(error)
    assert time.process_time() - start < patience(HANG_SECONDS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_MB * 1024


def test_each_target_has_a_small_corpus_and_no_folder_is_without_one() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == TARGETS.keys()
    assert all(corpus(name) for name in TARGETS)
    assert sum(path.stat().st_size for _, path in INPUTS) < CORPUS_KB * 1024


def test_make_fuzz_runs_each_target_for_a_minute() -> None:
    assert re.search(r"^SECONDS \?= 60$", MAKEFILE, re.MULTILINE)
    assert "python -m tests.fuzz --seconds $(SECONDS) $(TARGET)" in MAKEFILE
