"""What a test file needs to be imported, so that it is left out where that is missing: a Pi has no TensorFlow."""

from __future__ import annotations

import ast
import functools
from importlib.util import find_spec
from pathlib import Path

TESTS = Path(__file__).parents[1]


@functools.cache
def needs(path: Path) -> frozenset[str]:
    """The packages that a file imports as it is loaded, itself and through other files of ``tests/``.

    What a function imports when it runs does not count: such a test skips itself.
    """
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names if _is_ours(node.module))]
        for name in names:
            if not _is_ours(name):
                found.add(name.partition(".")[0])
            elif helper := _helper(name):
                found |= needs(helper)
    return frozenset(found - {"__future__"})


def _is_ours(name: str) -> bool:
    return name == "tests" or name.startswith("tests.")


def _helper(name: str) -> Path | None:
    """The file of ``tests/`` that this name imports; None where it is a folder or something within a file."""
    file = TESTS.joinpath(*name.split(".")[1:]).with_suffix(".py")
    return file if file.exists() else None


def left_out() -> dict[Path, set[str]]:
    """The test files that cannot be loaded here, and what each of them lacks."""
    wanted = {path: needs(path) for path in sorted(TESTS.rglob("test_*.py"))}
    # ``convert`` itself is always there; all that it does is done with TensorFlow.
    wanted = {path: {"tensorflow" if name == "convert" else name for name in names} for path, names in wanted.items()}
    absent = {name for name in set().union(*wanted.values()) if find_spec(name) is None}
    return {path: names & absent for path, names in wanted.items() if names & absent}
