"""``edge corrections export``: write the corrections made on the live page as a data set."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from edge.commands.arguments import Parser, add_settings, settings_of, state_folder_of

EXAMPLES = """examples:
  edge corrections export taught
  sudo /opt/edge-digits/bin/edge corrections export --config /etc/edge-digits/edge.toml taught    of the service
  edge-train --start mnist.h5 --also taught -o mine.h5    on a workstation: train with them
  edge-convert mine.h5 --calibrate taught
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("folder", metavar="FOLDER", help="where to write: a new or empty folder, or an earlier export")
    add_settings(parser, only=("state",))


def run(arguments: argparse.Namespace) -> int:
    """Write the corrections as 28x28 glyphs and labels.csv."""
    from edge.corrections.database import FILE, Corrections
    from edge.corrections.export import export
    from edge.system.state_folder import check_unambiguous

    settings = settings_of(arguments)
    check_unambiguous(settings.state, f"corrections export {shlex.quote(arguments.folder)}", arguments.config)
    with Corrections(state_folder_of(settings) / FILE) as corrections:
        count = export(corrections, Path(arguments.folder))
    print(f"{arguments.folder}: {count} glyph{'s' if count > 1 else ''} and labels.csv")
    return 0
