"""What people say that a digit really was: kept in the state folder, to train and to calibrate on.

One SQLite file. Whoever answers the page writes it; ``edge corrections`` reads it meanwhile.
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
"""The file's name in the state folder."""
MOST, MOST_BYTES = 5000, 50_000_000
"""So many are kept, the newest, and in a file of so many bytes: it lies on a Pi's card."""
MOST_PIXELS = 1_000_000
"""Of a picture that is to be kept."""
SIDE = 28
"""Of a glyph, pixels."""

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
    """What somebody said of one mark."""

    label: int | None
    """What it is: 0 to 9, None where it is no digit."""
    read: int | None
    """What was read: 0 to 9, None where it was left unread."""
    confidence: float
    """Probability that the model gave its best class, 0 to 1."""
    source: str
    """Where the frame came from, as in a Reading."""
    model: str
    """Name and hash of the model that read it."""
    glyph: Pixels
    """(28, 28) uint8, light ink on black: as the model got it."""
    crop: Pixels | None = None
    """The place in the picture, (height, width) uint8, for people."""
    at: datetime | None = None
    """When it was said, UTC; None: now."""

    @property
    def moment(self) -> str:
        """``at`` as JSON has it."""
        return timestamp(self.at or datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often one thing was taken for another."""

    read: int | None
    label: int | None
    count: int


class Corrections(Closing):
    """The file, made with the first correction; for one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened before it is needed."""
        self.path = path
        self._made: sqlite3.Connection | None = None

    def add(self, one: Correction) -> int:
        """Keep it, the oldest goes where there are too many; gives its number. Raises StateError."""
        values = (
            one.moment,
            one.label,
            one.read,
            one.confidence,
            one.source,
            one.model,
            png(one.glyph),
            None if one.crop is None else png(one.crop),
        )
        with self._changing() as link:
            number = link.execute(f"INSERT INTO corrections ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            link.execute(
                "DELETE FROM corrections WHERE id NOT IN (SELECT id FROM corrections ORDER BY id DESC LIMIT ?)", (MOST,)
            )
            oldest = "DELETE FROM corrections WHERE id = (SELECT min(id) FROM corrections) AND id < ?"
            while _bytes(link) > MOST_BYTES and link.execute(oldest, (number.lastrowid,)).rowcount:
                pass
        return int(number.lastrowid or 0)

    def remove(self, number: int) -> bool:
        """Forget one; whether it was there. Raises StateError."""
        if not self.path.exists():
            return False
        with self._changing() as link:
            return link.execute("DELETE FROM corrections WHERE id = ?", (number,)).rowcount > 0

    def count(self) -> int:
        """How many there are. Raises StateError."""
        return int(self._ask("SELECT count(*) FROM corrections", ())[0][0]) if self.path.exists() else 0

    def origin(self) -> str:
        """Eight hexadecimal digits that no other file has, of any device. Raises StateError."""
        return str(self._ask("SELECT name FROM origin", ())[0][0])

    def confusions(self) -> list[Confusion]:
        """What was taken for what, the commonest first; what was read right and said to be so is none."""
        if not self.path.exists():
            return []
        rows = self._ask(
            "SELECT read, label, count(*) FROM corrections WHERE read IS NOT label GROUP BY read, label"
            " ORDER BY count(*) DESC, read, label",
            (),
        )
        return [Confusion(*row) for row in rows]

    def all(self, last: int | None = None) -> Iterator[tuple[int, Correction]]:
        """Each with its number, oldest first; the newest ``last`` of them. Raises StateError."""
        if not self.path.exists():
            return
        rows = self._ask(
            f"SELECT * FROM (SELECT id, {_COLUMNS} FROM corrections ORDER BY id DESC LIMIT ?) ORDER BY id",
            (MOST if last is None else last,),
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
                    glyph=_pixels(glyph),
                    crop=None if crop is None else _pixels(crop),
                    at=datetime.fromisoformat(at),
                ),
            )

    def close(self) -> None:
        """Let go of the file."""
        if self._made:
            self._made.close()
            self._made = None

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._link() as link:
                yield link
        except (sqlite3.Error, OSError) as error:
            raise self._problem(error) from error

    def _ask(self, text: str, values: tuple[int, ...]) -> list[tuple]:  # type: ignore[type-arg]
        try:
            return self._link().execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _link(self) -> sqlite3.Connection:
        if self._made is None:
            # The thread that answers makes it, and another one may close it at the end.
            self._made = sqlite3.connect(self.path, timeout=5, check_same_thread=False)
            # What is deleted is given back to the disk; it has to be said before the first table is made.
            self._made.execute("PRAGMA auto_vacuum = FULL")
            self._made.execute(_TABLE)
            self._made.execute(_ORIGIN)
            if not self._made.execute("SELECT name FROM origin").fetchone():
                with self._made:
                    # Another program may open it at this moment, too.
                    once = "SELECT lower(hex(randomblob(4))) WHERE NOT EXISTS (SELECT name FROM origin)"
                    self._made.execute(f"INSERT INTO origin {once}")
        return self._made

    def _problem(self, error: Exception) -> StateError:
        self.close()
        return StateError(f"{self.path}: {error}; where it is damaged, move it away, and a new one is made")


def glyph_of(data: bytes, name: str) -> Pixels:
    """The bytes of a PNG -> a glyph (28, 28). Raises ImageError where it is another thing."""
    pixels = picture_of(data, name)
    if pixels.shape != (SIDE, SIDE):
        raise ImageError(f"{name}: is no glyph: a grey PNG of {SIDE}x{SIDE} pixels, light ink on black")
    return pixels


def picture_of(data: bytes, name: str) -> Pixels:
    """The bytes of a small PNG -> grey pixels (height, width). Raises ImageError where it is another thing."""
    # Width and height, both of four bytes, are the first that a PNG says (PNG specification, 11.2.2).
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or not 0 < width * height <= MOST_PIXELS:
        raise ImageError(f"{name}: is no PNG of at most {MOST_PIXELS:,} pixels")
    return images.decode(data, name)


def _bytes(link: sqlite3.Connection) -> int:
    """What the file takes once what is free in it is given back."""
    pages, free, size = (
        link.execute(f"PRAGMA {of}").fetchone()[0] for of in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def png(pixels: Pixels) -> bytes:
    """Pixels as they are kept."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def _pixels(data: bytes) -> Pixels:
    # They are this program's own, but a disk may lose some.
    return images.decode(data, FILE)
