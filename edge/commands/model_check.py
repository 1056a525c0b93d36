"""``edge model check``: try a model as ``edge run`` does."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.commands.arguments import Parser

EXAMPLES = """examples:
  edge model check mnist.tflite
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("model", metavar="FILE", help="a .tflite file")


def run(arguments: argparse.Namespace) -> int:
    """Try the model, and say how it reads. A model that ``edge run`` would refuse is an EdgeError."""
    from edge.model.classifier import content_of
    from edge.model.trial import try_model

    passed = try_model(content_of(Path(arguments.model)), arguments.model)
    print(
        f"{arguments.model}: {passed.name} is fit to read: {passed.runtime} reads"
        f" {passed.right} of {passed.asked} golden digits with it"
    )
    return 0
