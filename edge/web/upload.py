"""A picture that somebody sends: bounded in bytes, in pixels before it is unpacked, and in time."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import Any

from starlette.requests import ClientDisconnect, Request

from edge import images, quiet
from edge.errors import EdgeError, ImageError
from edge.types import Pixels

MOST_BYTES = 24_000_000
"""A larger file is refused: telephones make files of up to 15 MB."""
MOST_PIXELS = 50_000_000
"""A larger picture is refused before it is unpacked: a few bytes can be gigabytes (a decompression bomb)."""
# What it finds wrong with strangers' files is no news.
logging.getLogger("PIL").setLevel(logging.CRITICAL)
LIBJPEG = (
    r"Corrupt JPEG data|Invalid SOS|Warning: unknown JFIF|Premature end of JPEG|Unsupported marker|Inconsistent prog"
)
SECONDS = 20.0
"""All of it has to be here by then."""


class UploadError(EdgeError, ValueError):
    """What was sent is not taken; ``status`` is HTTP's word for why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def body(request: Request, most: int = MOST_BYTES) -> bytes:
    """What was sent, whole. Raises UploadError where it is too much or takes too long."""
    said = request.headers.get("content-length", "0")
    if said.isdecimal() and int(said) > most:
        raise UploadError(413, f"too large: at most {most:,} bytes are taken")
    parts, size = [], 0
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise UploadError(413, f"too large: at most {most:,} bytes are taken")
                parts.append(part)
    except TimeoutError as error:
        raise UploadError(408, f"not all of it came within {SECONDS:.0f} s") from error
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
    width, height = _size(data, name)
    if width * height > MOST_PIXELS:
        raise UploadError(413, f"{name}: has {width} x {height} pixels; at most {MOST_PIXELS:,} are read here")
    # What libjpeg prints of strangers' broken pictures would fill the journal.
    with quiet.without(LIBJPEG):
        return images.decode(data, name)


def _size(data: bytes, name: str) -> tuple[int, int]:
    """Width and height, from the file's head alone."""
    import warnings

    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF", "WEBP", "BMP", "PPM")) as image:
                return image.size
        except Image.DecompressionBombError as error:
            raise UploadError(413, f"{name}: has too many pixels; at most {MOST_PIXELS:,} are read here") from error
        # Whatever a broken file makes a decoder do: https://pillow.readthedocs.io/en/stable/reference/open_files.html
        except Exception as error:
            raise ImageError(f"{name}: is no image that can be read; JPEG, PNG, TIFF, WebP, BMP and PGM are") from error
