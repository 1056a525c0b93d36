"""Hold NumPy's stand-in against the TFLite runtime: ``python -m tests.benchmarks.stand_in MNIST [MODEL.tflite ...]``.

``MNIST`` is a folder of its four files. Each model, the packaged one by default, classifies the 10,000 test digits in
both, as ``Model.predict`` does for a page's digits; the views of all marks on the recorded pages go through the network
that judges them. Where LiteRT is installed, outputs are also compared with its reference kernels, value by value. Times
are processor times of one thread each, in turn, so that other work on the machine slows both alike.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from convert.data.mnist import load_mnist
from edge.model.classifier import Model, packaged_model
from edge.model.runtime import STAND_IN, interpreter_class, run_each, title_of
from edge.reading.belief import Belief
from edge.reading.reader import Reader
from edge.types import Pixels
from tests.readings import pages

PAGE = 12
"""Digits, or marks, that are classified together: as many as a page has."""
TURNS = 7
REFERENCE = 1000
"""Inputs that also go through the reference kernels, which take long."""


class Recorder(Belief):
    """Keeps all views that a reader looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.views: list[Pixels] = []

    def look(self, views: Pixels) -> Any:
        self.views.extend(views)
        return super().look(views)


def views() -> Pixels:
    """Of all marks on the recorded pages, (n, 40, 40, 2)."""
    with Recorder() as recorder, Reader(belief=recorder) as reader:
        for pixels, _ in pages():
            reader.read(pixels)
        return np.array(recorder.views)


def by_pages(run: Callable[[Any], Any], inputs: Any) -> Any:
    return np.concatenate([run(inputs[i : i + PAGE]) for i in range(0, len(inputs), PAGE)])


def processor_ms(run: Callable[[Any], Any], inputs: Any) -> float:
    started = time.process_time()
    by_pages(run, inputs)
    return 1000 * (time.process_time() - started) / len(inputs)


def compare(name: str, runtime: Callable[[Any], Any], stand_in: Callable[[Any], Any], inputs: Any) -> None:
    """Print how far the answers of two lie apart, and how long they take."""
    one, other = by_pages(runtime, inputs), by_pages(stand_in, inputs)
    some, times = inputs[: 50 * PAGE], []
    for _ in range(TURNS):
        times.append((processor_ms(runtime, some), processor_ms(stand_in, some)))
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    same = int((one.argmax(axis=1) == other.argmax(axis=1)).sum())
    print(
        f"{name}: {same} of {len(inputs)} answers are the same; probabilities differ by up to"
        f" {np.abs(one - other).max():.4f}; {medians[1]:.3f} ms in place of {medians[0]:.3f} ms,"
        f" {medians[1] / medians[0]:.1f} times as long"
    )


def compare_values(name: str, content: bytes, inputs: Any) -> None:
    """Print whether the outputs are those of LiteRT's reference kernels."""
    litert = import_module("ai_edge_litert.interpreter")
    reference = litert.Interpreter(
        model_content=content, num_threads=1, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    found = []
    for interpreter in (reference, interpreter_class(STAND_IN)(model_content=content)):
        interpreter.allocate_tensors()
        (first,), (last,) = interpreter.get_input_details(), interpreter.get_output_details()
        found.append(run_each(interpreter, first, last, inputs.astype(first["dtype"])))
    off = np.abs(found[0] - found[1])
    print(
        f"{name}: {int((off.reshape(len(off), -1).max(axis=1) == 0).sum())} of {len(off)} outputs are those of the"
        f" reference kernels; they differ by up to {off.max():g}"
    )


def main() -> int:
    folder, *paths = sys.argv[1:]
    digits = load_mnist(folder).test
    print(f"{title_of(interpreter_class())}; {title_of(interpreter_class(STAND_IN))}")
    for path in paths or [packaged_model()]:
        with Model(path) as runtime, Model(path, runtime=STAND_IN) as stand_in:
            compare(Path(path).name, runtime.predict, stand_in.predict, digits)
    marks = views()
    with Belief() as runtime_view, Belief(runtime=STAND_IN) as stand_in_view:
        compare("belief.tflite", runtime_view.look, stand_in_view.look, marks)
    if interpreter_class().__module__.startswith("ai_edge_litert"):
        packaged = packaged_model()
        compare_values(packaged.name, packaged.read_bytes(), digits[:REFERENCE, ..., None])
        compare_values("belief.tflite", packaged.with_name("belief.tflite").read_bytes(), marks[:REFERENCE])
    return 0


if __name__ == "__main__":
    sys.exit(main())
