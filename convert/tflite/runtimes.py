"""Find out which TFLite runtimes load a file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np

from convert.tflite import flatbuffer
from edge.errors import ModelError
from edge.model.classifier import Model, content_of
from edge.types import Pixels

PACKAGES = {
    "ai-edge-litert": "ai_edge_litert",
    "tflite-runtime": "tflite_runtime",
    "tensorflow": "tensorflow.lite.python",
    "tensorflow-cpu": "tensorflow.lite.python",
}
"""Python packages that contain TFLite's Interpreter, and the module that it is in."""
OLDEST = "tflite-runtime"
"""The oldest supported runtime: what a 32-bit Raspberry Pi has."""
OLDEST_VERSION = (2, 14, 0)
"""Its last version."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A TFLite runtime, and whether it runs a certain file."""

    name: str
    """Name of the package, as pip knows it."""
    version: str
    problem: str | None
    """Why it does not load or run the file, in one line; None if it does."""
    installed: bool = True
    """False if the runtime is not installed, and only the file's operators were checked."""
    agreement: float | None = None
    """Share of glyphs, 0 to 1, for which it gives the same answer as the first runtime that runs the file."""


def installed() -> dict[str, str]:
    """The version of each package of PACKAGES that is installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def try_all(path: Path) -> tuple[Runtime, ...]:
    """Run the .tflite at ``path`` on an empty glyph in each installed runtime; the oldest one is included in any case.

    If the oldest one is not installed, only the file's operators are checked against its version.
    """
    found = installed()
    runs = [Runtime(name, version, _problem(path, PACKAGES[name])) for name, version in found.items()]
    if OLDEST not in found:
        needs = flatbuffer.read(content_of(path), str(path)).min_runtime
        problem = f"needs operators of TFLite {_dotted(needs)}" if needs > OLDEST_VERSION else None
        runs.append(Runtime(OLDEST, _dotted(OLDEST_VERSION), problem, installed=False))
    return tuple(runs)


def with_agreement(path: Path, runs: tuple[Runtime, ...], glyphs: Pixels) -> tuple[Runtime, ...]:
    """The same runtimes with their agreement on glyphs (n, 28, 28); those that do not run the file are unchanged."""
    first = None
    found = []
    for one in runs:
        if one.installed and one.problem is None:
            with _open(path, PACKAGES[one.name]) as model:
                answers = model.predict(glyphs).argmax(axis=1)
            first = answers if first is None else first
            one = replace(one, agreement=float((answers == first).mean()))
        found.append(one)
    return tuple(found)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _problem(path: Path, module: str) -> str | None:
    try:
        with _open(path, module) as model:
            model.predict(np.zeros((1, 28, 28), np.uint8))
    except (ModelError, RuntimeError, ValueError) as error:
        return " ".join(str(error).removeprefix(f"{path}: ").split())[:200]
    return None


def _open(path: Path, module: str) -> Model:
    with warnings.catch_warnings():
        # TensorFlow warns that its interpreter has moved to LiteRT.
        warnings.simplefilter("ignore")
        return Model(path, runtime=module)
