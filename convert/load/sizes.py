"""How large a model may be: the same limits for each kind of file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ConvertError

MAX_BYTES = 256 * 2**20
"""The largest model, in bytes, as a file and unpacked. Chosen: a classifier of digits for a Raspberry Pi has a
hundredth, and VGG-16 for small pictures 130 MB."""
SMALLER = "give a model for a Raspberry Pi"
SMALLER_KERAS = f"{SMALLER}, saved without its optimizer: model.save('model.keras', include_optimizer=False)"
"""What to do with a larger one. Adam keeps two more numbers for each weight, which make a Keras file three times as
large."""
MAX_FILES = 1000
"""The most files in a model's folder. Chosen: a SavedModel has about five."""


def mebibytes(count: int) -> str:
    """A number of bytes in words."""
    return f"{count / 2**20:,.0f} MiB"


def read(path: Path, max_bytes: int = MAX_BYTES, advice: str = SMALLER) -> bytes:
    """The content of a file. Raises ConvertError if it is larger, OSError if it cannot be read."""
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ConvertError(f"{path}: is larger than {mebibytes(max_bytes)}; {advice}")
    return content


def files(folder: Path) -> list[Path]:
    """All files in a model's folder, sorted. Raises ConvertError for links, for what is no file, and for too much."""
    found = []
    total = 0
    for path in _walk(folder):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            what = "a link" if stat.S_ISLNK(status.st_mode) else "not a file"
            raise ConvertError(f"{folder}: its {path.relative_to(folder)} is {what}; give a folder of plain files")
        found.append(path)
        total += status.st_size
        if total > MAX_BYTES or len(found) > MAX_FILES:
            raise ConvertError(
                f"{folder}: has more than {mebibytes(MAX_BYTES)} or {MAX_FILES:,} files; give the model's own folder"
            )
    return sorted(found)


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        # os.walk does not follow links to folders, but lists them as folders.
        yield from (Path(here, name) for name in folders if Path(here, name).is_symlink())
        yield from (Path(here, name) for name in names)
