"""``edge watch mqtt://…``: show what all devices of an MQTT broker read now."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time

from edge.commands.arguments import Parser

EXAMPLES = """examples:
  edge watch mqtt://broker.local/edge-digits                 all devices below this prefix, in a table
  edge watch 'mqtts://me@broker.local/edge-digits?password_file=secret&ca=ca.pem'
  edge watch --json mqtt://broker.local > changes.jsonl      one JSON object for each change
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("broker", metavar="mqtt://BROKER/PREFIX", help="the devices' publisher URI, with its options")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each change")


def run(arguments: argparse.Namespace) -> int:
    """Print a table that is updated in place on a terminal; elsewhere a line for each change."""
    from edge.commands.watch import devices, table
    from edge.running.systemd import stop_signals

    place = devices.address(arguments.broker)
    live = sys.stdout.isatty() and not arguments.json
    as_text = table.as_json if arguments.json else table.as_line
    latest, drawn, said, silent_at = devices.Change({}), 0.0, "", 0.0
    with stop_signals() as stopping:
        try:
            print(table.ENTER if live else "", end="", flush=True)
            for change in devices.watch(place, stopping.is_set):
                latest, now = change or latest, time.monotonic()
                # It begins with a change: that there is a connection.
                silent_at = silent_at or now + devices.SILENT_SECONDS
                if live and now - drawn > table.PICTURE_SECONDS:
                    print(table.picture(place.name, latest, *shutil.get_terminal_size()), end="", flush=True)
                    drawn = now
                elif not live and change and change.device:
                    print(as_text(change.device), flush=True)
                elif not live and change and change.problem not in ("", said):
                    print(f"edge: {change.problem} (retrying until it works)", file=sys.stderr)
                    said = change.problem
                elif not live and now > silent_at and not latest.devices and not latest.problem:
                    print(
                        f"edge: {place.name}: no device below {place.prefix}/ yet; is it the devices' own prefix?",
                        file=sys.stderr,
                    )
                    silent_at = math.inf
        finally:
            print(table.LEAVE if live else "", end="", flush=True)
    return 0
