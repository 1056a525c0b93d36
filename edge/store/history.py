"""Reads stored events for ``edge history`` and the live page: read only, while the service goes on writing."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edge.errors import SettingsError, StateError
from edge.store.damage import result_code, sibling
from edge.store.tables import VERSION, replacing_text
from edge.system.text import printable, spreadsheet_cell

READ_ROWS = 500
"""Rows read in one transaction. Chosen: a slow reader (``less``, a pipe) must not keep one open, because the WAL grows
meanwhile."""
MIN_DURATION_SECONDS = 0.05
"""A shorter duration is not shown: it would be rounded to 0.0 s."""
TIME_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
"""Unit letter of a relative time such as ``2h`` -> argument of timedelta."""
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError)
"""What is raised by JSON that is valid, but not that of an event or notice."""
CSV_FIELDS = (
    "at",
    "device",
    "boot_id",
    "seq",
    "kind",
    "text",
    "before",
    "held_seconds",
    "confidence",
    "source",
    "reason",
)
"""Columns of the CSV export. For a notice, ``kind`` is camera or model, ``text`` is its state, ``source`` its name."""


def parse_time(text: str, now: datetime) -> datetime:
    """Parse a time: RFC 3339, a date (its first moment), or how long before ``now``: 90s, 30m, 2h, 3d, 1w.

    Without an offset it is local time. SettingsError if it is none of these.
    """
    ago = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)([smhdw])", text)
    try:
        if ago:
            return now - timedelta(**{TIME_UNITS[ago[2]]: float(ago[1])})
        if re.match(r"\d{4}-\d{2}-\d{2}($|[Tt ])", text):
            return datetime.fromisoformat(text.upper()).astimezone()
    except (ValueError, OverflowError):
        pass
    raise SettingsError(f"{text!r} is not a time; use 2026-11-23, 2026-11-23T08:00:00Z, or 2h for two hours ago")


def read(
    path: Path, since: datetime | None = None, until: datetime | None = None, last: int | None = None
) -> Iterator[str]:
    """The JSON of each event with since <= at < until, in the order in which they were stored.

    ``last`` limits it to the newest so many. StateError: there is no store, it may not be read, or it is damaged.
    """
    try:
        mode = path.stat().st_mode
    except PermissionError as error:
        raise StateError(f"{path}: cannot be read ({error.strerror}); try with sudo") from error
    except OSError as error:
        raise StateError(
            f"{path}: no such file; nothing has happened yet, or the service keeps its state elsewhere (--state)"
        ) from error
    if not stat.S_ISREG(mode):
        # Opening a named pipe would wait for ever.
        raise StateError(f"{path}: is not a regular file; edge run renames it and starts a new one")
    try:
        with closing(_open(Path(os.path.realpath(path)))) as file:
            if file.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                raise StateError(f"{path}: was written by a newer edge-digits; use the edge command of that version")
            yield from _rows(file, since, until, last)
    except sqlite3.Error as error:
        why = (
            "cannot be read"
            if result_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            else "is damaged"
        )
        remedy = "try with sudo" if why == "cannot be read" else "edge run renames it and starts a new one"
        raise StateError(f"{path}: {why} ({error}); {remedy}") from error


def _rows(file: sqlite3.Connection, since: datetime | None, until: datetime | None, last: int | None) -> Iterator[str]:
    # A byte that a bad card has changed spoils its own event only.
    where = "at >= ? AND at < ? AND json_valid(CAST(text AS TEXT))"
    limits = (since.timestamp() if since else float("-inf"), until.timestamp() if until else float("inf"))
    position = 0
    if last is not None:
        row = file.execute(
            f"SELECT position FROM events WHERE {where} ORDER BY position DESC LIMIT 1 OFFSET ?", (*limits, last - 1)
        ).fetchone()
        position = row[0] - 1 if row else 0
    while True:
        rows = file.execute(
            f"SELECT position, CAST(text AS TEXT) FROM events WHERE {where} AND position > ? ORDER BY position LIMIT ?",
            (*limits, position, READ_ROWS),
        ).fetchall()
        yield from (text for _, text in rows)
        if len(rows) < READ_ROWS:
            return
        position = rows[-1][0]


def _open(path: Path) -> sqlite3.Connection:
    uri = path.absolute().as_uri()
    file = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=5.0)
    file.text_factory = replacing_text
    try:
        file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return file
    except sqlite3.DatabaseError as error:
        file.close()
        # In WAL mode SQLite needs a second file even to read. A user who may not create it can read the database as
        # immutable, but only if no other process is writing, which a WAL shows.
        if (
            result_code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            or sibling(path, "-wal").exists()
        ):
            raise
    file = sqlite3.connect(f"{uri}?immutable=1", uri=True)
    file.text_factory = replacing_text
    return file


def text_line(text: str) -> str:
    """One line for people: local time with its offset from UTC, what happened, the text now, and the text before."""
    try:
        return _text_line(json.loads(text))
    except _DAMAGED:
        return "(a damaged event)"


def _text_line(message: dict[str, Any]) -> str:
    at = datetime.fromisoformat(message["at"]).astimezone().isoformat(" ", "seconds")
    row = _row(message)
    remarks = [row["reason"]] if row["reason"] else []
    if "event" in message:
        remarks = [f"{message['confidence']:.0%} sure", *remarks]
        if message["before"]:
            # Right after a restart it is not known how long the text was there.
            held = message["held_seconds"]
            duration = f" for {_duration(held)}" if held >= MIN_DURATION_SECONDS else ""
            remarks = [f"was {message['before']}{duration}", *remarks]
    return f"{at}  {row['kind']:8}  {printable(row['text'] or '-'):12}  {printable(', '.join(remarks))}".rstrip()


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"


def _row(message: dict[str, Any]) -> dict[str, Any]:
    """An event or notice with the names in ``CSV_FIELDS``."""
    if "event" in message:
        reading = message.get("reading") or {}
        return {**message, "kind": message["event"], "reason": reading.get("reason")}
    state, name = message.get("state", ""), message.get("name", "")
    return {**message, "kind": message.get("notice", ""), "text": state, "source": name}


def csv_line(text: str | None) -> str:
    """One CSV row (RFC 4180) without its line end, or the header if there is no text.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front; the JSON export changes nothing.
    """
    try:
        row = _row(json.loads(text)) if text is not None else {name: name for name in CSV_FIELDS}
    except _DAMAGED:
        row = {"kind": "damaged"}
    out = io.StringIO()
    # Python 3.11 quotes a cell with a line break only if the line terminator contains that character.
    csv.writer(out, lineterminator="\r\n").writerow([spreadsheet_cell(row.get(name)) for name in CSV_FIELDS])
    return out.getvalue().removesuffix("\r\n")
