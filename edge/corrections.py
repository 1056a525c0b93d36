"""What people say that a digit really was: kept in the state folder, to train and to calibrate on.

One SQLite file. Whoever answers the page writes it; ``edge corrections`` reads it meanwhile.
"""

from __future__ import annotations

import contextlib
import csv
import io
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2

from edge import images
from edge.closing import Closing
from edge.errors import ImageError, StateError
from edge.history import cell
from edge.state import write_whole
from edge.types import Pixels, timestamp

FILE = "corrections.db"
"""The file's name in the state folder."""
MOST = 5000
"""So many are kept, the newest: at most 4 KB each, as a rule, on a Pi's card."""
LABELS = "labels.csv"
"""The table of a data set: columns ``file`` and ``text`` as everywhere, and what else is known."""
COLUMNS = ("file", "text", "read", "confidence", "at", "source", "model")
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
            _png(one.glyph),
            None if one.crop is None else _png(one.crop),
        )
        with self._changing() as link:
            number = link.execute(f"INSERT INTO corrections ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            link.execute(
                "DELETE FROM corrections WHERE id NOT IN (SELECT id FROM corrections ORDER BY id DESC LIMIT ?)", (MOST,)
            )
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
            self._made.execute(_TABLE)
        return self._made

    def _problem(self, error: Exception) -> StateError:
        self.close()
        return StateError(f"{self.path}: {error}; where it is damaged, move it away, and a new one is made")


def export(corrections: Corrections, folder: Path) -> int:
    """Write a data set: each glyph as a 28x28 PNG, light ink on black, and ``labels.csv``; gives how many.

    What is no digit has an empty ``text``. A folder that was written before is brought up to date. Raises StateError
    where there is none, or where the folder holds anything else or cannot be written.
    """
    if not corrections.count():
        raise StateError(f"{corrections.path}: holds no correction yet; correct a digit on the live page")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / LABELS).is_file():
            raise StateError(f"{folder}: holds other files; name an empty folder, or one that was exported before")
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(COLUMNS)
        written = set()
        for number, one in corrections.all():
            name = f"{number:06d}.png"
            # What is written once never changes, and a table names whole files alone.
            if not (folder / name).exists():
                write_whole(folder / name, _png(one.glyph), readable=True)
            said = [name, _text(one.label), _text(one.read), f"{one.confidence:.4f}"]
            rows.writerow([*said, one.moment, cell(one.source), one.model])
            written.add(name)
        write_whole(folder / LABELS, table.getvalue().encode(), readable=True)
        for old in folder.glob("[0-9][0-9][0-9][0-9][0-9][0-9].png"):
            if old.name not in written:
                old.unlink()
    except StateError:
        raise
    except OSError as error:
        raise StateError(f"{folder}: cannot be written ({error.strerror}); name another folder") from error
    return len(written)


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


def _text(digit: int | None) -> str:
    return "" if digit is None else str(digit)


def _png(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def _pixels(data: bytes) -> Pixels:
    # They are this program's own, but a disk may lose some.
    return images.decode(data, FILE)
