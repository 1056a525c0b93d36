"""A picture that is stored rotated or mirrored is shown upright, in every format that has EXIF data."""

import io
import struct
import tracemalloc
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from edge.errors import ImageError
from edge.images import MAX_CHUNKS, MAX_EXIF_BYTES, _avif_orientation, _upright, decode
from edge.web import upload
from tests.support.bombs import chunk

SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}
"""By the EXIF orientation (CIPA DC-008, 4.6.5): the sides of the upright picture where its first stored row and first
stored column lie."""

F = np.full((60, 40), 240, np.uint8)
"""An F of dark ink: no rotation or mirror image of it looks the same."""
F[10:50, 10:14] = F[10:14, 10:30] = F[28:32, 10:24] = 20


def stored(picture: np.ndarray, orientation: int) -> np.ndarray:
    sides = SIDES[orientation]
    if sides[0] in ("left", "right"):
        picture = picture.swapaxes(0, 1)
    flipped = [axis for axis in (0, 1) if sides[axis] in ("bottom", "right")]
    return np.ascontiguousarray(np.flip(picture, flipped))


def exif(orientation: int, order: str = ">", kind: int = 3, before: int = 0) -> bytes:
    """EXIF data of one entry, after ``before`` others (TIFF 6.0, section 2)."""
    entries = struct.pack(f"{order}HHII", 0x010F, 2, 4, 0) * before
    entries += struct.pack(f"{order}HHIHH", 0x0112, kind, 1, orientation, 0)
    start = b"MM\0*" if order == ">" else b"II*\0"
    return start + struct.pack(f"{order}IH", 8, before + 1) + entries + bytes(4)


def transparent(picture: np.ndarray) -> np.ndarray:
    """Black ink on nothing: the picture shows in the alpha channel only."""
    return np.dstack([np.zeros((*picture.shape, 3), np.uint8), 255 - picture])


def jpeg(picture: np.ndarray, block: bytes) -> bytes:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    block = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def png(picture: np.ndarray, block: bytes) -> bytes:
    data = cv2.imencode(".png", picture)[1].tobytes()
    # After the header, which has 25 bytes.
    return data[:33] + chunk(b"eXIf", block) + data[33:]


def png_at_the_end(picture: np.ndarray, block: bytes) -> bytes:
    data = cv2.imencode(".png", picture)[1].tobytes()
    return data[:-12] + chunk(b"eXIf", block) + data[-12:]


def webp_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp(picture: np.ndarray, block: bytes, more: bytes = b"") -> bytes:
    """Lossless, with ``more`` chunks before the EXIF data."""
    colour = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    pixels = cv2.imencode(".webp", colour, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()[12:]
    assert pixels.startswith(b"VP8L")
    # Flags: there is an alpha channel, there are EXIF data.
    flags = 0x10 * (colour.shape[2] == 4) | 0x08
    height, width = colour.shape[:2]
    head = struct.pack("<I", flags) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    chunks = webp_chunk(b"VP8X", head) + pixels + more + webp_chunk(b"EXIF", block)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def tiff(picture: np.ndarray, orientation: int) -> bytes:
    """Uncompressed, one strip."""
    height, width = picture.shape[:2]
    samples = 1 if picture.ndim == 2 else picture.shape[2]
    bits = 8 * picture.itemsize
    pixels = picture.astype(picture.dtype.newbyteorder("<")).tobytes()
    tags = {
        256: width, 257: height, 258: bits if samples == 1 else 8, 259: 1, 262: 1 if samples == 1 else 2,
        273: 16, 274: orientation, 277: samples, 278: height, 279: len(pixels),
        # The fourth sample is alpha.
        **({338: 2} if samples == 4 else {}),
    }  # fmt: skip
    # From byte 8 on, the bits of each sample, where there are four; from byte 16 on, the pixels; then the directory.
    directory = struct.pack("<H", len(tags))
    for tag, value in tags.items():
        count = samples if tag == 258 else 1
        directory += struct.pack("<HHII", tag, 4 if tag == 279 else 3, count, value)
    return (
        b"II*\0" + struct.pack("<I", 16 + len(pixels)) + struct.pack("<4H", *[bits] * 4) + pixels + directory + bytes(4)
    )


def with_orientation(file: Callable[[np.ndarray, bytes], bytes]) -> Callable[[np.ndarray, int], bytes]:
    return lambda picture, orientation: file(picture, exif(orientation))


FILES = {
    "JPEG": (with_orientation(jpeg), F),
    "PNG": (with_orientation(png), F),
    "PNG, EXIF last": (with_orientation(png_at_the_end), F),
    "PNG, 16 bits, EXIF last": (with_orientation(png_at_the_end), F.astype(np.uint16) * 257),
    "PNG, 16 bits": (with_orientation(png), F.astype(np.uint16) * 257),
    "PNG, transparent": (with_orientation(png), transparent(F)),
    "PNG, transparent, EXIF last": (with_orientation(png_at_the_end), transparent(F)),
    "WebP": (with_orientation(webp), F),
    "WebP, transparent": (with_orientation(webp), transparent(F)),
    "TIFF": (tiff, F),
    "TIFF, 16 bits": (tiff, F.astype(np.uint16) * 257),
    "TIFF, transparent": (tiff, transparent(F)),
}


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("kind", FILES)
def test_each_orientation_is_applied(kind: str, orientation: int) -> None:
    file, picture = FILES[kind]
    found = decode(file(stored(picture, orientation), orientation), kind)
    assert found.shape == F.shape and found.flags.c_contiguous
    assert np.abs(found.astype(int) - F).mean() < 6


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("picture", ["grey", "transparent", "colour"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_pillow_says_the_same(kind: str, picture: str, orientation: int) -> None:
    """Of lossy WebP too, which has other chunks."""
    block, out = Image.Exif(), io.BytesIO()
    block[0x0112] = orientation
    shown = {"grey": F, "transparent": transparent(F), "colour": cv2.cvtColor(F, cv2.COLOR_GRAY2BGR)}[picture]
    Image.fromarray(stored(shown, orientation)).save(out, kind, exif=block, quality=90)
    found = decode(out.getvalue(), kind)
    assert found.shape == F.shape
    assert np.abs(found.astype(int) - F).mean() < 6


@pytest.mark.parametrize("orientation", SIDES)
def test_an_avif_is_upright_where_opencv_reads_it(orientation: int) -> None:
    if not features.check("avif"):
        pytest.skip("Pillow writes no AVIF here")
    block, out = Image.Exif(), io.BytesIO()
    block[0x0112] = orientation
    Image.fromarray(stored(F, orientation)).convert("RGB").save(out, "AVIF", exif=block, quality=95)
    try:
        found = decode(out.getvalue(), "page.avif")
    except ImageError as error:
        assert "is an AVIF picture; convert it with: " in str(error)
    else:
        assert found.shape == F.shape and np.abs(found.astype(int) - F).mean() < 6


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirror", [None, 0, 1])
def test_all_turns_of_an_avif(turns: int, mirror: int | None) -> None:
    """First turned anticlockwise, then mirrored: 0 is top to bottom, 1 left to right."""
    boxes = b"\0\0\0\x09irot" + bytes([turns])
    boxes += b"" if mirror is None else b"\0\0\0\x09imir" + bytes([mirror])
    shown = np.rot90(F, turns)
    shown = shown if mirror is None else np.flip(shown, mirror)
    assert np.array_equal(_upright(F.copy(), _avif_orientation(boxes)), shown)


def test_cut_off_boxes_of_an_avif_are_none() -> None:
    for boxes in (b"", b"\0\0\0\x09irot", b"\0\0\0\x0airot\1", b"irot\1"):
        assert _avif_orientation(boxes) == 1


@pytest.mark.parametrize("kind", ["PNG", "PNG, EXIF last", "WebP", "TIFF"])
def test_what_is_sent_to_the_page_is_upright_too(kind: str) -> None:
    file, picture = FILES[kind]
    assert np.abs(upload.decode(file(stored(picture, 6), 6), "picture").astype(int) - F).mean() < 6


# EXIF data that say nothing which can be believed.
DAMAGED = {
    "empty": b"",
    "of another kind": b"no EXIF data at all",
    "cut off in the head": exif(6)[:6],
    "cut off before the entry": exif(6)[:10],
    "cut off in the entry": exif(6)[:16],
    "orientation 0": exif(0),
    "orientation 9": exif(9),
    "orientation 65535": exif(65535),
    "orientation of another type": exif(6, kind=7),
    "directory far outside": b"MM\0*\xff\xff\xff\xff" + exif(6)[8:],
    "directory at the last byte": b"MM\0*" + struct.pack(">I", len(exif(6)) - 1) + exif(6)[8:],
    "65,535 entries": b"MM\0*\0\0\0\x08\xff\xff" + exif(1, before=20)[10:-16],
    "directory in the head": b"II*\0\0\0\0\0" + exif(6, "<")[8:],
}


@pytest.mark.parametrize("file", [png, webp])
@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_exif_data_are_ignored(file: Callable[[np.ndarray, bytes], bytes], kind: str) -> None:
    assert np.array_equal(decode(file(transparent(F), DAMAGED[kind]), kind), F)


@pytest.mark.parametrize("file", [jpeg, png])
@pytest.mark.parametrize("kind", sorted(DAMAGED.keys() - {"orientation of another type"}))
def test_damaged_exif_data_that_opencv_reads_are_ignored(file: Callable[[np.ndarray, bytes], bytes], kind: str) -> None:
    """Those of a JPEG and of a PNG that is not transparent. OpenCV does not look at the type."""
    found = decode(file(F, DAMAGED[kind]), kind)
    assert found.shape == F.shape and np.abs(found.astype(int) - F).mean() < 6


@pytest.mark.parametrize("block", [exif(6, "<"), exif(6, before=30), b"Exif\0\0" + exif(6)])
def test_other_ways_to_write_the_same(block: bytes) -> None:
    assert np.array_equal(decode(webp(stored(F, 6), block), "w"), F)


def test_a_chunk_of_odd_length_is_padded() -> None:
    assert np.array_equal(decode(webp(stored(F, 6), exif(6), webp_chunk(b"XMP ", b"odd")), "w"), F)


def test_a_webp_without_exif_data_is_as_it_is_stored() -> None:
    simple = cv2.imencode(".webp", transparent(F), [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    assert simple[12:16] == b"VP8L"
    assert np.array_equal(decode(simple, "w"), F)


def test_bytes_of_a_picture_are_not_taken_for_exif_data() -> None:
    """Only a chunk counts, not what looks like one within another."""
    assert np.array_equal(decode(webp(F, exif(1), webp_chunk(b"XMP ", webp_chunk(b"EXIF", exif(6)))), "w"), F)
    data = png_at_the_end(transparent(F), exif(1))
    assert np.array_equal(decode(data[:33] + chunk(b"teXt", chunk(b"eXIf", exif(6))) + data[33:], "p"), F)


def test_an_animation_is_its_first_picture_upright() -> None:
    out, first = io.BytesIO(), stored(F, 6)
    block = Image.Exif()
    block[0x0112] = 6
    pictures = [Image.fromarray(picture).convert("RGB") for picture in (first, np.full_like(first, 20))]
    pictures[0].save(out, "WEBP", save_all=True, append_images=pictures[1:], exif=block, lossless=True)
    try:
        found = decode(out.getvalue(), "w")
    except ImageError:
        # OpenCV before 4.11 decodes no animation.
        assert not hasattr(cv2, "Animation")
    else:
        assert found.shape == F.shape and np.abs(found.astype(int) - F).mean() < 6


def test_only_so_many_chunks_are_searched() -> None:
    empty = webp_chunk(b"none", b"")
    near, far = (webp(stored(F, 6), exif(6), empty * count) for count in (MAX_CHUNKS - 10, MAX_CHUNKS))
    assert decode(near, "w").shape == F.shape
    assert decode(far, "w").shape == F.T.shape


def test_large_exif_data_take_no_memory() -> None:
    """The orientation is near the beginning; a chunk may be as long as the file."""
    data = webp(stored(F, 6), exif(6) + bytes(20_000_000))
    tracemalloc.start()
    try:
        assert np.array_equal(decode(data, "w"), F)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000 + MAX_EXIF_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [0, 5, 2**31, 2**32 - 1])
def test_a_lying_length_of_a_chunk_is_harmless(length: int) -> None:
    """A WebP's decoder may refuse it; a PNG's is checked before."""
    data = webp(F, exif(6), webp_chunk(b"XMP ", bytes(8)))
    at = data.index(b"XMP ") + 4
    lying = data[:at] + struct.pack("<I", length) + data[at + 4 :]
    try:
        assert decode(lying, "w").shape in (F.shape, F.T.shape)
    except ImageError as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=80), st.booleans())
def test_random_exif_data_never_crash(noise: bytes, begins_well: bool) -> None:
    block = exif(6)[:8] * begins_well + noise
    assert decode(webp(F, block), "w").shape in (F.shape, F.T.shape)
