"""What a picture takes to unpack, told by its head alone: a few bytes can be gigabytes, or minutes.

What is known here and in nothing else is unpacked for strangers: JPEG, PNG, TIFF, WebP, BMP and PGM with its like.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from edge.errors import ImageError
from edge.images import NOT_AN_IMAGE, may_be_transparent

SCANS = 64
"""A progressive JPEG has about ten; each is one more walk over the whole picture,"""
WALKED = 500_000_000
"""and they come to so many pixels at most: seconds, on a Pi."""
PIECES = 10_000
"""Segments of a JPEG, chunks of a PNG: a large one has 3,000."""
COPIES = 2
"""OpenCV has what it gives twice, for a moment."""
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""All but those without a length that stand within a scan: TEM, RST0 to RST7, and FF 00 (ITU-T T.81, B.1.1)."""
_PNM = re.compile(rb"P[1-6](?:\s|#[^\r\n]*[\r\n])+(\d{1,9})(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})\s")
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of each type of value (TIFF 6.0, section 2)."""
_TIFF_ASKED = (256, 257, 258, 259, 262, 277, 278, 322, 323)
"""Width, height, bits, packing, meaning and number of samples, rows of a strip, width and height of a tile."""
_TIFF_PACKINGS = (1, 2, 3, 4, 5, 8, 32773, 32946)
"""None, CCITT's, LZW, Deflate, PackBits; not whole JPEGs, whose scans nobody has counted."""


class DecodeCost(NamedTuple):
    """A picture that is still packed."""

    width: int
    height: int
    """Pixels."""
    size: int
    """Bytes that it takes at most while it is unpacked."""


def decode_cost(data: bytes, name: str) -> DecodeCost:
    """What the bytes of an image file come to. Raises ImageError; ``name`` is what it calls them."""
    try:
        for begins, of in _KINDS.items():
            if data.startswith(begins) and (found := of(data)) and found.width and found.height:
                return found
    except (struct.error, IndexError):
        # Its head is cut off.
        pass
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    raise ImageError(f"{name}: {NOT_AN_IMAGE}")


def _jpeg(data: bytes) -> DecodeCost | None:
    """Walks the segments (ITU-T T.81, B.2). A picture in several scans is kept whole until the last one."""
    at, scans, width, height, parts, planes, whole = 2, 0, 0, 0, 0, 0.0, False
    for _ in range(PIECES):
        marker = _MARKER.search(data, at)
        if marker is None or marker[0] == b"\xff\xd9":
            pixels = width * height
            return DecodeCost(width, height, max(COPIES * pixels, pixels + int(2 * planes * pixels) * whole))
        kind, at = marker[0][1], marker.end()
        if kind == 0xDA:
            scans, whole = scans + 1, whole or data[at + 2] < parts
            if scans > SCANS or scans * width * height > WALKED:
                raise ImageError(f"has {scans} scans or more, too many for its size; save it again, not progressive")
        elif 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width, parts = struct.unpack_from(">HHB", data, at + 3)
            shares = [(byte >> 4) * (byte & 15) for byte in data[at + 9 : at + 8 + 3 * parts : 3]]
            planes = sum(shares) / max(1, *shares, 1)
            # Progressive, with any way to code.
            whole = kind & 3 == 2
        at += max(2, struct.unpack_from(">H", data, at)[0])
    raise ImageError(f"is made of more than {PIECES:,} pieces; save it again")


def _png(data: bytes) -> DecodeCost | None:
    """Walks the chunks (PNG specification, 5.3 and 11.2)."""
    kind, width, height, depth = struct.unpack_from(">4sIIB", data, 12)
    if kind != b"IHDR":
        return None
    channels = 4 if may_be_transparent(data) else 1
    at = 8
    for _ in range(PIECES):
        if at + 12 > len(data):
            return DecodeCost(width, height, COPIES * width * height * channels * max(1, depth // 8))
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            raise ImageError("is a film; send one picture of it")
        at += 12 + length
    raise ImageError(f"is made of more than {PIECES:,} pieces; save it again")


def _tiff(data: bytes) -> DecodeCost | None:
    """Reads the first directory (TIFF 6.0, section 2); of a tag that is there twice, the first."""
    order, tags, taken = "<" if data[:1] == b"I" else ">", dict[int, int](), 0
    begins = struct.unpack_from(f"{order}I", data, 4)[0]
    for at in range(begins + 2, begins + 2 + 12 * struct.unpack_from(f"{order}H", data, begins)[0], 12):
        tag, kind, many, value = struct.unpack_from(f"{order}HHII", data, at)
        size = many * _TIFF_SIZES.get(kind, 8)
        taken += size
        if tag in _TIFF_ASKED and kind not in (3, 4):
            return None
        if kind == 3:
            value = struct.unpack_from(f"{order}H", data, at + 8 if size <= 4 else value)[0]
        tags.setdefault(tag, value)
    width, height, bits, photometric, samples = (tags.get(tag, 1) for tag in (256, 257, 258, 262, 277))
    if taken > len(data):
        # Values that lie one on the other would be read, and kept, again and again.
        return None
    if tags.get(259, 1) not in _TIFF_PACKINGS:
        raise ImageError("is a TIFF packed in a way that is not read here; save it as JPEG or PNG")
    channels = 1 if samples == 1 and photometric in (0, 1) else max(3, samples)
    deep = max(1, bits // 8)
    block = tags.get(322, width) * tags.get(323, min(height, tags.get(278, height)))
    return DecodeCost(width, height, COPIES * width * height * channels * deep + block * max(4, channels * deep))


def _webp(data: bytes) -> DecodeCost | None:
    """WebP container specification; RFC 6386, 9.1; WebP lossless bitstream specification, 3."""
    kind = data[12:16] if data[8:12] == b"WEBP" else b""
    if kind == b"VP8X":
        if data[20] & 2:
            raise ImageError("is a film; send one picture of it")
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        sides = int.from_bytes(data[21:25], "little")
        width, height = 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return DecodeCost(width, height, COPIES * width * height * 4)


def _bmp(data: bytes) -> DecodeCost | None:
    old = struct.unpack_from("<I", data, 14)[0] == 12
    width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
    return DecodeCost(abs(width), abs(height), COPIES * abs(width * height) * 2)


def _pnm(data: bytes) -> DecodeCost | None:
    found = _PNM.match(data[:4096])
    return DecodeCost(int(found[1]), int(found[2]), COPIES * int(found[1]) * int(found[2]) * 2) if found else None


_KINDS: dict[bytes, Callable[[bytes], DecodeCost | None]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"RIFF": _webp,
    b"BM": _bmp,
    b"P": _pnm,
}
"""How a file begins."""
