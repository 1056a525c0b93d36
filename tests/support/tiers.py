"""Two tiers of tests: `make test-fast` (pytest --fast) leaves out the slow ones, `make test` runs them all.

A test is slow if it stands in one of FOLDERS or is marked ``@pytest.mark.slow``. Any other test fails, in both tiers,
if it takes longer than LIMIT: so a forgotten mark is noticed at the first run.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.patience import patience

TESTS = Path(__file__).parents[1]
FOLDERS = ("convert", "faults", "scoreboard")
"""Folders of tests/ that are slow as a whole: they import TensorFlow, or wait for things to fail and to come back."""
LIMIT = patience(10)
"""Seconds that a test may take that is not slow; on a busy machine `limit` gives it more."""


def is_slow(path: Path) -> bool:
    """Whether this file or folder is in one of FOLDERS."""
    return path.is_relative_to(TESTS) and path.relative_to(TESTS).parts[:1] in [(name,) for name in FOLDERS]


def limit() -> float:
    """LIMIT, times the processes that want to run on each core if they are more than one."""
    return LIMIT * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that is too slow to be unmarked."""
    report = yield
    slow = report.passed and call.when == "call" and call.duration > limit()
    if slow and not item.get_closest_marker("slow"):
        report.outcome = "failed"
        report.longrepr = f"took {call.duration:.1f} s, more than {limit():.1f} s; make it faster or mark it slow"
    return report
