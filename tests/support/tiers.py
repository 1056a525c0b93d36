"""Two tiers of tests: `make test-fast` (pytest --fast) leaves out the slow ones, `make test` runs them all.

A test is slow if it stands in one of FOLDERS or is marked ``@pytest.mark.slow``. `make test-fast` lists the others that
take a second or more: there a forgotten mark is seen. No test fails for its time: machines differ.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FOLDERS = ("convert", "faults", "scoreboard")
"""Folders of tests/ that are slow as a whole: they import TensorFlow, or wait for things to fail and to come back."""


def is_slow(path: Path) -> bool:
    """Whether this file or folder is in one of FOLDERS."""
    return path.is_relative_to(TESTS) and path.relative_to(TESTS).parts[:1] in [(name,) for name in FOLDERS]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out what is slow: tests/support/tiers.py")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes seconds; make test-fast leaves it out")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A slow folder is not even imported."""
    return True if config.getoption("--fast") and is_slow(collection_path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is in a slow folder; with --fast, take out what is marked."""
    for item in items:
        if is_slow(item.path):
            item.add_marker(pytest.mark.slow)
    if config.getoption("--fast"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)
