"""Prints devices as a table on a terminal, as lines and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from edge.commands.watch import devices
from edge.commands.watch.devices import Change, Device
from edge.system.text import printable

HEADINGS = ("DEVICE", "TEXT", "SURE", "SINCE", "CAMERA", "PROGRAM", "WAITING")
"""The headings of the table. SURE is the confidence, WAITING the number of events to be sent."""
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""Switch to an empty screen without a cursor, and back to the earlier one: xterm's control sequences."""
REDRAW_SECONDS = 0.1
"""Least time between two drawings of the table. Chosen: a thousand devices may change at once."""
CELL_CHARACTERS = 200
"""Most characters of a cell. Chosen: wider than most terminals."""
UNKNOWN = "-"
"""Shown for a value that is unknown or empty."""


def table(devices: Iterable[Device], width: int, now: datetime) -> list[str]:
    """Headings and a line for each device, sorted by name, at most ``width`` wide; times are in the zone of ``now``."""
    rows = [HEADINGS, *(_cells(device, now) for device in sorted(devices, key=lambda device: device.device))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ("  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows)
    return [line[:width] for line in lines]


def screen(broker: str, change: Change, columns: int, rows: int) -> str:
    """Control sequences and text that draw as much of the table as fits over the terminal's screen."""
    full = " (no others are shown)" if len(change.devices) >= devices.MOST_DEVICES else ""
    status = change.problem or f"{broker}  devices: {len(change.devices)}{full}  Ctrl-C to stop"
    shown = [status[:columns], "", *table(change.devices.values(), columns, datetime.now().astimezone())]
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in shown[: rows - 1]) + "\x1b[J"


def as_line(device: Device, now: datetime | None = None) -> str:
    """One device as a line of cells with tabs between, for output that is not a terminal."""
    return "\t".join(_cells(device, now or datetime.now().astimezone()))


def as_json(device: Device) -> str:
    """One device as JSON, as ``--json`` prints it; unknown values are null."""
    # A lone surrogate is valid in JSON only as an escape.
    return json.dumps(asdict(device), ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _cells(device: Device, now: datetime) -> tuple[str, ...]:
    sure = f"{device.confidence:.0%}" if device.text and device.confidence is not None else UNKNOWN
    since = _when(device.since, now) if device.since else UNKNOWN
    waiting = UNKNOWN if device.backlog is None else str(device.backlog)
    cells = (device.device, device.text, sure, since, device.camera, device.availability, waiting)
    # Printable only: others who can write to the broker must not send control sequences to this terminal.
    return tuple(printable((cell or UNKNOWN)[:CELL_CHARACTERS]) for cell in cells)


def _when(moment: str, now: datetime) -> str:
    """The time if the moment is today, otherwise the date."""
    try:
        there = datetime.fromisoformat(moment).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        return UNKNOWN
    return f"{there:%H:%M:%S}" if there.date() == now.date() else f"{there:%Y-%m-%d}"
