"""``edge bench``: measure how long each stage takes on this machine, compared with a minimum."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge.commands.arguments import Parser, add_settings, flags_of, positive
from edge.settings import load_settings

BENCH_SOURCE = "synthetic:?digits=6&hold=10"
"""The default source: each page is shown for ten frames, each frame with its own noise."""

EXAMPLES = """examples:
  edge bench                                           pages of six digits, 640x480
  edge bench --source picamera2:0 --frames 300         the camera of this Pi
  edge bench --json > before.json
  edge bench --compare before.json                     print ratios to the earlier figures
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "--frames", type=positive, default=1000, metavar="N", help="measure this many frames (default 1000)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, described by edge/schema/bench.json")
    parser.add_argument("--compare", metavar="OLD.json", help="print ratios to this earlier output of --json")
    add_settings(parser, without=("publish", "device", "metrics", "web", "state"), source=BENCH_SOURCE)


def run(arguments: argparse.Namespace) -> int:
    """Measure, and print the figures as tables or as JSON."""
    from edge.commands.bench import report
    from edge.commands.bench.figures import bench

    flags = flags_of(arguments)
    settings = load_settings(arguments.config, {"source": BENCH_SOURCE, **flags})
    older = report.load(Path(arguments.compare)) if arguments.compare else None
    figures = bench(settings, arguments.frames)
    text = json.dumps(figures, indent=1) if arguments.json else "\n".join(report.lines(figures, older))
    print(text, flush=True)
    return 0
