"""Compare with other programs on the same photographs: ``python -m tests.benchmarks.others FOLDER PYTHON``.

``FOLDER`` has photos/single and photos/multi with their labels.csv; ``PYTHON`` is a Python that has RapidOCR. All
programs read each picture in turn, each on one thread, so that other work on the machine slows all of them alike.
Loading and decoding a file is not counted, as a camera delivers decoded pictures.
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
"""Each program reads each picture this many times; the median counts."""
PROCESSES = 9
"""Number of processes that are timed from start to end; the median counts."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

Load = Callable[[str], Any]
"""A picture's file -> the picture, in the form that the reader takes."""
Read = Callable[[Any], str]
"""A picture -> its digits in reading order, of all lines together."""


class Result(NamedTuple):
    """The result of one program on the pictures of one folder."""

    milliseconds: list[float]
    """For each picture the median of all rounds."""
    right: int
    """The number of pictures that were read exactly."""


def edge() -> tuple[Load, Read]:
    """This project's reader."""
    from edge import Reader
    from edge.images import load
    from edge.system.process import after_imports

    after_imports()
    reader = Reader()
    return load, lambda pixels: reader.read(pixels).text.replace("\n", "")


def rapidocr(**options: bool) -> tuple[Load, Read]:
    """RapidOCR with its defaults, but one thread and no log; of the text that it finds only the digits count."""
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{which}_op_num_threads": 1 for which in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "critical", **threads})

    def read(pixels: Any) -> str:
        return "".join(
            letter for text in engine(pixels, **options).txts or () for letter in text if letter in "0123456789"
        )

    return engine.load_img, read


def rapidocr_line() -> tuple[Load, Read]:
    """RapidOCR without its search for text: the whole picture is taken as one line."""
    return rapidocr(use_det=False, use_cls=False)


def threshold_and_predict() -> tuple[Load, Read]:
    """The program of many tutorials: an adaptive threshold of the whole picture, shrunk, and Keras's ``predict``."""
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
    "usual": threshold_and_predict,
}


def serve(name: str) -> None:
    """Read the picture that each line of stdin names, and print a line of JSON: its text and the milliseconds."""
    with os.fdopen(os.dup(1), "w") as out:
        # What libraries print on stdout goes to stderr instead.
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


class ReaderProcess:
    """A reader in its own process."""

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
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{shlex.join(self._command)}: ended early; run this command to see why")
        return json.loads(line)


def command(name: str, python: str = sys.executable) -> list[str]:
    """The command that runs this reader as a process."""
    return [python, str(HERE), "--serve", name]


def compare(folder: Path, readers: Sequence[ReaderProcess]) -> list[Result]:
    """The result of each reader on all pictures that the folder's labels.csv names."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        labels = {str(folder / row["file"]): row["text"] for row in csv.DictReader(file)}
    # To warm up: the first picture takes longer.
    for reader in readers:
        reader(next(iter(labels)))
    answers = [[[reader(file) for _ in range(ROUNDS)] for reader in readers] for file in labels]
    return [
        Result(
            [statistics.median(took for _, took in rounds) for rounds in mine],
            sum(rounds[0][0] == truth for rounds, truth in zip(mine, labels.values(), strict=True)),
        )
        for mine in zip(*answers, strict=True)
    ]


def process_seconds(file: str) -> list[float]:
    """Median seconds of a process that reads one picture, from start to end: the tutorials' program, and ours."""
    from edge.commands.bench.startup import environment

    commands = [command("usual"), [str(Path(sys.executable).with_name("edge")), "read", file]]
    took: list[list[float]] = [[], []]
    for _ in range(PROCESSES):
        for arguments, seconds in zip(commands, took, strict=True):
            begun = time.perf_counter()
            subprocess.run(arguments, input=file, text=True, capture_output=True, env=environment() | QUIET, check=True)
            seconds.append(time.perf_counter() - begun)
    return [statistics.median(seconds) for seconds in took]


def table(title: str, names: Sequence[str], found: Sequence[Result]) -> str:
    """A table in Markdown; the first row is ours."""
    rows = [f"| {title} | read exactly | milliseconds a picture, p50 | times ours |", "|---|---|---|---|"]
    ours = statistics.median(found[0].milliseconds)
    for name, (milliseconds, right) in zip(names, found, strict=True):
        middle = statistics.median(milliseconds)
        rows.append(f"| {name} | {right} of {len(milliseconds)} | {middle:.2f} | {middle / ours:.0f} |")
    return "\n".join(rows)


def main(folder: Path, python: str) -> str:
    """Measure everything; the result in Markdown."""
    ours, rapid = ReaderProcess("edge"), ReaderProcess("rapidocr", python)
    line, plain = ReaderProcess("line", python), ReaderProcess("usual")
    several = compare(folder / "photos" / "multi", [ours, rapid])
    single = compare(folder / "photos" / "single", [ours, rapid, line, plain])
    for reader in (ours, rapid, line, plain):
        reader.close()
    program, read = process_seconds(min(map(str, (folder / "photos" / "single").glob("*.jpg"))))
    frame = statistics.median(single[0].milliseconds) / 1000
    names = ["edge-digits", "RapidOCR", "RapidOCR, set to one line", "threshold, shrink, `predict`"]
    return f"""{table(f"{len(several[0].milliseconds)} photographs of several digits", names[:2], several)}

{table(f"{len(single[0].milliseconds)} photographs of one digit", names, single)}

The program of the tutorials as a process, with its imports and `load_model`, takes {program:.2f} s a picture.
`edge read` takes {read:.2f} s, {program / read:.0f} times less; a reader that is already open, {program / frame:.0f}
times less.
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
