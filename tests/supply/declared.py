"""Print what pyproject.toml requires, one a line: ``python -m tests.supply.declared build``, or an extra's name."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def declared(what: str = "") -> list[str]:
    """The requirements of the project itself, of its ``build``, or of one of its extras."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    if what == "build":
        requirements: list[str] = tables["build-system"]["requires"]
        return requirements
    project = tables["project"]
    return list(project["optional-dependencies"][what] if what else project["dependencies"])


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in declared(sys.argv[1]))
