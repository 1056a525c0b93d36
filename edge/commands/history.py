"""``edge history``: show the stored events; works while the service runs."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from edge.commands.arguments import Parser, add_settings, positive, settings_of, state_folder_of
from edge.errors import SettingsError

EXAMPLES = """examples:
  edge history                                            all stored events, oldest first, in local time
  edge history --last 20
  edge history --since 2h                                 the last two hours; also 90s, 30m, 3d, 1w
  edge history --since 2026-11-23 --until 2026-11-24      that day
  edge history --csv > events.csv                         a table for a spreadsheet
  edge history --json --since 2026-11-23T08:00:00Z        one event per line, as it was sent
  sudo /opt/edge-digits/bin/edge history --config /etc/edge-digits/edge.toml    events of the service
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    since = "show events from this time on: a date, a time as in RFC 3339, or 2h for two hours ago"
    parser.add_argument("--since", type=moment, metavar="T", help=since)
    parser.add_argument("--until", type=moment, metavar="T", help="show events before this time; a date is its start")
    parser.add_argument("--last", type=positive, metavar="N", help="show only the newest N of them")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one event per line, exactly as it was sent")
    shape.add_argument(
        "--csv", action="store_true", help="print a CSV table; ' is put before cells that look like formulas"
    )
    add_settings(parser, only=("state",))


def run(arguments: argparse.Namespace) -> int:
    """Print the stored events, oldest first, as text, CSV or JSON lines."""
    from edge.store.history import csv_line, read, text_line
    from edge.store.store import FILE

    since, until = arguments.since, arguments.until
    if since and until and since >= until:
        raise SettingsError("--until is not after --since; give a later --until")
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
    """The argparse type of a point in time."""
    from edge.store import history

    try:
        return history.parse_time(text, datetime.now(UTC))
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
