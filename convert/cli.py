"""``edge-convert`` and ``edge-train``: what they accept, what they print, how they end."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from edge.errors import EdgeError
from edge.quiet import without

NOISE = "|".join(
    (
        # What TensorFlow's C++ says before its log level is read, information and warnings in absl's form.
        r"WARNING: All log messages before absl",
        r"[IW]\d{4} \d",
        r"WARNING:(absl|tensorflow):",
        r"fully_quantize: ",
        r"INFO: ",
    )
)
"""How lines begin that TensorFlow writes to stderr when all is well; ``--debug`` shows them."""
PACKAGES = ("tensorflow", "keras", "h5py", "rich")
"""What ``pip install 'edge-digits[convert]'`` brings."""


def convert_main(arguments: Sequence[str] | None = None) -> int:
    """Run ``edge-convert``; the exit status: 0 done, 1 failed, 130 interrupted (2, wrong usage, is argparse's)."""
    parser = argparse.ArgumentParser(
        prog="edge-convert",
        description="Quantise a Keras MNIST model to a full-integer .tflite for the Raspberry Pi, and prove on MNIST's"
        " test images what that cost. The file is written only where it is good enough.",
        epilog="Exit status: 0 done; 1 failed, and one line on stderr says why; 2 wrong usage.",
    )
    parser.add_argument("model", metavar="MODEL.h5", type=Path, help="Keras model of digits (.h5 or .keras)")
    parser.add_argument("-o", "--output", metavar="OUT.tflite", type=Path, help="default: beside MODEL.h5, as .tflite")
    _add_data(parser)
    parser.add_argument(
        "--max-drop", metavar="POINTS", type=_number(-100, 100), default=0.3,
        help="accuracy that may be lost, in percentage points (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--calibration-images", metavar="N", type=_whole(500), default=1000,
        help="distinct training images to calibrate on, at least 500 (default: %(default)s)",
    )  # fmt: skip
    _add_seed(parser, "which of them")
    parser.add_argument(
        "--io", choices=("uint8", "int8"), default="uint8",
        help="type of the model's input and output (default: %(default)s)",
    )  # fmt: skip
    _add_debug(parser)
    options = parser.parse_args(arguments)
    out = options.output or options.model.with_suffix(".tflite")
    if out.resolve() == options.model.resolve():
        parser.error(f"{out} is the model itself; name another file with -o")

    def work(stderr: TextIO) -> None:
        from rich.console import Console

        from convert import pipeline, progress, report

        order = pipeline.Order(
            model=options.model,
            out=out,
            data=options.data,
            max_drop=options.max_drop,
            calibration_images=options.calibration_images,
            seed=options.seed,
            io=options.io,
        )
        with progress.steps(stderr) as told:
            done = pipeline.convert(order, told)
        Console().print(
            report.table(
                done.verdict,
                io=options.io,
                float_bytes=done.float_bytes,
                calibrated_on=done.card.quantisation["calibration_images"],
                temperature=done.card.temperature,
            )
        )
        print(f"{out}: {out.stat().st_size:,} bytes, made from {options.model}")
        if done.verdict.accuracy_float < 0.9:
            print(
                f"Note: the Keras model itself reads only {done.verdict.accuracy_float:.1%} of the test images, given"
                " 0 for paper and 1 for ink; was it trained on another range, or on dark digits?"
            )

    return _run("edge-convert", options.debug, work)


def train_main(arguments: Sequence[str] | None = None) -> int:
    """Run ``edge-train``; the exit status is as ``convert_main``'s."""
    parser = argparse.ArgumentParser(
        prog="edge-train",
        description="Train the Keras model that edge-convert quantises: on MNIST and on synthetic handwriting, varied"
        " and seen through a virtual camera, and on marks that are no digit. After each epoch it is kept in"
        " OUT.checkpoint.keras; the same command goes on from there.",
        epilog="Exit status: 0 done; 1 failed, and one line on stderr says why; 2 wrong usage.",
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT.h5", type=Path, default=Path("models/mnist.h5"),
        help="Keras file to write (default: %(default)s)",
    )  # fmt: skip
    _add_data(parser)
    parser.add_argument(
        "--epochs", metavar="N", type=_whole(1), default=40, help="times through the data (default: %(default)s)"
    )
    parser.add_argument(
        "--start", metavar="MODEL.h5", type=Path, help="a model that edge-train made, to train further (default: none)"
    )
    _add_seed(parser, "of the weights and of all variation")
    parser.add_argument("--limit", metavar="N", type=_whole(1), help="train on the first N images, for a quick try")
    _add_debug(parser)
    options = parser.parse_args(arguments)
    if options.output.suffix != ".h5":
        parser.error(f"{options.output}: -o names the Keras file to write, which ends in .h5")

    def work(stderr: TextIO) -> None:
        from convert import datasets, load, progress, train, whole

        begun = time.monotonic()
        whole.check_writable(options.output)
        data = datasets.load_mnist(options.data)
        if options.limit:
            data = data.limited(options.limit)
        kept = options.output.with_suffix(".checkpoint.keras")
        start = load.load(options.start) if options.start else None
        with progress.epochs(options.epochs, stderr) as told:
            model = train.train(data, epochs=options.epochs, seed=options.seed, told=told, start=start, kept=kept)
        right = train.accuracy(model, data.test, data.test_labels)
        train.save(model, options.output)
        kept.unlink()
        minutes, seconds = divmod(round(time.monotonic() - begun), 60)
        print(
            f"{options.output}: {model.count_params():,} parameters, reads {right:.2%} of {len(data.test):,} test"
            f" images, trained in {minutes} min {seconds:02} s"
        )

    return _run("edge-train", options.debug, work)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", metavar="FOLDER|mnist.npz",
        help="MNIST: a folder with the four original files, or an mnist.npz (default: Keras downloads it)",
    )  # fmt: skip


def _add_seed(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--seed", metavar="N", type=_whole(0, 2**32 - 1), default=1, help=f"{what} (default: %(default)s)"
    )


def _add_debug(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--debug", action="store_true", help="show TensorFlow's own messages and tracebacks")


def _whole(least: int, most: int = 10**9) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return number


def _number(least: float, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
        return value

    return number


def _run(program: str, debug: bool, work: Callable[[TextIO], None]) -> int:
    """Do the work with TensorFlow's noise off; an error becomes one line on stderr and an exit status."""
    # Keras can run on others, which the TFLite converter does not know.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with ExitStack() as undone:
        stderr: TextIO = sys.stderr
        if not debug:
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
            undone.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stderr = undone.enter_context(without(NOISE))
        try:
            work(stderr)
        except KeyboardInterrupt:
            return 130
        except Exception as error:
            if debug:
                traceback.print_exc()
            print(f"{program}: {_line(error)}", file=stderr)
            return 1
    return 0


def _line(error: Exception) -> str:
    """What went wrong and what to do, in one line."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in PACKAGES:
        return f"{error.name}: not installed; pip install 'edge-digits[convert]'"
    text = " ".join(str(error).split())
    if isinstance(error, EdgeError):
        return text
    return f"{type(error).__name__}: {text[:300]}; run it again with --debug to see where"
