"""The commands ``edge-convert`` and ``edge-train``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from convert import adopt_cli, belief_cli, train_cli
from convert.choices import PRESETS, RANGES, RECIPES, TARGETS
from convert.system import command_line
from edge.system.text import printable


def convert_main(arguments: Sequence[str] | None = None) -> int:
    """Run ``edge-convert``. Returns the exit status: 0 done, 1 failed, 130 interrupted; argparse exits with 2."""
    command_line.open_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["inspect"]:
        return _inspect(given[1:])
    if given[:1] == ["adopt"]:
        return adopt_cli.main(_with_range_joined(given[1:]))
    parser = _convert_parser()
    options = parser.parse_args(_with_range_joined(given))
    if options.target == "tflm" and options.recipe not in ("int8", "auto"):
        parser.error(f"--target tflm needs the recipe int8, not {options.recipe}; leave out --recipe")
    if options.target == "tflm" and options.io == "uint8":
        parser.error("--target tflm needs --io int8; leave out --io")
    options.io = options.io or ("int8" if options.target == "tflm" else "uint8")
    if options.io != "uint8" and options.recipe not in ("int8", "auto"):
        parser.error(f"--io {options.io} needs --recipe int8; input and output of {options.recipe} are float32")

    if options.model.name in ("", ".."):
        # As in ``edge-convert .``: the folder has a name.
        options.model = Path(os.path.realpath(options.model))
    out: Path = options.output or (options.model.with_suffix(".tflite") if options.model.name else options.model)
    if not out.name:
        parser.error(f"{out} is no name of a file to write; choose one with -o")
    command_line.check_other_file(parser, out, options.model)
    if options.target == "tflm" and out.suffix.lower() in (".h", ".cc"):
        parser.error(f"{printable(str(out))} is one of the files beside the .tflite; name the .tflite with -o")
    options.output = out
    options.report = options.report or out.with_name(f"{out.stem}-report")
    if os.path.realpath(options.report) == os.path.realpath(out):
        parser.error(f"{printable(str(out))} is the folder of the report too; choose another with --report")

    def work() -> None:
        from convert import confined
        from convert.system import files

        files.check_writable(out)
        if options.target == "tflm":
            from convert.micro import sources

            for path in sources.paths(out):
                files.check_ours(path, *sources.marks(out))
        files.check_folder(options.report)
        asked = {**vars(options), "terminal": sys.stdout.isatty(), "width": shutil.get_terminal_size().columns}
        command_line.say(confined.run("convert", asked, options.debug))

    return command_line.reported("edge-convert", options.debug, work, sys.stderr)


def _convert_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-convert",
        usage="%(prog)s MODEL [options]\n       %(prog)s adopt MODEL.tflite [options]\n"
        "       %(prog)s inspect MODEL.tflite",
        description="Convert a Keras model that classifies digits into a small quantised .tflite file for the Raspberry"
        " Pi, and compare both on MNIST's test images, directly and through a synthetic camera. The input format of the"
        " model and the order of its outputs are detected. The .tflite is written only if it is accurate enough; the"
        " report is written in either case. 'edge-convert adopt MODEL.tflite' makes a .tflite of another maker usable;"
        " 'edge-convert inspect MODEL.tflite' prints what one says about itself.",
        epilog=command_line.EXIT_STATUS,
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="Keras model that classifies digits: an .h5 or .keras file, a SavedModel folder, or a frozen"
        " TensorFlow graph (.pb)",
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT.tflite", type=Path, help="file to write (default: MODEL with the suffix .tflite)"
    )
    parser.add_argument(
        "--recipe", choices=("auto", *RECIPES), default="auto",
        help="how to quantise; auto tries all and takes the smallest file that stays within --max-drop and gives the"
        " Keras model's answer for 99.5 %% of the images; files that run in every TFLite runtime come first"
        " (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--target", choices=TARGETS, default="pi",
        help="what the file is for: pi, or tflm: a microcontroller with TensorFlow Lite for Microcontrollers; then it"
        " is int8 with only the operators of that, and is written as a C array too (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--max-drop", metavar="POINTS", type=command_line.number(-100, 100), default=0.3,
        help="accuracy that may be lost, in percentage points (default: %(default)s)",
    )  # fmt: skip
    command_line.add_min_accuracy(
        parser,
        "MNIST's test images that the model and the file must read correctly; below it only the report is written",
    )
    command_line.add_data(parser)
    parser.add_argument(
        "--report", metavar="FOLDER", type=Path,
        help="folder for report.html and report.json (default: OUT-report, beside OUT.tflite)",
    )  # fmt: skip
    parser.add_argument(
        "--input-range", choices=tuple(RANGES), metavar="RANGE",
        help=f"input values that the model expects for black and white: {', '.join(RANGES)} (default: detected)",
    )  # fmt: skip
    command_line.add_polarity(parser)
    command_line.add_labels(
        parser,
        "; 1-9 is short for nine labels, and these names for those of data"
        f" sets: {', '.join(PRESETS)} (default: what edge-train named, else 0 to 9, an eleventh is none, not a digit,"
        " and more are digits and letters; if the digits are found elsewhere, what is found)",
    )
    parser.add_argument(
        "--architecture", metavar="MODEL.json", type=Path,
        help="JSON file from model.to_json(), if MODEL contains weights only",
    )  # fmt: skip
    parser.add_argument(
        "--graph-input", metavar="NAME", help="input of a frozen graph (.pb), if it has several (default: the only one)"
    )
    parser.add_argument(
        "--graph-output", metavar="NAME",
        help="output of a frozen graph, one number for each digit (default: the only end of it)",
    )  # fmt: skip
    parser.add_argument(
        "--calibrate",
        metavar="FOLDER",
        type=Path,
        help="your own photographs or exported corrections, to calibrate on besides MNIST",
    )
    parser.add_argument(
        "--calibration-images", metavar="N", type=command_line.whole_number(500), default=1000,
        help="number of different digits to calibrate on, at least 500 (default: %(default)s)",
    )  # fmt: skip
    command_line.add_seed(parser, "seed of the random choice of digits to calibrate on")
    parser.add_argument(
        "--io", choices=("uint8", "int8"),
        help="type of an int8 model's input and output (default: uint8; int8 with --target tflm)",
    )  # fmt: skip
    command_line.add_debug(parser)
    return parser


def _inspect(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="edge-convert inspect",
        description="Print what a .tflite file says about itself: input and output, how it was made, its accuracy.",
        epilog=command_line.EXIT_STATUS,
    )
    parser.add_argument(
        "model", metavar="MODEL.tflite", type=Path, help="any .tflite file, with or without a card from edge-convert"
    )
    command_line.add_debug(parser)
    options = parser.parse_args(arguments)

    def work() -> None:
        from convert import confined

        command_line.say(confined.run("inspect", vars(options), options.debug))

    return command_line.reported("edge-convert", options.debug, work, sys.stderr)


def _with_range_joined(arguments: list[str]) -> list[str]:
    """The arguments with ``--input-range -1..1`` as one word: argparse takes a word with a dash for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--input-range" and re.match(r"-[\d.]", argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def train_main(arguments: Sequence[str] | None = None) -> int:
    """Run ``edge-train``. Returns the exit status, as ``convert_main`` does."""
    command_line.open_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["belief"]:
        return belief_cli.main(given[1:])
    return train_cli.main(given)
