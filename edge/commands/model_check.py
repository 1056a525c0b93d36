"""``edge model check``: test a model as ``edge run`` does before it uses one."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.commands.arguments import Parser

EXAMPLES = """examples:
  edge model check mnist.tflite
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("model", metavar="FILE", help="the .tflite file to test")


def run(arguments: argparse.Namespace) -> int:
    """Test the model and print how well it reads. Raises ModelError for a model that ``edge run`` would refuse."""
    from edge.model.classifier import content_of
    from edge.model.trial import try_model

    passed = try_model(content_of(Path(arguments.model)), arguments.model)
    print(
        f"{arguments.model}: {passed.name} is accepted: with {passed.runtime} it reads"
        f" {passed.right} of {passed.asked} golden digits"
    )
    return 0
