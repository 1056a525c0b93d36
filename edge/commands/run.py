"""``edge run``: read a camera or another source until it ends or is stopped."""

from __future__ import annotations

import argparse

from edge.commands.arguments import Parser, add_settings, flags_of, positive, settings_of
from edge.settings import pinned_vision

EXAMPLES = """examples:
  edge run                                                 the Pi's camera; prints readings
  edge run --source v4l2:/dev/video0?size=1280x720         a USB camera
  edge run --source files:scans/*.png --publish jsonl:readings.jsonl
  edge run --source synthetic: --frames 10                 a synthetic camera
  edge run --config edge.toml
  edge run --check --config edge.toml                      only check the settings, model and publishers
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--frames", type=positive, metavar="N", help="stop after this many frames")
    parser.add_argument(
        "--check", action="store_true", help="check settings, source, publishers and model, then exit; opens no camera"
    )
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the loop until it is stopped; with ``--check`` only check what it would start with."""
    settings = settings_of(arguments)
    if arguments.check:
        from edge.commands.check import check_run

        return check_run(settings, arguments.config)
    from edge.commands.pipeline import run_source
    from edge.publishers import check_unique

    check_unique(settings.publish)
    return run_source(settings, arguments.frames, pinned=pinned_vision(flags_of(arguments)))
