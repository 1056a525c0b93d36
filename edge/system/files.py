"""Files that appear whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, *, readable: bool = False, secret: bool = False) -> Iterator[Path]:
    """A new, empty file in the folder of ``path``; when the block ends it takes the place of ``path``.

    After a crash or power loss at any moment ``path`` is the old file or the new one, and on the disk. Where the block
    fails, ``path`` stays as it was and nothing is left over. Owner and mode of a file that is there are kept, where
    this user may; a new one gets its folder's owner. ``readable``: whoever may enter its folder may read it.
    ``secret``: its owner alone may read it. Raises OSError.
    """
    there = path.is_file() and not path.is_symlink()
    like = (path if there else path.parent).stat()
    mode = like.st_mode & (0o777 if there else 0o666) | (0o444 if readable else 0)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(number)
    half = Path(name)
    try:
        yield half
        number = os.open(half, os.O_RDONLY)
        try:
            os.fchmod(number, 0o600 if secret else mode)
            with contextlib.suppress(PermissionError):
                os.fchown(number, like.st_uid, like.st_gid)
            os.fsync(number)
        finally:
            os.close(number)
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    # The new name itself is on the disk only with its folder.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_atomically(path: Path, content: bytes, *, readable: bool = False, secret: bool = False) -> None:
    """Write ``content`` to a file as ``replacing`` does. Raises OSError."""
    with replacing(path, readable=readable, secret=secret) as half:
        half.write_bytes(content)
