"""A picture that somebody sends: bounded in bytes, in what it takes to unpack it, in number, and in time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

from starlette.requests import ClientDisconnect, Request

from edge import images
from edge.errors import EdgeError, ImageError
from edge.system import stderr
from edge.types import Pixels
from edge.web.decode_cost import decode_cost

MOST_BYTES = 24_000_000
"""A larger file is refused: telephones make files of up to 15 MB."""
MOST_PIXELS = 50_000_000
"""A larger picture is refused before it is unpacked, and so is one that takes more than"""
MOST_UNPACKED = 160_000_000
"""bytes: a few can become gigabytes (a decompression bomb), and the service has 512 MB for everything."""
WAITING, HELD_BYTES = 8, 2 * MOST_BYTES
"""So many pictures, and bytes of them, may be sent or wait to be read; another one is asked to come again."""
LIBJPEG = (
    r"Corrupt JPEG data|Invalid SOS|Warning: unknown JFIF|Premature end of JPEG|Unsupported marker|Inconsistent prog"
)
SECONDS, FEW_SECONDS = 20.0, 5.0
"""All of a picture has to be here by then; all of anything else."""


class UploadError(EdgeError, ValueError):
    """What was sent is not taken; ``status`` is HTTP's word for why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Line:
    """Those who send a picture or wait for it to be read; for the server's own thread."""

    def __init__(self) -> None:
        self._many = self._bytes = 0

    @contextlib.contextmanager
    def place(self, size: int = 0) -> Iterator[None]:
        """Within it, one stands in line with so many bytes. UploadError where there is no room."""
        if self._many >= WAITING or self._bytes + size > HELD_BYTES:
            raise UploadError(503, "too many pictures at once; come again")
        self._many, self._bytes = self._many + 1, self._bytes + size
        try:
            yield
        finally:
            self._many, self._bytes = self._many - 1, self._bytes - size


def announced(request: Request, most: int = MOST_BYTES) -> int:
    """How many bytes will be sent, at most. Raises UploadError where it says that they are more than ``most``."""
    said = request.headers.get("content-length", "")
    size = int(said) if said.isdecimal() else most
    if size > most:
        raise UploadError(413, f"too large: at most {most:,} bytes are taken")
    return size


async def body(request: Request, most: int, seconds: float = FEW_SECONDS) -> bytes:
    """What was sent, whole. Raises UploadError where it is too much or takes too long."""
    announced(request, most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise UploadError(413, f"too large: at most {most:,} bytes are taken")
                parts.append(part)
    except TimeoutError as error:
        raise UploadError(408, f"not all of it came within {seconds:.0f} s") from error
    except ClientDisconnect as error:
        raise UploadError(400, "cut off") from error
    return b"".join(parts)


def parsed(data: bytes) -> Any:
    """JSON, as what it says. Raises ValueError for what is none, or is nested without end."""
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def picture(data: bytes, name: str) -> Pixels:
    """The bytes of an image file -> grey pixels (height, width). Raises ImageError, UploadError."""
    if not data:
        raise ImageError(f"{name}: is empty; send the bytes of an image file")
    width, height, size = decode_cost(data, name)
    if width * height > MOST_PIXELS:
        raise UploadError(413, f"{name}: has {width} x {height} pixels; at most {MOST_PIXELS:,} are read here")
    if size > MOST_UNPACKED:
        raise UploadError(
            413,
            f"{name}: takes {size // 1_000_000:,} MB to unpack, and at most {MOST_UNPACKED // 1_000_000} are given;"
            " send it smaller, or as a plain JPEG",
        )
    # What libjpeg prints of strangers' broken pictures would fill the journal.
    with stderr.without(LIBJPEG):
        return images.decode(data, name)
