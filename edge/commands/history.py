"""``edge history``: show the stored events, while the service goes on."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from edge.commands.arguments import Parser, add_settings, positive, settings_of, state_folder_of
from edge.errors import SettingsError

EXAMPLES = """examples:
  edge history                                            what has happened, oldest first, in local time
  edge history --last 20
  edge history --since 2h                                 the last two hours; also 90s, 30m, 3d, 1w
  edge history --since 2026-11-23 --until 2026-11-24      that day
  edge history --csv > events.csv                         for a spreadsheet
  edge history --json --since 2026-11-23T08:00:00Z        one event a line, as it was sent
  sudo /opt/edge-digits/bin/edge history --config /etc/edge-digits/edge.toml    the service's
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    since = "from this time on: a date, RFC 3339, or 2h for two hours ago"
    parser.add_argument("--since", type=moment, metavar="T", help=since)
    parser.add_argument("--until", type=moment, metavar="T", help="up to this time; a date is its first moment")
    parser.add_argument("--last", type=positive, metavar="N", help="only the newest N of them")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one event a line, exactly as it was sent")
    shape.add_argument("--csv", action="store_true", help="a table; cells that look like formulas begin with '")
    add_settings(parser, only=("state",))


def run(arguments: argparse.Namespace) -> int:
    """Print the stored events, oldest first, for people, as CSV or as JSON lines."""
    from edge.store.history import csv_line, read, text_line
    from edge.store.store import FILE

    since, until = arguments.since, arguments.until
    if since and until and since >= until:
        raise SettingsError("--until is not after --since: nothing can have happened in that time")
    path = state_folder_of(settings_of(arguments)) / FILE
    shown = 0
    for text in read(path, since, until, arguments.last):
        if arguments.csv and not shown:
            print(csv_line(None))
        print(text if arguments.json else csv_line(text) if arguments.csv else text_line(text))
        shown += 1
    if not shown:
        print(f"edge: {path}: no event in that time", file=sys.stderr)
    return 0


def moment(text: str) -> datetime:
    """The type of an argument that is a point in time."""
    from edge.store import history

    try:
        return history.parse_time(text, datetime.now(UTC))
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
