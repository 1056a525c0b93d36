"""make test-fast leaves out what is slow, and a test that is slow has to be marked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tiers

TEST = """
import time
import pytest

@pytest.mark.slow
def test_marked():
    time.sleep(0.3)

def test_forgotten():
    time.sleep(0.3)

def test_quick():
    pass
"""


def run(folder: Path, *options: str) -> str:
    """What pytest says of TEST, on a machine with nothing else to do, if a test may take a tenth of a second."""
    (folder / "test_it.py").write_text(TEST)
    (folder / "conftest.py").write_text("import os\nos.getloadavg = lambda: (0.0, 0.0, 0.0)\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.tiers", "-p", "no:cacheprovider", "-q", *options]
    environment = {**os.environ, "PYTHONPATH": root, "EDGE_PATIENCE": "0.01"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True).stdout


def test_a_forgotten_mark_fails(tmp_path: Path) -> None:
    said = run(tmp_path)
    assert "s, more than 0.1 s; make it faster or mark it slow" in said
    assert "FAILED test_it.py::test_forgotten" in said and "1 failed, 2 passed" in said


def test_the_fast_tier_has_nothing_marked(tmp_path: Path) -> None:
    assert "1 deselected" in run(tmp_path, "--fast")


def test_folders_of_slow_tests_are_there_and_all_in_them_is_slow() -> None:
    for name in tiers.FOLDERS:
        assert list((tiers.TESTS / name).rglob("test_*.py"))
        assert tiers.is_slow(tiers.TESTS / name) and tiers.is_slow(tiers.TESTS / name / "sub" / "test_it.py")
    assert not tiers.is_slow(tiers.TESTS) and not tiers.is_slow(tiers.TESTS / "edge" / "convert")


def test_a_busy_machine_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 0.0, 0.0))
    assert tiers.limit() == tiers.LIMIT
    monkeypatch.setattr(os, "getloadavg", lambda: (6.0, 0.0, 0.0))
    assert tiers.limit() == 3 * tiers.LIMIT
