"""An image file -> grey pixels: colour, 16-bit, transparency, EXIF orientation; or one clear line why not."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import ImageError
from edge.system import stderr
from edge.types import Pixels

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Files with these endings are looked for in a folder; a file named outright may have any."""

MAX_PIXELS = 100_000_000
"""More is no photograph of digits, but a mistake or a decompression bomb."""
STRIP = 1_000_000
"""So many values are worked on at once: a whole picture in a wider type would be many times what it is."""

_NOT_AN_IMAGE = "is no image that can be read; JPEG, PNG, TIFF, WebP, BMP and PGM are"
_SOI, _SOS, _EOI = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_PNG = b"\x89PNG\r\n\x1a\n"


def load(path: str | Path) -> Pixels:
    """The file's picture as luminance, upright, (height, width) uint8, 0 = black, 255 = white.

    Transparent pictures are laid on white or on black, whichever shows more. Raises ImageError.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from error
    return decode(data, str(path))


def decode(data: bytes, name: str) -> Pixels:
    """As ``load``, from the bytes of a file; ``name`` is what errors call it."""
    if not data:
        raise ImageError(f"{name}: is empty")
    if damage := _damage(data):
        raise ImageError(f"{name}: {damage}")
    packed = np.frombuffer(data, np.uint8)
    # One decoding in the usual case: straight to grey, by OpenCV's own luminance weights, EXIF orientation applied.
    if not may_be_transparent(data):
        picture = _imdecode(packed, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH, name)
        return _eight_bits(picture)
    picture = _imdecode(packed, cv2.IMREAD_UNCHANGED, name)
    picture = _eight_bits(picture)
    if picture.ndim == 3 and picture.shape[2] == 4:
        return composite(picture)
    if picture.ndim == 3 and picture.shape[2] == 3:
        return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return picture


def composite(picture: Pixels) -> Pixels:
    """(height, width, 4) uint8 BGRA -> grey, laid on white or on black, whichever spreads the greys more.

    Black ink on nothing shows on white; white ink on nothing shows on black.
    """

    def laid(part: Pixels) -> Any:
        grey = cv2.cvtColor(part, cv2.COLOR_BGRA2GRAY).astype(np.uint32)
        return (grey * part[..., 3] + 127) // 255

    on_black = _by_strips(laid, picture, picture.shape[:2])
    # As much lighter as the paper shines through: grey * alpha + 255 * (1 - alpha).
    on_white = on_black + ~picture[..., 3]
    return on_white if _spread(on_white) >= _spread(on_black) else on_black


def _imdecode(packed: Pixels, flags: int, name: str) -> Pixels:
    try:
        with stderr.opencv():
            picture = cv2.imdecode(packed, flags)
    except cv2.error as error:
        # OpenCV refuses pictures over its own limit of pixels so.
        raise ImageError(f"{name}: {_NOT_AN_IMAGE}") from error
    if picture is None:
        raise ImageError(f"{name}: {_NOT_AN_IMAGE}")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise ImageError(f"{name}: has {picture.shape[1]} x {picture.shape[0]} pixels; at most {MAX_PIXELS:,} are read")
    return picture


def _eight_bits(picture: np.ndarray) -> Pixels:
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype == np.uint16 and picture.max() > 4095:
        # 65535 / 257 = 255, and 257 is odd: nothing lies halfway.
        return _by_strips(lambda part: (part.astype(np.uint32) + 128) // 257, picture, picture.shape)
    # 12-bit cameras store 16 bits too, and their brightest pixel is far below.
    return _stretched(picture)


def _stretched(picture: np.ndarray) -> Pixels:
    """Any other range, floating point or 12 bits in 16: its own minimum is 0 and its maximum is 255."""
    parts = (_real(picture[rows]) for rows in _strips(picture))
    ends = [(float(part.min()), float(part.max())) for part in parts]
    low, high = min(least for least, _ in ends), max(most for _, most in ends)
    scale = 255 / max(high - low, 1e-9)
    return _by_strips(lambda part: ((_real(part) - low) * scale).round(), picture, picture.shape)


def _real(part: np.ndarray) -> Any:
    # Not nan_to_num, which warns where tflite-runtime has told an ARM processor to take the smallest numbers for 0.
    real = part.astype(np.float32)
    return np.where(np.isfinite(real), real, np.float32(0))


def _strips(picture: np.ndarray) -> Iterator[slice]:
    """The picture's rows, a few at a time."""
    rows = max(1, STRIP // picture[0].size)
    return (slice(top, top + rows) for top in range(0, len(picture), rows))


def _by_strips(shade: Callable[[np.ndarray], Any], picture: np.ndarray, shape: tuple[int, ...]) -> Pixels:
    """What ``shade`` makes of a picture, 0 to 255, as uint8 of this shape."""
    made = np.empty(shape, np.uint8)
    for rows in _strips(picture):
        made[rows] = shade(picture[rows])
    return made


def _spread(grey: Pixels) -> float:
    return float(cv2.meanStdDev(grey)[1].item())


def _damage(data: bytes) -> str | None:
    """What is wrong with a JPEG or PNG, or None. OpenCV would fill up with grey and only warn."""
    if data.startswith(_SOI) and data.rfind(_EOI) < data.rfind(_SOS):
        # A thumbnail has an end of its own, but before the picture's scan.
        return "is cut off; copy it again"
    if data.startswith(_PNG):
        return _png_damage(data)
    return None


def _png_damage(data: bytes) -> str | None:
    """Walks the chunks: length, type, data, CRC (PNG specification, 5.3)."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(memoryview(data)[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return "is damaged; copy it again"
        if kind == b"IEND":
            return None
        at = end + 4
    return "is cut off; copy it again"


def may_be_transparent(data: bytes) -> bool:
    """PNG of a colour type with alpha or with a tRNS chunk, WebP with an alpha chunk, TIFF; not JPEG, BMP, PGM."""
    if data.startswith(_PNG):
        # Byte 25 is the colour type: 4 grey with alpha, 6 colour with alpha (PNG specification, 11.2.2).
        return data[25] in (4, 6) or b"tRNS" in data[:4096]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return True
    return data[:4] in (b"II*\0", b"MM\0*")


def save(picture: Pixels, path: Path) -> None:
    """Write a picture, grey or BGR, in the format of the path's ending: whole, by rename. Raises ImageError."""
    half = path.with_name(f".{path.name}.part")
    try:
        half.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise ImageError(
            f"{path}: cannot be written ({error.strerror}); free some space or name another folder"
        ) from error
