"""Print what pyproject.toml requires, one a line: ``python -m tests.supply.declared build``, bits-64, or an extra."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def declared(what: str = "bits-64") -> list[str]:
    """The requirements of the project itself for a word size, of its ``build``, or of one of its extras."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    requirements: list[str]
    if what == "build":
        requirements = tables["build-system"]["requires"]
    elif what.startswith("bits-"):
        # As hatch_build.py adds them up.
        config = tables["tool"]["hatch"]["metadata"]["hooks"]["custom"]
        requirements = [*config["everywhere"], *config[what]]
    else:
        requirements = tables["project"]["optional-dependencies"][what]
    return requirements


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in declared(sys.argv[1]))
