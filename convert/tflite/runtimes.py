"""Which TFLite runtimes load a file."""

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
"""Distributions with TFLite's Interpreter, and the module that it is in."""
OLDEST, OLDEST_VERSION = "tflite-runtime", (2, 14, 0)
"""What a 32-bit Raspberry Pi has."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A TFLite runtime, and whether it runs a certain file."""

    name: str
    """As pip knows it."""
    version: str
    problem: str | None
    """Why it does not, in a line; None where it does."""
    installed: bool = True
    """False where this was only judged by the file's operators."""
    agreement: float | None = None
    """Share of glyphs for which it gives the same answer as the first one that runs the file, 0 to 1."""


def installed() -> dict[str, str]:
    """The version of each installed distribution of PACKAGES."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def tried(path: Path) -> tuple[Runtime, ...]:
    """Each installed runtime with the .tflite at ``path``, which reads an empty glyph with it; and the oldest one.

    The latter is judged by the file's operators where it is not installed.
    """
    found = installed()
    runs = [Runtime(name, version, _problem(path, PACKAGES[name])) for name, version in found.items()]
    if OLDEST not in found:
        needs = flatbuffer.read(content_of(path), str(path)).needs
        problem = f"has operators of TFLite {_written(needs)}" if needs > OLDEST_VERSION else None
        runs.append(Runtime(OLDEST, _written(OLDEST_VERSION), problem, installed=False))
    return tuple(runs)


def compared(path: Path, runs: tuple[Runtime, ...], glyphs: Pixels) -> tuple[Runtime, ...]:
    """The same with their agreement on glyphs (n, 28, 28)."""
    first = None
    found = []
    for one in runs:
        if one.installed and one.problem is None:
            with _opened(path, PACKAGES[one.name]) as model:
                answers = model.predict(glyphs).argmax(axis=1)
            first = answers if first is None else first
            one = replace(one, agreement=float((answers == first).mean()))
        found.append(one)
    return tuple(found)


def _written(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _problem(path: Path, module: str) -> str | None:
    try:
        with _opened(path, module) as model:
            model.predict(np.zeros((1, 28, 28), np.uint8))
    except (ModelError, RuntimeError, ValueError) as error:
        return " ".join(str(error).removeprefix(f"{path}: ").split())[:200]
    return None


def _opened(path: Path, module: str) -> Model:
    with warnings.catch_warnings():
        # TensorFlow announces that its interpreter is now LiteRT's.
        warnings.simplefilter("ignore")
        return Model(path, runtime=module)
