"""``edge watch mqtt://…``: show what all devices of an MQTT broker read at the moment."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time

from edge.commands.arguments import Parser

EXAMPLES = """examples:
  edge watch mqtt://broker.local/edge-digits                 a table of all devices below this topic prefix
  edge watch 'mqtts://me@broker.local/edge-digits?password_file=secret&ca=ca.pem'
  edge watch --json mqtt://broker.local > changes.jsonl      one JSON object for each change
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "broker", metavar="mqtt://BROKER/PREFIX", help="the publisher URI that the devices use, with its options"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per line for each change")


def run(arguments: argparse.Namespace) -> int:
    """On a terminal show a table that is kept up to date; elsewhere print a line for each change."""
    from edge.commands.watch import devices, table
    from edge.running.systemd import stop_signals

    place = devices.address(arguments.broker)
    live = sys.stdout.isatty() and not arguments.json
    as_text = table.as_json if arguments.json else table.as_line
    latest, drawn_at, reported_problem, warn_at, is_full = devices.Change({}), 0.0, "", 0.0, False
    with stop_signals() as stopping:
        try:
            print(table.ENTER if live else "", end="", flush=True)
            for change in devices.watch(place, stopping.is_set):
                latest, now = change or latest, time.monotonic()
                # The first change says that there is a connection.
                warn_at = warn_at or now + devices.SILENT_SECONDS
                if live and now - drawn_at > table.REDRAW_SECONDS:
                    print(table.screen(place.name, latest, *shutil.get_terminal_size()), end="", flush=True)
                    drawn_at = now
                elif not live and change and change.device:
                    print(as_text(change.device), flush=True)
                    if not is_full and len(latest.devices) >= devices.MOST_DEVICES:
                        is_full = True
                        most = devices.MOST_DEVICES
                        print(f"edge: {place.name}: has {most} devices; no others are shown", file=sys.stderr)
                elif not live and change and change.problem not in ("", reported_problem):
                    print(f"edge: {change.problem} (retrying until it works)", file=sys.stderr)
                    reported_problem = change.problem
                elif not live and now > warn_at and not latest.devices and not latest.problem:
                    print(
                        f"edge: {place.name}: no device below {place.prefix}/ yet; check the topic prefix",
                        file=sys.stderr,
                    )
                    warn_at = math.inf
        finally:
            print(table.LEAVE if live else "", end="", flush=True)
    return 0
