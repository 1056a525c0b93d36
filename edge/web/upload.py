"""Pictures sent by strangers: limits of their size, of the memory to decode them, and of how many wait at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from edge import images
from edge.errors import ImageError
from edge.system import stderr
from edge.types import Pixels
from edge.web.decode_cost import decode_cost
from edge.web.http import RequestError

MAX_BYTES = 24_000_000
"""Most bytes of an image file. Telephones make files of up to 15 MB."""
MAX_PIXELS = 50_000_000
"""Most pixels of a picture, checked before it is decoded."""
MAX_DECODED_BYTES = 160_000_000
"""Most bytes of memory that decoding a picture may take, checked before it is decoded. A small file can take gigabytes
(a decompression bomb), and the service has 512 MB for everything."""
MAX_WAITING = 8
"""Most pictures that may be on the way or wait to be read at once. Chosen: others are asked to come again."""
MAX_WAITING_BYTES = 2 * MAX_BYTES
"""Most bytes that these pictures may have together. Chosen: two of the largest."""
UPLOAD_SECONDS = 20.0
"""Seconds in which all bytes of a picture have to arrive. Chosen: the largest needs a network of 10 Mbit/s."""
LIBJPEG_WARNINGS = (
    r"Corrupt JPEG data|Invalid SOS|Warning: unknown JFIF|Premature end of JPEG|Unsupported marker|Inconsistent prog"
)
"""Pattern of what libjpeg prints on stderr about damaged pictures."""


class UploadLimit:
    """Counts the pictures on the way or waiting, and their bytes. Used by the server's own thread only."""

    def __init__(self) -> None:
        self._count = self._bytes = 0

    @contextlib.contextmanager
    def reserve(self, size: int = 0) -> Iterator[None]:
        """Count one more picture, of ``size`` bytes, within a ``with``. RequestError if there are too many."""
        if self._count >= MAX_WAITING or self._bytes + size > MAX_WAITING_BYTES:
            raise RequestError(503, "too many pictures at once; come again in a second")
        self._count, self._bytes = self._count + 1, self._bytes + size
        try:
            yield
        finally:
            self._count, self._bytes = self._count - 1, self._bytes - size


def decode(data: bytes, name: str) -> Pixels:
    """The bytes of an image file -> grey pixels (height, width). Raises ImageError, RequestError."""
    if not data:
        raise ImageError(f"{name}: is empty; send the bytes of an image file")
    width, height, decoded_bytes = decode_cost(data, name)
    if width * height > MAX_PIXELS:
        raise RequestError(413, f"{name}: has {width} x {height} pixels; reduce it to at most {MAX_PIXELS:,}")
    if decoded_bytes > MAX_DECODED_BYTES:
        raise RequestError(
            413,
            f"{name}: takes {decoded_bytes // 1_000_000:,} MB to decode, more than {MAX_DECODED_BYTES // 1_000_000} MB;"
            " send it smaller, or as a plain JPEG",
        )
    # Otherwise strangers' damaged pictures would fill the journal.
    with stderr.without(LIBJPEG_WARNINGS):
        return images.decode(data, name)
