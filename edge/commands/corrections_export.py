"""``edge corrections export``: make a data set of what people corrected on the live page."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from edge.commands.arguments import Parser, add_settings, settings_of, state_folder_of

EXAMPLES = """examples:
  edge corrections export taught
  sudo /opt/edge-digits/bin/edge corrections export --config /etc/edge-digits/edge.toml taught    the service's
  edge-train --start mnist.h5 --also taught -o mine.h5    on a workstation: learn from them
  edge-convert mine.h5 --calibrate taught
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("folder", metavar="FOLDER", help="a new or empty folder, or one that was exported to before")
    add_settings(parser, only=("state",))


def run(arguments: argparse.Namespace) -> int:
    """Write the corrections as 28x28 glyphs and labels.csv."""
    from edge.corrections.database import FILE, Corrections
    from edge.corrections.export import export
    from edge.system.state_folder import unmistaken

    settings = settings_of(arguments)
    unmistaken(settings.state, f"corrections export {shlex.quote(arguments.folder)}", arguments.config)
    with Corrections(state_folder_of(settings) / FILE) as corrections:
        many = export(corrections, Path(arguments.folder))
    print(f"{arguments.folder}: {many} glyph{'s' if many > 1 else ''} and labels.csv")
    return 0
