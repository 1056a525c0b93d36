"""Reads image files as grey pixels: colour, 16 bits, transparency, EXIF orientation. Also writes images."""

from __future__ import annotations

import shlex
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import ImageError
from edge.system import stderr
from edge.system.files import read_all, write_atomically
from edge.system.process import MAX_IMAGE_PIXELS
from edge.types import Pixels

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Endings of the files that are read in a folder. A file that is named itself may have any ending."""
WRITTEN = SUFFIXES - {".pbm", ".pgm"}
"""Endings of the files that pictures in colour are written into."""

CONVERTED = {
    ".pdf": "is a PDF; make pictures of it with: sudo apt install poppler-utils; pdftoppm -r 300 -png {file} {stem}",
    ".heic": "is a HEIC picture; convert it with: sudo apt install libheif-examples; heif-convert {file} {stem}.jpg",
    ".heif": "is a HEIF picture; convert it with: sudo apt install libheif-examples; heif-convert {file} {stem}.jpg",
    ".avif": "is an AVIF picture; convert it with: sudo apt install libheif-examples; heif-convert {file} {stem}.jpg",
}
"""Ending of files that have to be converted -> what is said of them. Some versions of OpenCV read AVIF."""
BRANDS = {b"avif": ".avif", b"avis": ".avif", b"mif1": ".heif", b"msf1": ".heif"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), ".heic"
)
"""Brands of an ftyp box -> ending. Sources: ISO/IEC 23008-12, annexes A and B; AV1 Image File Format, section 6."""
MAX_FILE_BYTES = 500_000_000
"""Most bytes of a file whose size nobody knows before. Chosen: 100 megapixels of uncompressed colour take 300 MB."""
STRIP = 1_000_000
"""Values that are converted at once. Chosen: a whole picture in a wider type would take several times its memory."""
MAX_CHUNKS = 10_000
"""Most chunks of a PNG or WebP that are searched for EXIF data. Chosen: a large file has 3,000."""
MAX_EXIF_BYTES = 65_533
"""Most bytes of EXIF data that are looked at: as many as the segment of a JPEG has room for (ITU-T T.81, B.2.4.6)."""
NOT_AN_IMAGE = "is not an image that can be read; use JPEG, PNG, TIFF, WebP, BMP or PGM"
"""What an error says of a file that is not an image."""

# JPEG's markers: start of image, start of scan, end of image (ITU-T T.81, B.1.1.3).
_SOI, _SOS, _EOI = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = {b"II*\0": "<", b"MM\0*": ">"}
"""How a TIFF or EXIF data begin, and their byte order for ``struct`` (TIFF 6.0, section 2)."""
_ORIENTATION, _SHORT = 0x0112, 3
"""Tag of the orientation, and the type of its value (TIFF 6.0, sections 2 and 8)."""
_AVIF_ORIENTATIONS = ((1, 4, 2), (8, 5, 7), (3, 2, 4), (6, 7, 5))
"""By quarter turns anticlockwise: the EXIF orientation without a mirror, mirrored top to bottom, and left to right."""
_FLIPS = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
"""The code for ``cv2.flip`` by the EXIF orientation; from 5 on, rows and columns change places first."""


def load(path: str | Path) -> Pixels:
    """The image in a file, upright and grey: (height, width) uint8, luminance, 0 = black, 255 = white.

    A transparent image gets a white or black background, whichever shows more contrast. Raises ImageError.
    """
    try:
        with Path(path).open("rb") as file:
            data = read_all(file, MAX_FILE_BYTES)
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ImageError(f"{path}: cannot be read ({error})") from error
    return decode(data, str(path))


def decode(data: bytes, name: str) -> Pixels:
    """As ``load``, from the bytes of a file; errors call it ``name``."""
    if not data:
        raise ImageError(f"{name}: is empty")
    if damage := _damage(data):
        raise ImageError(f"{name}: {damage}")
    packed = np.frombuffer(data, np.uint8)
    # The usual case, decoded directly to grey: OpenCV applies its luminance weights.
    if not may_be_transparent(data):
        flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
        if not (data.startswith(_PNG) or _is_avif(data)):
            # OpenCV applies the EXIF orientation of a JPEG, too.
            return _eight_bits(_imdecode(packed, flags, name))
        # Not all versions apply that of a PNG, some only if it comes before the pixels, and none that of an AVIF.
        picture = _eight_bits(_imdecode(packed, flags | cv2.IMREAD_IGNORE_ORIENTATION, name))
        return _upright(picture, _avif_orientation(data) if _is_avif(data) else _orientation(_exif(data)))
    # OpenCV applies the orientation of a TIFF here too, but not that of a PNG or WebP.
    picture = _imdecode(packed, cv2.IMREAD_UNCHANGED, name)
    picture = _eight_bits(picture)
    if picture.ndim == 3 and picture.shape[2] == 4:
        picture = composite(picture)
    elif picture.ndim == 3 and picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return _upright(picture, _orientation(_exif(data)))


def composite(picture: Pixels) -> Pixels:
    """(height, width, 4) uint8 BGRA -> grey on a white or black background, whichever spreads the greys more.

    Black ink without a background shows on white; white ink shows on black.
    """

    def laid(part: Pixels) -> Any:
        grey = cv2.cvtColor(part, cv2.COLOR_BGRA2GRAY).astype(np.uint32)
        return (grey * part[..., 3] + 127) // 255

    on_black = _by_strips(laid, picture, picture.shape[:2])
    # On white: grey * alpha + 255 * (1 - alpha).
    on_white = on_black + ~picture[..., 3]
    return on_white if _spread(on_white) >= _spread(on_black) else on_black


def _imdecode(packed: Pixels, flags: int, name: str) -> Pixels:
    try:
        with stderr.silence_opencv():
            picture = cv2.imdecode(packed, flags)
    except cv2.error as error:
        # OpenCV raises this for images above its limit of pixels, or if memory is short.
        raise ImageError(f"{name}: is too large; reduce it to at most {MAX_IMAGE_PIXELS:,} pixels") from error
    if picture is None:
        raise ImageError(f"{name}: {why_not(packed.tobytes(), name)}")
    if picture.shape[0] * picture.shape[1] > MAX_IMAGE_PIXELS:
        # As a library, edge does not set that limit.
        raise ImageError(f"{name}: is too large; reduce it to at most {MAX_IMAGE_PIXELS:,} pixels")
    return picture


def why_not(data: bytes, name: str) -> str:
    """What is said of a file that cannot be decoded: the command that converts it, if its kind is known."""
    kind = ".pdf" if data.startswith(b"%PDF-") else ""
    if data[4:8] == b"ftyp":
        # mif1 may be any of them: the brands after it say more.
        kinds = [BRANDS[data[at : at + 4]] for at in (8, 16, 20, 24, 28) if data[at : at + 4] in BRANDS]
        kind = next((one for one in kinds if one != ".heif"), kinds[0] if kinds else "")
    if not kind:
        return NOT_AN_IMAGE
    # What came through stdin or a browser is no file here.
    file, stem = (name, Path(name).stem) if Path(name).is_file() else ("FILE", "page")
    return CONVERTED[kind].format(file=shlex.quote(file), stem=shlex.quote(stem))


def _exif(data: bytes) -> bytes:
    """EXIF data of a PNG or WebP, from its chunks; empty if there are none.

    Sources: PNG specification (third edition), 5.3 and "eXIf"; WebP container specification, "Metadata".
    """
    if data.startswith(_PNG):
        at, png = len(_PNG), True
    elif _is_webp(data):
        at, png = 12, False
    else:
        return b""
    for _ in range(MAX_CHUNKS):
        first, second = data[at : at + 4], data[at + 4 : at + 8]
        length, kind = (int.from_bytes(first, "big"), second) if png else (int.from_bytes(second, "little"), first)
        at += 8
        if kind in (b"eXIf", b"EXIF"):
            # Some programs write the marker of a JPEG's EXIF segment here too.
            return data[at : at + min(length, MAX_EXIF_BYTES)].removeprefix(b"Exif\0\0")
        # A PNG has a CRC after each chunk; WebP pads chunks to an even length.
        at += length + (4 if png else length % 2)
        if at >= len(data):
            break
    return b""


def _orientation(exif: bytes) -> int:
    """The orientation in EXIF data, 1 to 8 (CIPA DC-008, 4.6.5); 1, upright, if there is none or they are damaged."""
    order = _TIFF.get(exif[:4])
    if order is None:
        return 1
    try:
        start = struct.unpack_from(f"{order}I", exif, 4)[0]
        # The 16-bit count cannot lead further than the end of the data: unpack_from raises struct.error there.
        for at in range(start + 2, start + 2 + 12 * struct.unpack_from(f"{order}H", exif, start)[0], 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        # The directory, or an entry of it, lies outside the data.
        pass
    return 1


def _avif_orientation(data: bytes) -> int:
    """As ``_orientation``, of an AVIF: its boxes irot and imir (ISO/IEC 23008-12, 6.5.10 and 6.5.12)."""

    def value(box: bytes) -> int | None:
        # The size of the whole box is 9 bytes.
        at = data.find(b"\0\0\0\x09" + box, 0, MAX_EXIF_BYTES)
        return data[at + 8] & 3 if 0 <= at < len(data) - 8 else None

    mirror = value(b"imir")
    return _AVIF_ORIENTATIONS[value(b"irot") or 0][0 if mirror is None else 1 + (mirror & 1)]


def _is_avif(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis")


def _upright(picture: Pixels, orientation: int) -> Pixels:
    """A grey picture as its EXIF orientation wants it shown. May change ``picture`` itself, to save memory."""
    if orientation >= 5:
        picture = cv2.transpose(picture)
    return cv2.flip(picture, _FLIPS[orientation], picture) if orientation in _FLIPS else picture


def _eight_bits(picture: np.ndarray) -> Pixels:
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype == np.uint16 and picture.max() > 4095:
        # 65535 / 257 = 255; 257 is odd, so no value lies halfway between two greys.
        return _by_strips(lambda part: (part.astype(np.uint32) + 128) // 257, picture, picture.shape)
    # 12-bit cameras also store 16 bits, but their brightest pixel is at most 4095.
    return _stretched(picture)


def _stretched(picture: np.ndarray) -> Pixels:
    """Any other range, such as floating point or 12 bits in 16: the image's minimum becomes 0, its maximum 255."""
    parts = (_real(picture[rows]) for rows in _strips(picture))
    ends = [(float(part.min()), float(part.max())) for part in parts]
    low, high = min(least for least, _ in ends), max(most for _, most in ends)
    scale = 255 / max(high - low, 1e-9)
    return _by_strips(lambda part: ((_real(part) - low) * scale).round(), picture, picture.shape)


def _real(part: np.ndarray) -> Any:
    # Not nan_to_num: it warns if tflite-runtime has made an ARM processor treat denormal numbers as 0.
    real = part.astype(np.float32)
    return np.where(np.isfinite(real), real, np.float32(0))


def _strips(picture: np.ndarray) -> Iterator[slice]:
    """Slices of the rows, each of about STRIP values."""
    rows = max(1, STRIP // picture[0].size)
    return (slice(top, top + rows) for top in range(0, len(picture), rows))


def _by_strips(shade: Callable[[np.ndarray], Any], picture: np.ndarray, shape: tuple[int, ...]) -> Pixels:
    """Apply ``shade``, which gives 0 to 255, to a picture strip by strip; returns uint8 of this shape."""
    made = np.empty(shape, np.uint8)
    for rows in _strips(picture):
        made[rows] = shade(picture[rows])
    return made


def _spread(grey: Pixels) -> float:
    return float(cv2.meanStdDev(grey)[1].item())


def _damage(data: bytes) -> str | None:
    """What is wrong with a JPEG or PNG, or None. OpenCV would fill the missing part with grey and only warn."""
    if data.startswith(_SOI) and data.rfind(_EOI) < data.rfind(_SOS):
        # An embedded thumbnail has its own end marker, but before the scan of the main image.
        return "is cut off; copy it again"
    if data.startswith(_PNG):
        return _png_damage(data)
    return None


def _png_damage(data: bytes) -> str | None:
    """What is wrong with a PNG, or None, by its chunks: length, type, data, CRC (PNG specification, 5.3)."""
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
    """Whether the format can be transparent: PNG with an alpha colour type or a tRNS chunk, WebP, TIFF."""
    if data.startswith(_PNG):
        # Byte 25 is the colour type: 4 grey with alpha, 6 colour with alpha (PNG specification, 11.2.2).
        return data[25] in (4, 6) or b"tRNS" in data[:4096]
    return _is_webp(data) or data[:4] in _TIFF


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def save(picture: Pixels, path: Path) -> None:
    """Write a grey or BGR image atomically, in the format of the path's ending. Raises ImageError."""
    try:
        write_atomically(path, cv2.imencode(path.suffix, picture)[1].tobytes())
    except OSError as error:
        raise ImageError(
            f"{path}: cannot be written ({error.strerror}); free some space or name another folder"
        ) from error
