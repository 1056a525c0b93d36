"""Names of files, careful reads, and atomic writes: a file has its old content or its new content, never half of it."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from edge.system.text import parse_json

PIECE_BYTES = 1_000_000
"""How many bytes are read at once. Chosen."""
SMALL_BYTES = 65_536
"""Most bytes of a small file. Chosen: those in the state folder have less than 2 kB."""


def expanded(name: str) -> Path:
    """The path that a user has named. ``~`` is a home folder; that of an unknown user stays as it is, as in a shell."""
    # Path.expanduser() would raise RuntimeError.
    return Path(os.path.expanduser(name))  # noqa: PTH111


@contextlib.contextmanager
def replacing(path: Path, *, readable: bool = False, secret: bool = False) -> Iterator[Path]:
    """Yield a new, empty file in the folder of ``path``; it replaces ``path`` when the block ends.

    After a crash or power cut at any moment, ``path`` is the old file or the new one, complete and on the disk. If the
    block fails, ``path`` stays as it was and nothing is left over. An existing file keeps its owner and mode, if this
    user may set them; a new one gets the owner of its folder. ``readable``: everybody who may enter the folder may read
    it. ``secret``: only its owner may read it. Raises OSError.
    """
    exists = path.is_file() and not path.is_symlink()
    like = (path if exists else path.parent).stat()
    mode = like.st_mode & (0o777 if exists else 0o666) | (0o444 if readable else 0)
    # Never a longer name than a file system takes, even if that of ``path`` is nearly so.
    number, name = tempfile.mkstemp(prefix=f".{path.stem[:16]}.", suffix=path.suffix[-16:], dir=path.parent)
    os.close(number)
    temporary = Path(name)
    try:
        yield temporary
        number = os.open(temporary, os.O_RDONLY)
        try:
            os.fchmod(number, 0o600 if secret else mode)
            with contextlib.suppress(PermissionError):
                os.fchown(number, like.st_uid, like.st_gid)
            os.fsync(number)
        finally:
            os.close(number)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    # The rename is on the disk only after its folder is synced.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_atomically(path: Path, content: bytes, *, readable: bool = False, secret: bool = False) -> None:
    """Write ``content`` to a file as ``replacing`` does. Raises OSError."""
    with replacing(path, readable=readable, secret=secret) as temporary:
        temporary.write_bytes(content)


def read_small(path: Path, most_bytes: int = SMALL_BYTES) -> bytes:
    """The content of a file that may be anything. Raises OSError; ValueError if it is no regular file, or larger.

    A named pipe would be waited for without an end, and a device or a huge file may fill the memory.
    """
    with open_regular(path) as (file, status):
        if status.st_size > most_bytes:
            raise ValueError(f"it is larger than {most_bytes:,} bytes")
        return file.read(most_bytes)


def read_all(file: BinaryIO, most_bytes: int) -> bytes:
    """What is left in a file, pipe or device. Raises OSError; ValueError if it is more than ``most_bytes``.

    ``file.read(most_bytes)`` would take so much memory at once, however little there is to read.
    """
    read = io.BytesIO()
    while piece := file.read(PIECE_BYTES):
        read.write(piece)
        if read.tell() > most_bytes:
            raise ValueError(f"it is larger than {most_bytes // 1_000_000} MB")
    return read.getvalue()


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """A file that may be anything, opened to be read, and its status. Raises OSError; ValueError if not regular."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no regular file")
        with os.fdopen(number, "rb", closefd=False) as file:
            yield file, status
    finally:
        os.close(number)


def read_json(path: Path) -> Any:
    """The value in a small JSON file. Raises OSError; ValueError if it is not such a file."""
    return parse_json(read_small(path))
