"""The command ``edge-convert adopt``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from convert.choices import RANGES, range_of
from convert.system import command_line
from edge.system.text import printable


def main(arguments: Sequence[str]) -> int:
    """Run ``edge-convert adopt``. Returns the exit status; argparse exits with 2."""
    parser = argparse.ArgumentParser(
        prog="edge-convert adopt",
        description="Make a copy, which says how to use it, of a .tflite file that somebody else made: find out on"
        " MNIST how it wants its digits and what its outputs mean, fit the temperature, and measure its accuracy."
        " MODEL.tflite stays as it is.",
        epilog=command_line.EXIT_STATUS,
    )
    parser.add_argument(
        "model", metavar="MODEL.tflite", type=Path, help="a .tflite file that classifies digits, without a card"
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT.tflite", type=Path,
        help="file to write (default: MODEL-adopted.tflite, beside it)",
    )  # fmt: skip
    command_line.add_data(parser)
    command_line.add_labels(parser, " (default: what its TFLite Metadata say, else found)")
    parser.add_argument(
        "--input-range", metavar="RANGE", type=_range,
        help=f"input values that it expects for black and white: {', '.join(RANGES)}, or two others such as 0..16"
        " (default: detected)",
    )  # fmt: skip
    command_line.add_polarity(parser)
    command_line.add_min_accuracy(parser, "write nothing if it reads less of MNIST's test digits")
    command_line.add_debug(parser)
    options = parser.parse_args(arguments)
    model: Path = options.model
    if os.path.isdir(model):  # noqa: PTH112 -- Path.is_dir raises OSError for too long a name
        parser.error(f"{printable(str(model))} is a folder; give a .tflite file")
    options.output = options.output or model.with_name(f"{model.stem}-adopted.tflite")
    command_line.check_other_file(parser, options.output, model)

    def work() -> None:
        from convert import confined
        from convert.system import files

        files.check_writable(options.output)
        command_line.say(confined.run("adopt", vars(options), options.debug))

    return command_line.reported("edge-convert", options.debug, work, sys.stderr)


def _range(text: str) -> str:
    """The same text, if it is a range of input values."""
    try:
        range_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no range such as {', '.join(RANGES)} or 0..16") from error
    return text
