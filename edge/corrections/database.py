"""The database of corrections: which digit people say it really was, to train and to calibrate on.

It is one SQLite file in the state folder. The live page's server writes it; ``edge corrections`` may read it meanwhile.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2

from edge import images
from edge.errors import ImageError, StateError
from edge.system.closing import Closing
from edge.types import Pixels, timestamp

FILE = "corrections.db"
"""Name of the database in the state folder."""
VERSION = 1
"""SQLite's user_version of the database: the version of the tables. 0: a new file."""
MAX_CORRECTIONS = 5000
"""Corrections that are kept; the oldest are deleted first. Chosen: far more than a person makes."""
MAX_FILE_BYTES = 50_000_000
"""Largest size of the database in bytes; the oldest corrections are deleted first. Chosen: it is on a Pi's card."""
MAX_PICTURE_PIXELS = 1_000_000
"""Most pixels of a picture that is accepted for storing. Chosen: small crops need far fewer."""
GLYPH_SIDE = 28
"""Width and height of a glyph in pixels, as in MNIST."""

_TABLE = """
CREATE TABLE IF NOT EXISTS corrections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    label INTEGER,
    read INTEGER,
    confidence REAL NOT NULL,
    source TEXT NOT NULL,
    model TEXT NOT NULL,
    glyph BLOB NOT NULL,
    crop BLOB
)
"""
_ORIGIN = "CREATE TABLE IF NOT EXISTS origin (name TEXT NOT NULL)"
_COLUMNS = "at, label, read, confidence, source, model, glyph, crop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What somebody said about one mark."""

    label: int | None
    """What it really is: 0 to 9; None if it is no digit."""
    read: int | None
    """What was read: 0 to 9; None if it was not read as a digit."""
    confidence: float
    """How sure the reader was of the likeliest digit, 0 to 1."""
    source: str
    """Where the frame came from, as in a Reading."""
    model: str
    """Name and hash of the model that read it."""
    glyph: Pixels
    """(28, 28) uint8, light ink on black: as the model got it."""
    crop: Pixels | None = None
    """The part of the picture around the mark, (height, width) uint8, for people to look at."""
    at: datetime | None = None
    """When it was corrected, UTC; None: now."""

    @property
    def at_text(self) -> str:
        """``at`` as text, in the format of the JSON output."""
        return timestamp(self.at or datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often one thing was read as another; ``read`` None: not read as a digit, ``label`` None: no digit."""

    read: int | None
    label: int | None
    count: int


class _NewerError(sqlite3.Error):
    """The database is from a newer version: it is left as it is."""


class Corrections(Closing):
    """The database; created with the first correction. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet; the database is opened when it is first used."""
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def add(self, correction: Correction) -> int:
        """Store a correction, and delete the oldest beyond the limits; returns its number. Raises StateError."""
        values = (
            correction.at_text,
            correction.label,
            correction.read,
            correction.confidence,
            correction.source,
            correction.model,
            encode_png(correction.glyph),
            None if correction.crop is None else encode_png(correction.crop),
        )
        with self._transaction() as connection:
            number = connection.execute(f"INSERT INTO corrections ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            connection.execute(
                "DELETE FROM corrections WHERE id NOT IN (SELECT id FROM corrections ORDER BY id DESC LIMIT ?)",
                (MAX_CORRECTIONS,),
            )
            oldest = "DELETE FROM corrections WHERE id = (SELECT min(id) FROM corrections) AND id < ?"
            while _used_bytes(connection) > MAX_FILE_BYTES and connection.execute(oldest, (number.lastrowid,)).rowcount:
                pass
        return int(number.lastrowid or 0)

    def remove(self, number: int) -> bool:
        """Delete a correction; returns whether it existed. Raises StateError."""
        if not self.path.exists():
            return False
        with self._transaction() as connection:
            return connection.execute("DELETE FROM corrections WHERE id = ?", (number,)).rowcount > 0

    def count(self) -> int:
        """The number of corrections. Raises StateError."""
        return int(self._query("SELECT count(*) FROM corrections", ())[0][0]) if self.path.exists() else 0

    def origin(self) -> str:
        """The database's random id, eight hexadecimal digits, different for each device. Raises StateError."""
        return str(self._query("SELECT name FROM origin", ())[0][0])

    def confusions(self) -> list[Confusion]:
        """What was read as what, most frequent first, without confirmed correct readings. Raises StateError."""
        if not self.path.exists():
            return []
        rows = self._query(
            "SELECT read, label, count(*) FROM corrections WHERE read IS NOT label GROUP BY read, label"
            " ORDER BY count(*) DESC, read, label",
            (),
        )
        return [Confusion(*row) for row in rows]

    def all(self, last: int | None = None) -> Iterator[tuple[int, Correction]]:
        """The corrections with their numbers, oldest first; only the newest ``last`` if given. Raises StateError."""
        if not self.path.exists():
            return
        rows = self._query(
            f"SELECT * FROM (SELECT id, {_COLUMNS} FROM corrections ORDER BY id DESC LIMIT ?) ORDER BY id",
            (MAX_CORRECTIONS if last is None else last,),
        )
        for number, at, label, read, confidence, source, model, glyph, crop in rows:
            yield (
                number,
                Correction(
                    label=label,
                    read=read,
                    confidence=confidence,
                    source=source,
                    model=model,
                    glyph=_decode_stored(glyph),
                    crop=None if crop is None else _decode_stored(crop),
                    at=datetime.fromisoformat(at),
                ),
            )

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        if self._connection:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._open() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise self._state_error(error) from error

    def _query(self, text: str, values: tuple[int, ...]) -> list[tuple]:  # type: ignore[type-arg]
        try:
            return self._open().execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise self._state_error(error) from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            # The thread that serves the page opens it, and another one may close it at the end.
            self._connection = sqlite3.connect(self.path, timeout=5, check_same_thread=False)
            if self._connection.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                raise _NewerError
            # Give deleted space back to the disk. This must be set before the first table is created.
            self._connection.execute("PRAGMA auto_vacuum = FULL")
            self._connection.execute(_TABLE)
            self._connection.execute(_ORIGIN)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")
            if not self._connection.execute("SELECT name FROM origin").fetchone():
                with self._connection:
                    # Another program may open it at this at_text, too.
                    once = "SELECT lower(hex(randomblob(4))) WHERE NOT EXISTS (SELECT name FROM origin)"
                    self._connection.execute(f"INSERT INTO origin {once}")
        return self._connection

    def _state_error(self, error: Exception) -> StateError:
        self.close()
        if isinstance(error, _NewerError):
            return StateError(f"{self.path}: was written by a newer edge-digits; upgrade to that, or move it away")
        return StateError(f"{self.path}: {error}; if it is damaged, move it away, and a new one is created")


def decode_glyph(data: bytes, name: str) -> Pixels:
    """The bytes of a PNG -> a glyph (28, 28) uint8. Raises ImageError if it is anything else."""
    pixels = decode_picture(data, name)
    if pixels.shape != (GLYPH_SIDE, GLYPH_SIDE):
        raise ImageError(f"{name}: a glyph must be a grey PNG of {GLYPH_SIDE}x{GLYPH_SIDE} pixels, light ink on black")
    return pixels


def decode_picture(data: bytes, name: str) -> Pixels:
    """The bytes of a small PNG -> grey pixels (height, width). Raises ImageError if it is anything else."""
    # A PNG begins with its signature, then width and height, four bytes each (PNG specification, 11.2.2).
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or not 0 < width * height <= MAX_PICTURE_PIXELS:
        raise ImageError(f"{name}: is not a PNG of at most {MAX_PICTURE_PIXELS:,} pixels")
    return images.decode(data, name)


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Size of the database in bytes without its free pages."""
    pages, free, size = (
        connection.execute(f"PRAGMA {of}").fetchone()[0] for of in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def encode_png(pixels: Pixels) -> bytes:
    """Pixels (height, width) uint8 -> the bytes of a PNG, as they are stored."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def _decode_stored(data: bytes) -> Pixels:
    # This program wrote them, but a disk may have damaged them.
    return images.decode(data, FILE)
