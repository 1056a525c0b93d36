"""What the store has kept, for people and their programs: read only, while the service goes on writing."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edge.errors import SettingsError, StateError
from edge.store.damage import beside, result_code
from edge.store.event_file import VERSION
from edge.system.text import printable, spreadsheet_cell

BATCH = 500
"""Rows read in one go: a reader that stays (less, a slow pipe) must not keep the log from being emptied."""
LEAST_SECONDS = 0.05
"""A shorter time is not shown: it would be 0.0 s."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
"""Of ``2h``, ``3d`` and so on."""
FIELDS = ("at", "device", "boot_id", "seq", "kind", "text", "before", "held_seconds", "confidence", "source", "reason")
"""Columns of the CSV export. Of a notice ``kind`` is camera or model, ``text`` its state, and ``source`` its name."""


def moment(text: str, now: datetime) -> datetime:
    """A point in time: RFC 3339, a date (its first moment), or how long before ``now``: 90s, 30m, 2h, 3d, 1w.

    Without an offset it is local time. SettingsError where it is none of them.
    """
    ago = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)([smhdw])", text)
    try:
        if ago:
            return now - timedelta(**{UNITS[ago[2]]: float(ago[1])})
        if re.match(r"\d{4}-\d{2}-\d{2}($|[Tt ])", text):
            return datetime.fromisoformat(text.upper()).astimezone()
    except (ValueError, OverflowError):
        pass
    raise SettingsError(f"{text!r} is no time; use 2026-11-23, 2026-11-23T08:00:00Z, or 30m, 2h, 3d for so long ago")


def read(
    path: Path, since: datetime | None = None, until: datetime | None = None, last: int | None = None
) -> Iterator[str]:
    """The JSON of each event with since <= at < until, the ``last`` of them, in the order in which they were stored.

    StateError: there is no store, it may not be read, or it is damaged.
    """
    try:
        path.stat()
    except PermissionError as error:
        raise StateError(f"{path}: cannot be read ({error.strerror}); try with sudo") from error
    except OSError as error:
        raise StateError(
            f"{path}: no such file; nothing has happened yet, or the service keeps its state elsewhere"
        ) from error
    try:
        with closing(_open(path)) as file:
            if file.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                raise StateError(f"{path}: was written by a newer edge-digits; use that one's edge history")
            yield from _rows(file, since, until, last)
    except sqlite3.Error as error:
        why = (
            "cannot be read"
            if result_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            else "is damaged"
        )
        todo = "try with sudo" if why == "cannot be read" else "edge run sets it aside when it comes upon that"
        raise StateError(f"{path}: {why} ({error}); {todo}") from error


def _rows(file: sqlite3.Connection, since: datetime | None, until: datetime | None, last: int | None) -> Iterator[str]:
    where = "at >= ? AND at < ?"
    limits = (since.timestamp() if since else float("-inf"), until.timestamp() if until else float("inf"))
    position = 0
    if last is not None:
        row = file.execute(
            f"SELECT position FROM events WHERE {where} ORDER BY position DESC LIMIT 1 OFFSET ?", (*limits, last - 1)
        ).fetchone()
        position = row[0] - 1 if row else 0
    while True:
        rows = file.execute(
            f"SELECT position, text FROM events WHERE {where} AND position > ? ORDER BY position LIMIT ?",
            (*limits, position, BATCH),
        ).fetchall()
        yield from (text for _, text in rows)
        if len(rows) < BATCH:
            return
        position = rows[-1][0]


def _open(path: Path) -> sqlite3.Connection:
    uri = path.absolute().as_uri()
    file = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=5.0)
    try:
        file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return file
    except sqlite3.DatabaseError as error:
        file.close()
        # WAL wants a file beside it even to read. A user who may not make one can do without where nobody writes.
        if (
            result_code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            or beside(path, "-wal").exists()
        ):
            raise
    return sqlite3.connect(f"{uri}?immutable=1", uri=True)


def for_people(text: str) -> str:
    """One line: local time with its offset from UTC, what happened, what is written there now, and what was."""
    said = json.loads(text)
    at = datetime.fromisoformat(said["at"]).astimezone().isoformat(" ", "seconds")
    row = _row(said)
    remarks = [row["reason"]] if row["reason"] else []
    if "event" in said:
        remarks = [f"{said['confidence']:.0%} sure", *remarks]
        if said["before"]:
            # Right after a restart nobody knows for how long.
            span = f" for {_span(said['held_seconds'])}" if said["held_seconds"] >= LEAST_SECONDS else ""
            remarks = [f"was {said['before']}{span}", *remarks]
    return f"{at}  {row['kind']:8}  {printable(row['text'] or '-'):12}  {printable(', '.join(remarks))}".rstrip()


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"


def _row(said: dict[str, Any]) -> dict[str, Any]:
    """An event or notice under the names of ``FIELDS``."""
    if "event" in said:
        reading = said.get("reading") or {}
        return {**said, "kind": said["event"], "reason": reading.get("reason")}
    return {**said, "kind": said.get("notice", ""), "text": said.get("state", ""), "source": said.get("name", "")}


def csv_line(text: str | None) -> str:
    """One row of RFC 4180 without its line end, or the head where there is no text.

    A cell that a spreadsheet would take for a formula begins with an apostrophe; JSON lines have everything as it is.
    """
    row = _row(json.loads(text)) if text is not None else {name: name for name in FIELDS}
    out = io.StringIO()
    # Python 3.11 quotes a line break only where the line's own end has it.
    csv.writer(out, lineterminator="\r\n").writerow([spreadsheet_cell(row.get(name)) for name in FIELDS])
    return out.getvalue().removesuffix("\r\n")
