"""Read members of a zip archive that may be made to hurt: its directory and each member are limited."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import IO

MAX_DIRECTORY_BYTES = 2**20
"""The largest table of contents of an archive that is read, in bytes: about 10,000 members. Chosen: a model has three
members at most, but other files may be added to it."""
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, RuntimeError, EOFError, OverflowError)
"""What ``opened``, ``member`` and the JSON in an archive may raise."""
_END, _END_BYTES = b"PK\5\6", 22
"""How an archive's end record begins, and its size in bytes without the comment (APPNOTE.TXT, 4.3.16)."""
_LOCATOR, _LOCATOR_BYTES = b"PK\6\7", 20
"""The same of the record that zip64 has before it (4.3.15)."""
_MAX_COMMENT_BYTES = 2**16 - 1
"""The longest comment after the end record, in bytes: its length has two bytes."""


def opened(file: IO[bytes] | bytes) -> zipfile.ZipFile:
    """The archive in or at the end of a file. Raises one of DAMAGE if there is none, or its directory is too large.

    zipfile makes an object for each entry, before anything can be asked: a directory of 100 MB would take gigabytes.
    """
    stream = io.BytesIO(file) if isinstance(file, bytes) else file
    size = stream.seek(0, io.SEEK_END)
    start = stream.seek(max(0, size - _END_BYTES - _MAX_COMMENT_BYTES - _LOCATOR_BYTES))
    tail = stream.read(size - start)
    end = tail.rfind(_END)
    # zipfile prefers an end record without a comment, even if the bytes after it look like a later one.
    for place in {end, len(tail) - _END_BYTES}:
        record = tail[place : place + _END_BYTES] if place >= 0 else b""
        if len(record) == _END_BYTES and record.startswith(_END):
            (directory,) = struct.unpack_from("<L", record, 12)
            if directory > MAX_DIRECTORY_BYTES or tail[place - _LOCATOR_BYTES :].startswith(_LOCATOR):
                raise ValueError("its zip archive has too many members")
    return zipfile.ZipFile(stream)


def member(zipped: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    """The content of a member. Raises KeyError if there is none, one of DAMAGE if it is damaged or too large."""
    entry = zipped.getinfo(name)
    if entry.file_size > max_bytes:
        raise ValueError(f"it has {entry.file_size:,} bytes unpacked, more than {max_bytes:,}")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is compressed by another method than deflate")
    # zipfile unpacks no more than the size that the directory declares, whatever the data are.
    return zipped.read(entry)
