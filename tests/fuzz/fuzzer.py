"""Fuzzes one target with atheris: ``python -m tests.fuzz.fuzzer NAME FOLDER SECONDS OPTION...``.

SECONDS are of the processor, so that a busy machine neither shortens the fuzzing nor makes an input look slow. What is
found is written to FOLDER, for each place that raises an exception that is no EdgeError its smallest input, and the
fuzzing goes on. libFuzzer itself writes what crashes the process, hangs in compiled code or takes too much memory.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import atheris

from edge.errors import EdgeError
from tests.fuzz.targets import find

INSTRUMENTED = ["edge", "convert", "zipfile", "tomllib", "flatbuffers", "ai_edge_litert"]
"""Packages whose branches guide the fuzzing. What is compiled, such as OpenCV, cannot be seen."""
KEPT = "edge.errors"
"""Not imported anew: this module has to know its classes."""
HANG_SECONDS = 10
"""An input that takes longer is a hang. Chosen."""


class SlowError(Exception):
    """An input took too long."""


class Findings:
    """Writes the smallest input for each place that raises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[str, int] = {}

    def add(self, data: bytes, error: Exception) -> None:
        """Write ``data`` as ``raised-HASH.bin`` and the traceback beside it, unless a smaller one is there."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if {"edge", "convert"} & set(Path(frame.filename).parts)]
        place = (ours or frames)[-1:]
        what = " in ".join([type(error).__name__, *(f"{Path(frame.filename).name}:{frame.lineno}" for frame in place)])
        if len(data) >= self._sizes.get(what, sys.maxsize):
            return
        self._sizes[what] = len(data)
        path = self._folder / f"raised-{hashlib.sha256(what.encode()).hexdigest()[:8]}.bin"
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(f"{what}\n\n{''.join(traceback.format_exception(error))}")


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    # A line for each wrong command would take most of the time.
    logging.disable()
    name, seconds, findings = sys.argv[1], float(sys.argv[3]), Findings(Path(sys.argv[2]))
    for module in [module for module in sys.modules if module.partition(".")[0] in INSTRUMENTED and module != KEPT]:
        del sys.modules[module]
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = find(name)

    def attempt(data: bytes) -> None:
        start = time.process_time()
        if start > seconds:
            # libFuzzer's own limit is of the clock on the wall; it ends well at this signal.
            os.kill(os.getpid(), signal.SIGUSR1)
        try:
            target(data)
        except EdgeError:
            pass
        except Exception as error:
            findings.add(data, error)
        if time.process_time() - start > HANG_SECONDS:
            findings.add(data, SlowError(f"took {time.process_time() - start:.1f} s"))

    atheris.Setup([sys.argv[0], *sys.argv[4:]], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
