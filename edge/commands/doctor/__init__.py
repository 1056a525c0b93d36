"""``edge doctor``: checks everything that edge-digits needs from this machine, and says how to fix what is wrong."""

from __future__ import annotations

import argparse
import json
import os
import sys

from edge.commands.arguments import Parser, add_settings, picture_file, settings_of
from edge.errors import SettingsError
from edge.settings import Settings

EXAMPLES = """examples:
  edge doctor                                          check this machine with the default settings
  edge doctor --config /etc/edge-digits/edge.toml      check it with the settings of the service
  edge doctor --json                                   the findings as JSON, described by edge/schema/doctor.json
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON; the exit status is 1 if something fails, as without it"
    )
    parser.add_argument(
        "--picture",
        type=picture_file,
        metavar="FILE",
        help="draw what the camera sees there (default: doctor.jpg in the state folder)",
    )
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print each finding as it comes. The exit status is 1 if one is a failure; wrong settings are one too."""
    from edge.commands.doctor import report
    from edge.commands.doctor.examine import examine
    from edge.commands.doctor.machine import here

    picture = str(arguments.picture or "")
    try:
        machine = here(settings_of(arguments), config=arguments.config or "", picture=picture)
    except SettingsError as error:
        machine = here(Settings(), config=arguments.config or "", settings_error=str(error))
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    findings = []
    for finding in examine(machine):
        findings.append(finding)
        if not arguments.json:
            print(report.lines(finding, colour), flush=True)
    print(
        json.dumps(report.as_dict(findings), ensure_ascii=False) if arguments.json else f"\n{report.summary(findings)}"
    )
    return 1 if any(finding.level == "failure" for finding in findings) else 0
