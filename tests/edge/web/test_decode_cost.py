"""The memory to decode a picture is found from its head, agrees with other programs, and is never too low."""

import io
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.errors import ImageError
from edge.web.decode_cost import MAX_SCANS, decode_cost
from tests.support import bombs


def saved(mode, kind, **options):
    out = io.BytesIO()
    Image.new(mode, (70, 30)).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("L", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        *((mode, "PNG", {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *((mode, "TIFF", {}) for mode in ("1", "L", "P", "RGB", "RGBA", "I;16", "F")),
        *(("RGB", "TIFF", {"compression": packing}) for packing in ("tiff_lzw", "tiff_deflate", "packbits")),
        ("RGB", "WEBP", {}),
        ("RGB", "WEBP", {"lossless": True}),
        ("RGBA", "WEBP", {"exif": b"Exif\0\0"}),
        *((mode, "BMP", {}) for mode in ("1", "L", "RGB", "RGBA")),
        *((mode, "PPM", {}) for mode in ("1", "L", "RGB", "I;16")),
    ],
)
def test_width_and_height_are_those_that_pillow_wrote(mode, kind, options):
    found = decode_cost(saved(mode, kind, **options), "p")
    assert (found.width, found.height) == (70, 30) and found.decoded_bytes >= 2 * 70 * 30


@pytest.mark.parametrize(("colour", "depth", "channels"), [(0, 8, 1), (0, 16, 2), (2, 8, 1), (4, 8, 4), (6, 16, 8)])
def test_the_two_copies_of_opencv_are_counted(colour, depth, channels):
    data = bombs.png(depth, colour, side=64)
    assert decode_cost(data, "p").decoded_bytes == 2 * 64 * 64 * channels
    alpha = colour in (4, 6)
    flags = cv2.IMREAD_UNCHANGED if alpha else cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
    assert decode_cost(data, "p").decoded_bytes == 2 * cv2.imdecode(np.frombuffer(data, np.uint8), flags).nbytes


def test_the_coefficients_of_a_progressive_jpeg_are_counted():
    pixels = 640 * 640
    assert decode_cost(cv2.imencode(".jpg", bombs.noise(640))[1].tobytes(), "p").decoded_bytes == 2 * pixels
    # Two bytes for each coefficient: three full planes, or one full plane and two of half the width and height.
    assert decode_cost(bombs.jpeg(640), "p").decoded_bytes == pixels + 2 * 3 * pixels
    assert decode_cost(bombs.jpeg(640, subsampling=2), "p").decoded_bytes == pixels + 2 * 1.5 * pixels


def test_the_number_of_scans_is_limited():
    # Pillow writes ten scans itself.
    assert decode_cost(bombs.jpeg(64, scans=MAX_SCANS - 10), "p").width == 64
    with pytest.raises(ImageError, match=r"^p: has 65 scans or more, .*save it as a non-progressive"):
        decode_cost(bombs.jpeg(64, scans=MAX_SCANS - 9), "p")


def test_only_scans_of_the_picture_itself_are_counted(page):
    """Not those in a thumbnail, in a comment, or in the video that telephones append to a picture."""
    data = cv2.imencode(".jpg", page("2"))[1].tobytes()
    noise = b"\xff\xda" * 100
    within = data[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(noise)) + noise + data[2:]
    assert decode_cost(within + noise, "p") == decode_cost(data, "p")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xd8" + b"\xff\xfe\0\x02" * 20_000 + b"\xff\xd9", "more than 10,000 segments"),
        (bombs.png(side=8, more=bombs.chunk(b"tEXt", b"") * 20_000), "more than 10,000 segments"),
        (bombs.jpeg_of_two_sizes(), "has two sizes"),
        (bombs.film(), "is an animation"),
        (bombs.webp(16, frames=2), "is an animation"),
        (saved("RGB", "TIFF", compression="jpeg"), "is a TIFF with a compression"),
        # The values of all tags overlap in the file.
        (bombs.tiff(8, more=tuple((40_000 + n, 1, [0] * 5000) for n in range(3)))[:12_000], "is not an image"),
        (b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 256, 16, 1, 8), "is not an image"),
        (b"P5 0 8 255\n", "is not an image"),
        (b"GIF89a", "is not an image"),
        (b"RIFF\0\0\0\0WAVE", "is not an image"),
        (b"", "is not an image"),
    ],
)
def test_what_is_not_read_gives_a_one_line_error(data, says):
    with pytest.raises(ImageError, match=f"^p: .*{says}") as error:
        decode_cost(data, "p")
    assert "\n" not in str(error.value)


def test_a_tile_larger_than_the_picture_counts():
    assert decode_cost(bombs.tiff(100, samples=3, tile=1600), "p").decoded_bytes > 1600 * 1600 * 3


KINDS = [saved("RGB", kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "PPM")]


@given(st.sampled_from(KINDS), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8), st.data())
def test_broken_heads_never_crash(whole, changes, chance):
    data = bytearray(whole)
    for at, byte in changes:
        data[at % len(data)] = byte
    try:
        decode_cost(bytes(data[: chance.draw(st.integers(0, len(data)))]), "p")
    except ImageError as error:
        assert "\n" not in str(error)


def test_a_larger_picture_may_have_fewer_scans():
    decode_cost(bombs.jpeg(800, scans=40), "a.jpg")
    with pytest.raises(ImageError, match="a.jpg: has .* scans or more, too many for its size"):
        decode_cost(bombs.jpeg(4000, scans=40), "a.jpg")
    with pytest.raises(ImageError, match="a.jpg: has 65 scans or more"):
        decode_cost(bombs.jpeg(64, scans=80), "a.jpg")
