"""Find out which TFLite runtimes load a file."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np

from convert.tflite import flatbuffer
from convert.tflite.flatbuffer import Graph
from edge.errors import ModelError
from edge.model.card import Card, packed, read_card
from edge.model.classifier import Model, content_of, no_digits
from edge.model.preprocessing import image_shape
from edge.model.runtime import STAND_IN
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
EDGE_TPU = "edgetpu-custom-op"
"""The operator that stands for all that ``edgetpu_compiler`` compiled (https://coral.ai/docs/edgetpu/compiler/)."""
SELECT = "Flex"
"""How the names of TensorFlow's own operators begin: https://ai.google.dev/edge/litert/models/ops_select."""


@dataclass(frozen=True, slots=True)
class _File:
    """A .tflite, and why it cannot be run."""

    path: Path
    content: bytes
    graph: Graph
    card: Card | None

    @classmethod
    def read(cls, path: Path) -> _File:
        """The file at ``path``. Raises ModelError if it is damaged."""
        content = content_of(path)
        return cls(path, content, flatbuffer.read(content, str(path)), read_card(content, str(path)))

    def unfit(self) -> str | None:
        """Why it is no classifier of digits, whatever the runtime; None if it may be one."""
        for what, ends in (("input", self.graph.inputs), ("output", self.graph.outputs)):
            if len(ends) != 1:
                return f"has {len(ends)} {what}s, but a classifier of digits has one"
        try:
            image_shape(self.graph.inputs[0].shape, str(self.path))
        except ModelError as error:
            return self._reason(error)
        if self.card and self.outputs != len(self.card.labels):
            return f"has {self.outputs} outputs for {len(self.card.labels)} labels"
        return no_digits(self.outputs) or None

    @property
    def outputs(self) -> int:
        """How many numbers it gives for an image."""
        return math.prod(self.graph.outputs[0].shape[1:])

    def problem_in(self, module: str) -> str | None:
        """Why this runtime does not run it on an empty glyph; None if it does."""
        if unfit := self.unfit():
            return unfit
        # Whether the labels fit is no matter of the runtime: a file without a card gets some.
        content = self.content if self.card else packed(self.content, Card(labels=("0",) * self.outputs))
        try:
            with _open(self.path, module, content) as model:
                model.predict(np.zeros((1, 28, 28), np.uint8))
        except (ModelError, RuntimeError, ValueError) as error:
            # A runtime's own words for such operators are the address of a page.
            return lacking(self.graph) or self._reason(error)
        return None

    def _reason(self, error: Exception) -> str:
        return " ".join(str(error).removeprefix(f"{self.path}: ").split())[:200]


@dataclass(frozen=True, slots=True)
class Runtime:
    """A TFLite runtime, and whether it runs a certain file."""

    name: str
    """Name of the package, as pip knows it."""
    version: str
    problem: str | None
    """Why it does not load or run the file, in one line; None if it does."""
    installed: bool = True
    """False if the runtime is not installed, and only the file was looked at."""
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

    If the oldest one is not installed, only the file's ends and operators are looked at. Raises ModelError if the file
    is damaged.
    """
    found = installed()
    file = _File.read(path)
    runs = [Runtime(name, version, file.problem_in(PACKAGES[name])) for name, version in found.items()]
    if OLDEST not in found:
        problem = file.unfit() or lacking(file.graph)
        if not problem and file.graph.min_runtime > OLDEST_VERSION:
            problem = f"needs operators of TFLite {_dotted(file.graph.min_runtime)}"
        runs.append(Runtime(OLDEST, _dotted(OLDEST_VERSION), problem, installed=False))
    return tuple(runs)


def stand_in(path: Path) -> Runtime:
    """Whether NumPy, which takes a runtime's place on 32-bit systems, runs the .tflite at ``path``.

    Raises ModelError if the file is damaged.
    """
    return Runtime("NumPy", np.__version__, _File.read(path).problem_in(STAND_IN))


def lacking(graph: Graph) -> str | None:
    """Which operators a TFLite runtime does not know, and what to do; None if there are none."""
    if not graph.custom:
        return None
    if EDGE_TPU in graph.custom:
        return "was compiled for an Edge TPU; take the file that was given to edgetpu_compiler"
    if all(name.startswith(SELECT) for name in graph.custom):
        return f"needs TensorFlow's own operators ({_few(graph.custom)}); convert it again without SELECT_TF_OPS"
    return f"needs operators that are not TFLite's ({_few(graph.custom)}); use another file"


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


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(name.removeprefix(SELECT)[:60] for name in names[:5])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _open(path: Path, module: str, content: bytes | None = None) -> Model:
    with warnings.catch_warnings():
        # TensorFlow warns that its interpreter has moved to LiteRT.
        warnings.simplefilter("ignore")
        return Model(path, runtime=module, content=content)
