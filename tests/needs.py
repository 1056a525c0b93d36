"""What a test file needs to be imported, so that it is left out where that is missing: a Pi has no TensorFlow."""

from __future__ import annotations

import ast
import functools
from importlib.util import find_spec
from pathlib import Path

TESTS = Path(__file__).parent


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
            names = [name.name for name in node.names] if node.module == "tests" else [node.module]
        for name in names:
            helper = _helper(path, name)
            found |= needs(helper) if helper else {name.partition(".")[0]}
    return frozenset(found - {"__future__"})


def _helper(path: Path, name: str) -> Path | None:
    """The file of ``tests/`` that is imported by this name, if it is one."""
    inside = name.removeprefix("tests.").replace(".", "/") + ".py"
    return next((file for file in (path.parent / inside, TESTS / inside) if file.exists()), None)


def left_out() -> dict[Path, set[str]]:
    """The test files that cannot be loaded here, and what each of them lacks."""
    wanted = {path: needs(path) for path in sorted(TESTS.rglob("test_*.py"))}
    # ``convert`` itself is always there; all that it does is done with TensorFlow.
    wanted = {path: {"tensorflow" if name == "convert" else name for name in names} for path, names in wanted.items()}
    absent = {name for name in set().union(*wanted.values()) if find_spec(name) is None}
    return {path: names & absent for path, names in wanted.items() if names & absent}
