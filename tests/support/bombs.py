"""Pictures of a few kilobytes that are large, made by hand as no library would."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image

SIDE = 7000
"""Of a square: 49 megapixels, which are read where they are grey."""


def chunk(kind: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(rows: int, row_bytes: int) -> bytes:
    """Deflated."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(row_bytes)) for _ in range(rows)) + packer.flush()


def png(depth: int = 8, colour: int = 0, side: int = SIDE, more: bytes = b"") -> bytes:
    """All zeros; ``colour`` 0 grey, 2 colour, 4 grey and alpha, 6 colour and alpha."""
    row = 1 + side * {0: 1, 2: 3, 4: 2, 6: 4}[colour] * depth // 8
    head = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    packed = zeros(min(side, SIDE), row) if side <= SIDE else zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def film(frames: int = 2) -> bytes:
    """An animated PNG, of which OpenCV keeps several pictures."""
    return png(colour=2, more=chunk(b"acTL", struct.pack(">II", frames, 0)))


def jpeg(side: int = SIDE, scans: int = 0, subsampling: int = 0, **options: object) -> bytes:
    """Grey paper in colour; progressive, the last scan may come ``scans`` times more."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 200, 200)).save(
        out, "JPEG", progressive=True, subsampling=subsampling, **options
    )
    data = out.getvalue()
    return data[:-2] + data[data.rfind(b"\xff\xda") : -2] * scans + data[-2:]


def jpeg_of_two_sizes(side: int = SIDE) -> bytes:
    """A few hundred bytes; a second frame header at their end says 8x8."""
    data = bytearray(cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))[1].tobytes())
    at = data.find(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, side, side)
    return bytes(data[:-2] + b"\xff\xc0" + struct.pack(">HBHHBBBB", 11, 8, 8, 8, 1, 1, 0x11, 0) + data[-2:])


def tiff(
    side: int = SIDE,
    samples: int = 1,
    bits: int = 8,
    *,
    form: int = 1,
    tile: int = 0,
    packing: int = 8,
    more: tuple[tuple[int, int, list[int]], ...] = (),
) -> bytes:
    """All zeros, in one strip or in tiles that all lie in one place; ``form`` 3 is floating point."""
    across = -(-side // tile) if tile else 1
    block = zeros(tile or side, (tile or side) * samples * bits // 8)
    there, sizes = [-1] * across**2, [len(block)] * across**2
    where = [(322, 4, [tile]), (323, 4, [tile]), (324, 4, there), (325, 4, sizes)]
    strip = [(273, 4, there), (278, 4, [side]), (279, 4, sizes)]
    tags = [
        (256, 4, [side]), (257, 4, [side]), (258, 3, [bits] * samples), (259, 3, [packing]),
        (262, 3, [2 if samples > 1 else 1]), (277, 3, [samples]), (339, 3, [form] * samples),
        *(where if tile else strip), *more,
    ]  # fmt: skip
    tags.sort(key=lambda tag: tag[0])
    sizes_of = {1: "B", 3: "H", 4: "I"}
    long = sum(len(values) * struct.calcsize(sizes_of[kind]) for _, kind, values in tags if len(values) > 1)
    begins = 8 + 2 + 12 * len(tags) + 4
    directory, extra = struct.pack("<H", len(tags)), b""
    for tag, kind, values in tags:
        values = [begins + long + 64 if value == -1 else value for value in values]
        data = struct.pack(f"<{len(values)}{sizes_of[kind]}", *values)
        directory += struct.pack("<HHI", tag, kind, len(values))
        if len(data) > 4:
            directory += struct.pack("<I", begins + len(extra))
            extra += data
        else:
            directory += data.ljust(4, b"\0")
    return (b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + extra).ljust(begins + long + 64, b"\0") + block


def webp(side: int = SIDE, frames: int = 1) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("RGB", (side, side), (255 * (n % 2), 0, 0)) for n in range(frames)]
    pictures[0].save(out, "WEBP", method=0, quality=1, save_all=frames > 1, append_images=pictures[1:])
    return out.getvalue()


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (side, side), np.uint8)
