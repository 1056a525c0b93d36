"""The memory that decoding an image file takes, found without decoding it: a few bytes can become gigabytes.

Only formats that are known here are decoded for strangers: JPEG, PNG, TIFF, WebP, BMP, and PGM with its relatives.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from edge.errors import ImageError
from edge.images import may_be_transparent, why_not

MAX_SCANS = 64
"""Most scans of a JPEG. A usual progressive JPEG has about ten; decoding goes over the whole picture for each."""
MAX_SCANNED_PIXELS = 500_000_000
"""Most pixels of all scans of a JPEG together: decoding so many takes seconds on a Pi."""
MAX_SEGMENTS = 10_000
"""Most segments of a JPEG or chunks of a PNG. A large file has 3,000."""
OPENCV_COPIES = 2
"""How many copies of the decoded picture OpenCV holds at once, for a moment."""
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""All markers but those without a length within a scan: TEM, RST0 to RST7, and FF 00 (ITU-T T.81, B.1.1)."""
_PNM_HEADER = re.compile(rb"P[1-6](?:\s|#[^\r\n]*[\r\n])+(\d{1,9})(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})\s")
_TIFF_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of each type of value (TIFF 6.0, section 2)."""
_TIFF_TAGS = (256, 257, 258, 259, 262, 277, 278, 322, 323)
"""Tags that are read: width, height, bits, compression, meaning and number of samples, rows per strip, width and
height of a tile."""
_TIFF_COMPRESSIONS = (1, 2, 3, 4, 5, 8, 32773, 32946)
"""Compressions that are decoded: none, CCITT, LZW, Deflate, PackBits. Not JPEG, because its scans are not counted."""


class DecodeCost(NamedTuple):
    """What the head of an image file says."""

    width: int
    height: int
    """Pixels."""
    decoded_bytes: int
    """Most bytes of memory that decoding takes."""


def decode_cost(data: bytes, name: str) -> DecodeCost:
    """Size and memory of an image file, from its bytes. Raises ImageError, which calls the file ``name``."""
    try:
        for start, read_head in _FORMATS.items():
            if data.startswith(start) and (found := read_head(data)) and found.width and found.height:
                return found
    except (struct.error, IndexError):
        # The head of the file is cut off.
        pass
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    raise ImageError(f"{name}: {why_not(data, name)}")


def _jpeg(data: bytes) -> DecodeCost | None:
    """Reads the segments (ITU-T T.81, B.2). With several scans, all coefficients are held until the last one."""
    at, scans, width, height, components, planes, holds_all = 2, 0, 0, 0, 0, 0.0, False
    for _ in range(MAX_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None or marker[0] == b"\xff\xd9":
            pixels = width * height
            return DecodeCost(width, height, max(OPENCV_COPIES * pixels, pixels + int(2 * planes * pixels) * holds_all))
        kind, at = marker[0][1], marker.end()
        if kind == 0xDA:
            scans, holds_all = scans + 1, holds_all or data[at + 2] < components
            if scans > MAX_SCANS or scans * width * height > MAX_SCANNED_PIXELS:
                raise ImageError(f"has {scans} scans or more, too many for its size; save it as a non-progressive JPEG")
        elif 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            if components:
                # libjpeg takes the first; with garbage between them it never sees the second.
                raise ImageError("has two sizes; save it again")
            height, width, components = struct.unpack_from(">HHB", data, at + 3)
            shares = [(byte >> 4) * (byte & 15) for byte in data[at + 9 : at + 8 + 3 * components : 3]]
            planes = sum(shares) / max(1, *shares, 1)
            # Progressive, with either entropy coding.
            holds_all = kind & 3 == 2
        at += max(2, struct.unpack_from(">H", data, at)[0])
    raise ImageError(f"has more than {MAX_SEGMENTS:,} segments; save it again")


def _png(data: bytes) -> DecodeCost | None:
    """Reads the chunks (PNG specification, 5.3 and 11.2)."""
    kind, width, height, depth = struct.unpack_from(">4sIIB", data, 12)
    if kind != b"IHDR":
        return None
    channels = 4 if may_be_transparent(data) else 1
    at = 8
    for _ in range(MAX_SEGMENTS):
        if at + 12 > len(data):
            return DecodeCost(width, height, OPENCV_COPIES * width * height * channels * max(1, depth // 8))
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            raise ImageError("is an animation; send one picture of it")
        at += 12 + length
    raise ImageError(f"has more than {MAX_SEGMENTS:,} segments; save it again")


def _tiff(data: bytes) -> DecodeCost | None:
    """Reads the first directory (TIFF 6.0, section 2). If a tag is there twice, the first one counts."""
    order, tags, value_bytes = "<" if data[:1] == b"I" else ">", dict[int, int](), 0
    start = struct.unpack_from(f"{order}I", data, 4)[0]
    for at in range(start + 2, start + 2 + 12 * struct.unpack_from(f"{order}H", data, start)[0], 12):
        tag, kind, count, value = struct.unpack_from(f"{order}HHII", data, at)
        size = count * _TIFF_TYPE_BYTES.get(kind, 8)
        value_bytes += size
        if tag in _TIFF_TAGS and kind not in (3, 4):
            return None
        if kind == 3:
            value = struct.unpack_from(f"{order}H", data, at + 8 if size <= 4 else value)[0]
        tags.setdefault(tag, value)
    width, height, bits, photometric, samples = (tags.get(tag, 1) for tag in (256, 257, 258, 262, 277))
    if value_bytes > len(data):
        # Values that overlap in the file would be read again and again, and take memory each time.
        return None
    if tags.get(259, 1) not in _TIFF_COMPRESSIONS:
        raise ImageError("is a TIFF with a compression that is not read here; save it as JPEG or PNG")
    channels = 1 if samples == 1 and photometric in (0, 1) else max(3, samples)
    sample_bytes = max(1, bits // 8)
    block = tags.get(322, width) * tags.get(323, min(height, tags.get(278, height)))
    pixel_bytes = channels * sample_bytes
    return DecodeCost(width, height, OPENCV_COPIES * width * height * pixel_bytes + block * max(4, pixel_bytes))


def _webp(data: bytes) -> DecodeCost | None:
    """WebP container specification; RFC 6386, 9.1; WebP lossless bitstream specification, 3."""
    kind = data[12:16] if data[8:12] == b"WEBP" else b""
    if kind == b"VP8X":
        if data[20] & 2:
            raise ImageError("is an animation; send one picture of it")
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        sides = int.from_bytes(data[21:25], "little")
        width, height = 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return DecodeCost(width, height, OPENCV_COPIES * width * height * 4)


def _bmp(data: bytes) -> DecodeCost | None:
    old = struct.unpack_from("<I", data, 14)[0] == 12
    width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
    return DecodeCost(abs(width), abs(height), OPENCV_COPIES * abs(width * height) * 2)


def _pnm(data: bytes) -> DecodeCost | None:
    found = _PNM_HEADER.match(data[:4096])
    if not found:
        return None
    width, height = int(found[1]), int(found[2])
    return DecodeCost(width, height, OPENCV_COPIES * width * height * 2)


_FORMATS: dict[bytes, Callable[[bytes], DecodeCost | None]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"RIFF": _webp,
    b"BM": _bmp,
    b"P": _pnm,
}
"""The first bytes of each format, and what reads its head."""
