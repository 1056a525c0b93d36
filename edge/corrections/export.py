"""Exports corrections as a data set: a folder of glyphs with ``labels.csv``, from one device or several."""

from __future__ import annotations

import csv
import io
import re
from hashlib import sha256
from pathlib import Path

from edge.corrections.database import Correction, Corrections, encode_png
from edge.errors import StateError
from edge.system.files import write_atomically
from edge.system.text import spreadsheet_cell

LABELS = "labels.csv"
"""Name of a data set's table. Its columns ``file`` and ``text`` are those of all labelled photographs."""
COLUMNS = ("file", "text", "read", "confidence", "at", "source", "model")
"""First line of the table. No other program writes this line, so it marks a folder as an earlier export."""


def export(corrections: Corrections, folder: Path) -> int:
    """Write each glyph as a 28x28 PNG, light ink on black, and ``labels.csv``; returns how many glyphs that lists.

    A glyph that is no digit has an empty ``text``. If the folder is an earlier export, the glyphs of this database are
    brought up to date, and those of deleted corrections are removed. Glyphs of other databases, and all other files,
    stay. Raises StateError if there is no correction, if the folder holds other files, or if it cannot be written.
    """
    if not corrections.count():
        raise StateError(f"{corrections.path}: contains no correction yet; correct a digit on the live page")
    origin = corrections.origin()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        old = _rows(folder)
        new = []
        for number, correction in corrections.all():
            name = _name(origin, number, correction)
            # A glyph file never changes, and the table must name only complete files.
            if not (folder / name).exists():
                write_atomically(folder / name, encode_png(correction.glyph), readable=True)
            cells = [name, _text(correction.label), _text(correction.read), f"{correction.confidence:.4f}"]
            new.append(
                [*cells, correction.at_text, spreadsheet_cell(correction.source), spreadsheet_cell(correction.model)]
            )
        table = io.StringIO()
        rows = [row for row in old if not _is_from(origin, row[0])] + new
        csv.writer(table, lineterminator="\n").writerows([COLUMNS, *rows])
        write_atomically(folder / LABELS, table.getvalue().encode(), readable=True)
        for name in {row[0] for row in old if _is_from(origin, row[0])} - {row[0] for row in new}:
            (folder / name).unlink(missing_ok=True)
    except StateError:
        raise
    except OSError as error:
        raise StateError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    return len(rows)


def _rows(folder: Path) -> list[list[str]]:
    """The rows of an earlier export; none for an empty folder. Raises StateError if it holds anything else."""
    if not any(folder.iterdir()):
        return []
    try:
        head, *rows = csv.reader(io.StringIO((folder / LABELS).read_text("utf-8")))
    except (FileNotFoundError, ValueError, csv.Error):
        head = []
    if head != list(COLUMNS):
        raise StateError(f"{folder}: holds other files; choose an empty folder or an earlier export")
    return [row for row in rows if row]


def _name(origin: str, number: int, correction: Correction) -> str:
    # Numbers start again in a new database, or if an old one is restored. The hash keeps each name for one glyph.
    return f"{origin}-{number:06d}-{sha256(correction.glyph.tobytes()).hexdigest()[:8]}.png"


def _is_from(origin: str, name: str) -> bool:
    """Whether a file name is that of a glyph from the database with this id."""
    return re.fullmatch(rf"{origin}-[0-9]{{6,}}-[0-9a-f]{{8}}\.png", name) is not None


def _text(digit: int | None) -> str:
    return "" if digit is None else str(digit)
