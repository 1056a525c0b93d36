"""How other readers read the same photographs, and how fast: ``python -m tests.benchmarks.others FOLDER PYTHON``.

``FOLDER`` has photos/single and photos/multi with their labels.csv; ``PYTHON`` is one that has RapidOCR. All read the
same pictures, one after the other, each on one thread, so that what else the machine does, all bear. Loading a file is
not counted: each has its pictures decoded, as a camera would give them.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__)
MODEL = HERE.parents[2] / "models" / "mnist.h5"
ROUNDS = 5
"""Each reads a picture so many times; the median counts."""
PROCESSES = 9
"""So many whole processes are timed."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

Load = Callable[[str], Any]
"""A picture's file -> the picture, as its reader wants it."""
Read = Callable[[Any], str]
"""A picture -> the digits in it, in reading order, of all lines together."""


class Took(NamedTuple):
    """What became of the pictures of one folder."""

    milliseconds: list[float]
    """Of each picture, the median of all rounds."""
    right: int
    """How many were read exactly."""


def edge() -> tuple[Load, Read]:
    """This project's reader."""
    from edge import Reader
    from edge.images import load
    from edge.system.process import after_imports

    after_imports()
    reader = Reader()
    return load, lambda pixels: reader.read(pixels).text.replace("\n", "")


def rapidocr(**how: bool) -> tuple[Load, Read]:
    """RapidOCR as it comes, but for its threads and its log; of the text that it finds, the digits."""
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{which}_op_num_threads": 1 for which in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "critical", **threads})

    def read(pixels: Any) -> str:
        return "".join(letter for text in engine(pixels, **how).txts or () for letter in text if letter in "0123456789")

    return engine.load_img, read


def rapidocr_line() -> tuple[Load, Read]:
    """RapidOCR where it need not look for text: the picture is one line of it."""
    return rapidocr(use_det=False, use_cls=False)


def usual() -> tuple[Load, Read]:
    """The usual program: a model of Keras, an adaptive threshold of the whole picture, ``predict``."""
    import cv2
    import keras

    model = keras.models.load_model(MODEL)

    def read(grey: Any) -> str:
        ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY_INV, 51, 15)
        glyph = cv2.resize(ink, (28, 28), interpolation=cv2.INTER_AREA)
        answer = model.predict(glyph.reshape(1, 28, 28, 1) / 255.0, verbose=0)
        return str(answer[0, :10].argmax())

    return lambda file: cv2.imread(file, cv2.IMREAD_GRAYSCALE), read


READERS: dict[str, Callable[[], tuple[Load, Read]]] = {
    "edge": edge,
    "rapidocr": rapidocr,
    "line": rapidocr_line,
    "usual": usual,
}


def serve(name: str) -> None:
    """Read the picture that each line of stdin names; a line of JSON each: its text, and the milliseconds it took."""
    with os.fdopen(os.dup(1), "w") as out:
        # What a library prints is no answer.
        os.dup2(2, 1)
        load, read = READERS[name]()
        out.write("{}\n")
        out.flush()
        for line in sys.stdin:
            picture = load(line.rstrip("\n"))
            begun = time.perf_counter()
            text = read(picture)
            took = 1000 * (time.perf_counter() - begun)
            out.write(json.dumps({"text": text, "ms": took}) + "\n")
            out.flush()


class Other:
    """A reader in a process of its own."""

    def __init__(self, name: str, python: str = sys.executable) -> None:
        self._command = command(name, python)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | ONE_THREAD | QUIET,
        )
        self._answer()

    def __call__(self, file: str) -> tuple[str, float]:
        assert self._process.stdin
        self._process.stdin.write(file + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return answer["text"], answer["ms"]

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{shlex.join(self._command)} ended: run it to see why")
        return json.loads(line)


def command(name: str, python: str = sys.executable) -> list[str]:
    """What runs this reader as a process."""
    return [python, str(HERE), "--serve", name]


def compare(folder: Path, others: Sequence[Other]) -> list[Took]:
    """All pictures that the folder's labels.csv names, read by each in turn."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        labels = {str(folder / row["file"]): row["text"] for row in csv.DictReader(file)}
    # The first picture takes what the others do not.
    for other in others:
        other(next(iter(labels)))
    answers = [[[other(file) for _ in range(ROUNDS)] for other in others] for file in labels]
    return [
        Took(
            [statistics.median(took for _, took in rounds) for rounds in mine],
            sum(rounds[0][0] == truth for rounds, truth in zip(mine, labels.values(), strict=True)),
        )
        for mine in zip(*answers, strict=True)
    ]


def processes(file: str) -> list[float]:
    """Seconds of a whole process that reads one picture: the usual program, and ours."""
    from edge.commands.bench.startup import environment

    commands = [command("usual"), [str(Path(sys.executable).with_name("edge")), "read", file]]
    took: list[list[float]] = [[], []]
    for _ in range(PROCESSES):
        for arguments, seconds in zip(commands, took, strict=True):
            begun = time.perf_counter()
            subprocess.run(arguments, input=file, text=True, capture_output=True, env=environment() | QUIET, check=True)
            seconds.append(time.perf_counter() - begun)
    return [statistics.median(seconds) for seconds in took]


def table(title: str, names: Sequence[str], found: Sequence[Took]) -> str:
    """A table in Markdown, the first of them ours."""
    rows = [f"| {title} | read exactly | milliseconds a picture, p50 | times ours |", "|---|---|---|---|"]
    ours = statistics.median(found[0].milliseconds)
    for name, (milliseconds, right) in zip(names, found, strict=True):
        middle = statistics.median(milliseconds)
        rows.append(f"| {name} | {right} of {len(milliseconds)} | {middle:.2f} | {middle / ours:.0f} |")
    return "\n".join(rows)


def main(folder: Path, python: str) -> str:
    """What was measured, in Markdown."""
    ours, rapid, line, plain = Other("edge"), Other("rapidocr", python), Other("line", python), Other("usual")
    several = compare(folder / "photos" / "multi", [ours, rapid])
    single = compare(folder / "photos" / "single", [ours, rapid, line, plain])
    for other in (ours, rapid, line, plain):
        other.close()
    program, read = processes(min(map(str, (folder / "photos" / "single").glob("*.jpg"))))
    frame = statistics.median(single[0].milliseconds) / 1000
    names = ["edge-digits", "RapidOCR", "RapidOCR, told that it is one line", "threshold, shrink, `predict`"]
    return f"""{table(f"{len(several[0].milliseconds)} photographs of several digits", names[:2], several)}

{table(f"{len(single[0].milliseconds)} photographs of one digit", names, single)}

The usual program as a process, import and `load_model` with it, takes {program:.2f} s a picture. `edge read` takes
{read:.2f} s, {program / read:.0f} times less; a reader that is there already, {program / frame:.0f} times less.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("python", nargs="?")
    parser.add_argument("--serve", choices=READERS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
    else:
        sys.stdout.write(main(chosen.folder, chosen.python))
