"""The tables of the events database: making them, and bringing those of an older version up to date."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edge.store.damage import NewerError, UnusableError, result_code

APPLICATION = 0x65646765
"""SQLite's application_id of these databases: "edge" in ASCII."""
MIGRATIONS = (
    (
        "CREATE TABLE events (position INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, seq INTEGER NOT NULL,"
        " at REAL NOT NULL, up REAL NOT NULL, text TEXT NOT NULL)",
        "CREATE TABLE outlets (name TEXT PRIMARY KEY, done INTEGER NOT NULL, dropped INTEGER NOT NULL) WITHOUT ROWID",
    ),
)
"""What brings the tables from each version to the next; 0 is an empty database. Add to it, but never change it."""
VERSION = len(MIGRATIONS)
"""SQLite's user_version of these databases: the version of the tables."""
COLUMNS = (
    "position, ifnull(CAST(boot_id AS TEXT), ''), ifnull(CAST(seq AS INTEGER), 0), ifnull(CAST(at AS REAL), 0.0),"
    " ifnull(CAST(up AS REAL), 0.0), ifnull(CAST(text AS TEXT), '')"
)
"""The fields of an ``Entry``. A byte that a bad card has changed may turn a value into NULL, or into another type."""
AGE = "ifnull(CASE instr(boot_id, ?) WHEN 1 THEN ? - up ELSE ? - at END, 0.0)"
"""An entry's age in seconds, 0 if unknown. Its arguments: the id of this boot, the seconds since it and since 1970."""
MOST_POSITION = 2**53
"""A larger position or number of an entry was never given."""


def prepare(file: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    """Set the pragmas, and make or update the tables.

    Raises UnusableError if it is another program's database or lacks tables, NewerError if a newer version wrote it,
    sqlite3.Error.
    """
    fresh = not _number(file, "SELECT count(*) FROM sqlite_master")
    if not fresh and _number(file, "PRAGMA application_id") != APPLICATION:
        raise UnusableError("is another program's database")
    version = _number(file, "PRAGMA user_version")
    if version > VERSION:
        raise NewerError("was written by a newer edge-digits: upgrade to that, or move this file away")
    if fresh:
        file.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for pragma in pragmas:
        file.execute(f"PRAGMA {pragma}").fetchall()
    if version < VERSION:
        with transaction(file):
            for statement in itertools.chain(*MIGRATIONS[version:]):
                file.execute(statement)
            file.execute(f"PRAGMA application_id = {APPLICATION}")
            file.execute(f"PRAGMA user_version = {VERSION}")
    try:
        file.execute(f"SELECT {COLUMNS} FROM events LIMIT 0")
        file.execute("SELECT done, dropped FROM outlets LIMIT 0")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise UnusableError(f"lacks the tables of a store ({error})") from error
        raise


def replacing_text(text: bytes) -> str:
    """A text_factory: a byte that a bad card has changed spoils its own text only; the others can still be read."""
    return text.decode("utf-8", "replace")


def check_writable(file: sqlite3.Connection, path: Path) -> None:
    """Raise sqlite3.OperationalError if the database is open only for reading, though the file may be written.

    SQLite does that without a word if it gets no file descriptor at that moment.
    """
    try:
        # BEGIN IMMEDIATE would not fail. This changes nothing.
        file.execute("DELETE FROM outlets WHERE 0")
    except sqlite3.OperationalError as error:
        if result_code(error) == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK):
            raise


@contextlib.contextmanager
def transaction(file: sqlite3.Connection) -> Iterator[None]:
    """Do all of it, or nothing. Raises sqlite3.Error."""
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
        file.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        with contextlib.suppress(sqlite3.Error):
            file.execute("ROLLBACK")
        raise


def _number(file: sqlite3.Connection, sql: str) -> int:
    return int(file.execute(sql).fetchone()[0])
