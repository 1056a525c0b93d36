"""Fuzzes one target with atheris until its time is up: ``python -m tests.fuzz.fuzzer NAME FOLDER OPTION...``.

An exception that is no EdgeError is a finding: the smallest input for each place that raises is written to FOLDER, and
the fuzzing goes on. libFuzzer itself writes what crashes the process, hangs or takes too much memory, and ends.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from pathlib import Path

import atheris

from edge.errors import EdgeError
from tests.fuzz.targets import TARGETS, find

INSTRUMENTED = ["edge", "convert", "zipfile", "tomllib", "flatbuffers", "ai_edge_litert.schema_py_generated"]
"""Packages whose branches guide the fuzzing. What is compiled, such as OpenCV, cannot be seen."""


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    for module in [module for module in sys.modules if module.partition(".")[0] in INSTRUMENTED]:
        if not module.startswith("edge.errors"):
            del sys.modules[module]
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = find(name)
    smallest: dict[str, int] = {}

    def attempt(data: bytes) -> None:
        try:
            target(data)
        except EdgeError:
            pass
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)
            ours = next((frame for frame in reversed(place) if {"edge", "convert"} & set(Path(frame.filename).parts)), place[-1])
            what = f"{type(error).__name__} in {Path(ours.filename).name}:{ours.lineno}"
            if len(data) < smallest.get(what, sys.maxsize):
                smallest[what] = len(data)
                stem = folder / f"raised-{hashlib.sha256(what.encode()).hexdigest()[:8]}"
                stem.with_suffix(".bin").write_bytes(data)
                stem.with_suffix(".txt").write_text(f"{what}\n\n{traceback.format_exc()}")

    assert name in TARGETS
    atheris.Setup([sys.argv[0], *sys.argv[3:]], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
