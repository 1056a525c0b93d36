"""``edge bench``: measure what each stage takes on this machine, compared with the least possible."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge.commands.arguments import Parser, add_settings, flags_of, positive
from edge.settings import load_settings

BENCH_SOURCE = "synthetic:?digits=6&hold=10"
"""The default source: pages that stand still for ten frames, each frame with its own noise."""

EXAMPLES = """examples:
  edge bench                                           pages of six digits, 640x480
  edge bench --source picamera2:0 --frames 300         this camera
  edge bench --json > before.json
  edge bench --compare before.json                     what became of it
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "--frames", type=positive, default=1000, metavar="N", help="measure this many frames (default 1000)"
    )
    parser.add_argument("--json", action="store_true", help="as edge/schema/bench.json describes it")
    parser.add_argument("--compare", metavar="OLD.json", help="an earlier output of --json: print ratios to it")
    add_settings(parser, without=("publish", "device", "metrics", "web", "state"))


def run(arguments: argparse.Namespace) -> int:
    """Measure, and print the figures as tables or as JSON."""
    from edge.commands.bench import words
    from edge.commands.bench.figures import bench

    flags = flags_of(arguments)
    settings = load_settings(arguments.config, {"source": BENCH_SOURCE, **flags})
    older = words.load(Path(arguments.compare)) if arguments.compare else None
    figures = bench(settings, arguments.frames)
    text = json.dumps(figures, indent=1) if arguments.json else "\n".join(words.lines(figures, older))
    print(text, flush=True)
    return 0
