"""Corrections as a data set: a folder of glyphs and the table ``labels.csv``, of one device or of several."""

from __future__ import annotations

import csv
import io
import re
from hashlib import sha256
from pathlib import Path

from edge.corrections.database import Correction, Corrections, png
from edge.errors import StateError
from edge.system.files import write_atomically
from edge.system.text import spreadsheet_cell

LABELS = "labels.csv"
"""The table of a data set: columns ``file`` and ``text`` as everywhere, and what else is known."""
COLUMNS = ("file", "text", "read", "confidence", "at", "source", "model")
"""Its first line. Nobody else's table has it: by this a folder that was exported before is known."""


def export(corrections: Corrections, folder: Path) -> int:
    """Write each glyph as a 28x28 PNG, light ink on black, and ``labels.csv``; gives how many glyphs that names.

    What is no digit has an empty ``text``. In a folder that was exported before, the glyphs of this file of corrections
    are brought up to date: what was taken back goes. Those of other files, and whatever else lies there, stay. Raises
    StateError where there is no correction, and where the folder is somebody else's or cannot be written.
    """
    if not corrections.count():
        raise StateError(f"{corrections.path}: holds no correction yet; correct a digit on the live page")
    origin = corrections.origin()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        old = _rows(folder)
        new = []
        for number, one in corrections.all():
            name = _name(origin, number, one)
            # What is written once never changes, and a table names whole files alone.
            if not (folder / name).exists():
                write_atomically(folder / name, png(one.glyph), readable=True)
            said = [name, _text(one.label), _text(one.read), f"{one.confidence:.4f}"]
            new.append([*said, one.moment, spreadsheet_cell(one.source), spreadsheet_cell(one.model)])
        table = io.StringIO()
        rows = [row for row in old if not _is_of(origin, row[0])] + new
        csv.writer(table, lineterminator="\n").writerows([COLUMNS, *rows])
        write_atomically(folder / LABELS, table.getvalue().encode(), readable=True)
        for name in {row[0] for row in old if _is_of(origin, row[0])} - {row[0] for row in new}:
            (folder / name).unlink(missing_ok=True)
    except StateError:
        raise
    except OSError as error:
        raise StateError(f"{folder}: cannot be written ({error.strerror}); name another folder") from error
    return len(rows)


def _rows(folder: Path) -> list[list[str]]:
    """What the table there says; nothing in an empty folder. Raises StateError where it is no export."""
    if not any(folder.iterdir()):
        return []
    try:
        head, *rows = csv.reader(io.StringIO((folder / LABELS).read_text("utf-8")))
    except (FileNotFoundError, ValueError, csv.Error):
        head = []
    if head != list(COLUMNS):
        raise StateError(f"{folder}: holds other files; name an empty folder, or one that was exported before")
    return [row for row in rows if row]


def _name(origin: str, number: int, one: Correction) -> str:
    # Numbers begin anew in a new file, and where an old one is put back: the same name is always the same glyph.
    return f"{origin}-{number:06d}-{sha256(one.glyph.tobytes()).hexdigest()[:8]}.png"


def _is_of(origin: str, name: str) -> bool:
    """Whether it is the name of a glyph that came from there."""
    return re.fullmatch(rf"{origin}-[0-9]{{6,}}-[0-9a-f]{{8}}\.png", name) is not None


def _text(digit: int | None) -> str:
    return "" if digit is None else str(digit)
