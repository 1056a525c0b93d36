"""The devices as a table on a terminal, and as lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from edge.commands.watch.devices import Change, Device
from edge.system.text import printable

HEADINGS = ("DEVICE", "TEXT", "SURE", "SINCE", "CAMERA", "PROGRAM", "WAITING")
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""To a screen of our own without a cursor, and back to what the terminal showed before: xterm's control sequences."""
PICTURE_SECONDS = 0.1
"""A thousand devices may come at once: so often is a table drawn at most."""
CELL = 200
"""A cell has no more characters than this."""
NOTHING = "-"
"""What is not known, or not there."""


def table(devices: Iterable[Device], width: int, now: datetime) -> list[str]:
    """Headings and a line for each device, sorted by name, none wider than ``width``; times are in ``now``'s zone."""
    rows = [HEADINGS, *(_cells(device, now) for device in sorted(devices, key=lambda device: device.device))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ("  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows)
    return [line[:width] for line in lines]


def picture(broker: str, change: Change, columns: int, rows: int) -> str:
    """The table over what the terminal shows: as much of it as has room."""
    said = change.problem or f"{broker}  devices: {len(change.devices)}  Ctrl-C ends"
    shown = [said[:columns], "", *table(change.devices.values(), columns, datetime.now().astimezone())]
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in shown[: rows - 1]) + "\x1b[J"


def as_line(device: Device, now: datetime | None = None) -> str:
    """One device on one line, for where there is no terminal: its cells, between tabs."""
    return "\t".join(_cells(device, now or datetime.now().astimezone()))


def as_json(device: Device) -> str:
    """The same as JSON, as ``--json`` gives it; what is not known is null."""
    return json.dumps(asdict(device), ensure_ascii=False)


def _cells(device: Device, now: datetime) -> tuple[str, ...]:
    sure = f"{device.confidence:.0%}" if device.text and device.confidence is not None else NOTHING
    since = _when(device.since, now) if device.since else NOTHING
    waiting = NOTHING if device.backlog is None else str(device.backlog)
    cells = (device.device, device.text, sure, since, device.camera, device.availability, waiting)
    # Whoever may write to the broker shall not write escape sequences to this terminal.
    return tuple(printable((cell or NOTHING)[:CELL]) for cell in cells)


def _when(moment: str, now: datetime) -> str:
    """A moment of today by its time, any other by its date."""
    try:
        there = datetime.fromisoformat(moment).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        return NOTHING
    return f"{there:%H:%M:%S}" if there.date() == now.date() else f"{there:%Y-%m-%d}"
