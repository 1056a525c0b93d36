"""make test-fast leaves out the slow tests, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import tiers

TEST = """
import pytest

@pytest.mark.slow
def test_marked():
    pass

def test_quick():
    pass
"""


def run(folder: Path, *options: str) -> str:
    """What pytest prints of TEST."""
    (folder / "test_it.py").write_text(TEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.tiers", "-p", "no:cacheprovider", "-q", *options]
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True).stdout


def test_the_whole_tier_has_everything(tmp_path: Path) -> None:
    assert "2 passed" in run(tmp_path)


def test_the_fast_tier_has_nothing_marked(tmp_path: Path) -> None:
    assert "1 passed, 1 deselected" in run(tmp_path, "--fast")


def test_folders_of_slow_tests_are_there_and_all_in_them_is_slow() -> None:
    for name in tiers.FOLDERS:
        assert list((tiers.TESTS / name).rglob("test_*.py"))
        assert tiers.is_slow(tiers.TESTS / name) and tiers.is_slow(tiers.TESTS / name / "sub" / "test_it.py")
    assert not tiers.is_slow(tiers.TESTS) and not tiers.is_slow(tiers.TESTS / "edge" / "convert")
