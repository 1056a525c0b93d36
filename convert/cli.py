"""``edge-convert`` and ``edge-train``: what they accept and what they print."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from convert.choices import POLARITIES, RANGES, RECIPES
from convert.system import command_line
from edge.errors import ConvertError


def convert_main(arguments: Sequence[str] | None = None) -> int:
    """Run ``edge-convert``; the exit status: 0 done, 1 failed, 130 interrupted (2, wrong usage, is argparse's)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["inspect"]:
        return _inspect(words[1:])
    parser = _convert_parser()
    options = parser.parse_args(_joined(words))
    out = options.output or options.model.with_suffix(".tflite")
    if out.resolve() == options.model.resolve():
        parser.error(f"{out} is the model itself; name another file with -o")
    if options.io != "uint8" and options.recipe not in ("int8", "auto"):
        parser.error(f"--io {options.io}: goes with --recipe int8; {options.recipe} has float32 ends")

    def work(stderr: TextIO) -> None:
        from rich.console import Console

        from convert import report
        from convert.conversion import pipeline
        from convert.system import progress

        order = pipeline.Order(
            model=options.model,
            out=out,
            data=options.data,
            recipe=options.recipe,
            architecture=options.architecture,
            labels=options.labels,
            input_range=options.input_range,
            polarity=options.polarity,
            calibrate=options.calibrate,
            max_drop=options.max_drop,
            calibration_images=options.calibration_images,
            seed=options.seed,
            io=options.io,
        )
        folder = options.report or out.with_name(f"{out.stem}-report")
        with progress.steps(stderr) as told:
            done = pipeline.convert(order, told)
            told("writing the report")
            report.write(done, folder)
        page = folder / "report.html"
        problem = done.problem()
        if problem:
            raise ConvertError(f"{problem} (all figures: {page})")
        pipeline.write(done)
        console = Console()
        # Where the reader of our output goes early, rich would end the program itself.
        with console.capture() as shown:
            console.print(report.summary(done))
        print(shown.get(), end="")
        print(f"{out}: {out.stat().st_size:,} bytes, made from {options.model}; report: {page}")

    return command_line.run("edge-convert", options.debug, work)


def _convert_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-convert",
        usage="%(prog)s MODEL [options]\n       %(prog)s inspect MODEL.tflite",
        description="Quantise a Keras digit classifier to a small .tflite for the Raspberry Pi, and prove on MNIST's"
        " test images, as they are and through a synthetic camera, what that cost. How the model wants its input is"
        " found out. The file is written only where it is good enough; a report beside it in any case."
        " edge-convert inspect prints all that a .tflite says of itself.",
        epilog="Exit status: 0 done; 1 failed, and one line on stderr says why; 2 wrong usage.",
    )
    parser.add_argument(
        "model", metavar="MODEL", type=Path, help="Keras model of digits: .h5 or .keras file, or SavedModel folder"
    )
    parser.add_argument("-o", "--output", metavar="OUT.tflite", type=Path, help="default: beside MODEL, as .tflite")
    parser.add_argument(
        "--recipe", choices=("auto", *RECIPES), default="auto",
        help="how to quantise; auto tries all and takes the smallest file that keeps within --max-drop, answers as the"
        " Keras model does 995 times in 1,000, and runs in every TFLite runtime (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--max-drop", metavar="POINTS", type=command_line.number(-100, 100), default=0.3,
        help="accuracy that may be lost, in percentage points (default: %(default)s)",
    )  # fmt: skip
    command_line.add_data(parser)
    parser.add_argument(
        "--report", metavar="FOLDER", type=Path,
        help="where report.html and report.json go (default: beside OUT.tflite, OUT-report)",
    )  # fmt: skip
    parser.add_argument(
        "--input-range", choices=tuple(RANGES), metavar="RANGE",
        help=f"input values of black and white: {', '.join(RANGES)} (default: what reads known digits best)",
    )  # fmt: skip
    parser.add_argument(
        "--polarity", choices=POLARITIES,
        help="ink of the digits that the model was trained on; MNIST's is light (default: what reads best)",
    )  # fmt: skip
    parser.add_argument(
        "--labels", metavar="A,B,...", type=_labels,
        help="what the outputs stand for, in order (default: 0 to 9; an eleventh: none, what is no digit)",
    )  # fmt: skip
    parser.add_argument(
        "--architecture", metavar="MODEL.json", type=Path,
        help="what model.to_json() wrote, for a MODEL that has weights only",
    )  # fmt: skip
    parser.add_argument(
        "--calibrate",
        metavar="FOLDER",
        type=Path,
        help="photographs of your own to calibrate on, or corrections, besides MNIST",
    )
    parser.add_argument(
        "--calibration-images", metavar="N", type=command_line.whole(500), default=1000,
        help="distinct digits to calibrate on, at least 500 (default: %(default)s)",
    )  # fmt: skip
    command_line.add_seed(parser, "which of them")
    parser.add_argument(
        "--io", choices=("uint8", "int8"), default="uint8",
        help="type of an int8 model's input and output (default: %(default)s)",
    )  # fmt: skip
    command_line.add_debug(parser)
    return parser


def _inspect(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="edge-convert inspect",
        description="Print all that a .tflite says of itself: how it is fed and read, how it was made, its worth.",
        epilog="Exit status: 0 done; 1 failed, and one line on stderr says why; 2 wrong usage.",
    )
    parser.add_argument("model", metavar="MODEL.tflite", type=Path, help="with or without edge-convert's card in it")
    command_line.add_debug(parser)
    options = parser.parse_args(arguments)

    def work(stderr: TextIO) -> None:
        from convert.tflite import inspect

        said = inspect.lines(options.model)
        width = max(len(of) for of, _ in said)
        for of, what in said:
            print(f"{of:{width}}  {what}")

    return command_line.run("edge-convert", options.debug, work)


def _joined(words: list[str]) -> list[str]:
    """``--input-range -1..1`` as one word: argparse takes what begins with a dash for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--input-range" and word.startswith("-1"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _labels(text: str) -> tuple[str, ...]:
    labels = tuple(part.strip() for part in text.split(","))
    if not all(labels) or len(set(labels)) < len(labels):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of different labels such as 0,1,2,3,4,5,6,7,8,9,none")
    return labels


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
    command_line.add_data(parser)
    parser.add_argument(
        "--epochs",
        metavar="N",
        type=command_line.whole(1),
        default=40,
        help="times through the data (default: %(default)s)",
    )
    parser.add_argument(
        "--start", metavar="MODEL.h5", type=Path, help="a model that edge-train made, to train further (default: none)"
    )
    parser.add_argument(
        "--also", metavar="FOLDER", type=Path,
        help="glyphs of your own to learn besides: what edge corrections export wrote (default: none)",
    )  # fmt: skip
    command_line.add_seed(parser, "of the weights and of all variation")
    parser.add_argument(
        "--limit", metavar="N", type=command_line.whole(1), help="train on the first N images, for a quick try"
    )
    command_line.add_debug(parser)
    options = parser.parse_args(arguments)
    if options.output.suffix != ".h5":
        parser.error(f"{options.output}: -o names the Keras file to write, which ends in .h5")

    def work(stderr: TextIO) -> None:
        from convert import load
        from convert.data import corrections, mnist
        from convert.system import files, progress
        from convert.training import train

        begun = time.monotonic()
        files.check_writable(options.output)
        data = mnist.load_mnist(options.data)
        if options.limit:
            data = data.limited(options.limit)
        also = corrections.load(options.also) if options.also else None
        kept = options.output.with_suffix(".checkpoint.keras")
        start = load.load(options.start) if options.start else None
        with progress.epochs(options.epochs, stderr) as told:
            model = train.train(
                data, epochs=options.epochs, seed=options.seed, told=told, start=start, kept=kept, also=also
            )
        right = train.accuracy(model, data.test, data.test_labels)
        train.save(model, options.output)
        kept.unlink()
        minutes, seconds = divmod(round(time.monotonic() - begun), 60)
        print(
            f"{options.output}: {model.count_params():,} parameters, reads {right:.2%} of {len(data.test):,} test"
            f" images, trained in {minutes} min {seconds:02} s"
        )

    return command_line.run("edge-train", options.debug, work)
