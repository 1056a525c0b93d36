import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import images
from edge.errors import ImageError
from edge.images import composite, decode, load, save


@pytest.fixture
def grey() -> np.ndarray:
    """An F of dark ink: no turn or mirror of it looks the same."""
    picture = np.full((60, 40), 240, np.uint8)
    picture[10:50, 10:14] = picture[10:14, 10:30] = picture[28:32, 10:24] = 20
    return picture


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tiff", ".pgm", ".webp"])
def test_lossless_formats_give_back_their_pixels(tmp_path: Path, grey: np.ndarray, ending: str) -> None:
    cv2.imwrite(str(tmp_path / f"f{ending}"), grey, [cv2.IMWRITE_WEBP_QUALITY, 101])
    assert np.abs(load(tmp_path / f"f{ending}").astype(int) - grey).max() <= 1


def test_jpeg(grey: np.ndarray) -> None:
    assert np.abs(decode(cv2.imencode(".jpg", grey)[1].tobytes(), "f").astype(int) - grey).mean() < 4


def test_colour_is_luminance() -> None:
    colour = np.zeros((4, 4, 3), np.uint8)
    colour[...] = (200, 100, 50)  # BGR
    found = decode(cv2.imencode(".png", colour)[1].tobytes(), "c")
    # ITU-R BT.601: Y = 0.299 R + 0.587 G + 0.114 B
    assert found[0, 0] == pytest.approx(0.299 * 50 + 0.587 * 100 + 0.114 * 200, abs=1)


def test_sixteen_bits_and_floats(grey: np.ndarray) -> None:
    assert np.array_equal(decode(cv2.imencode(".png", grey.astype(np.uint16) * 257)[1].tobytes(), "x"), grey)
    twelve = decode(cv2.imencode(".png", grey.astype(np.uint16) * 16)[1].tobytes(), "x")
    assert twelve.min() == 0 and twelve.max() == 255
    floats = decode(cv2.imencode(".tiff", grey.astype(np.float32) / 255)[1].tobytes(), "x")
    assert floats.dtype == np.uint8 and floats.min() == 0 and floats.max() == 255


@pytest.mark.parametrize("ink", [0, 255])
def test_transparency_is_laid_on_what_shows_the_ink(grey: np.ndarray, ink: int) -> None:
    picture = np.full((*grey.shape, 4), ink, np.uint8)
    picture[..., 3] = 255 - grey
    found = decode(cv2.imencode(".png", picture)[1].tobytes(), "t")
    assert abs(int(found[30, 12]) - int(found[55, 35])) > 180


def test_each_grey_is_rounded_to_the_nearest() -> None:
    """All values there are, as floating point has them."""
    greys = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(decode(cv2.imencode(".png", greys)[1].tobytes(), "x"), (greys / 257).round())
    grey, alpha = np.meshgrid(np.arange(256), np.arange(256))
    papers = [np.round(grey * (alpha / 255) + paper * (1 - alpha / 255)) for paper in (255, 0)]
    found = composite(np.dstack([grey, grey, grey, alpha]).astype(np.uint8))
    assert np.array_equal(found, max(papers, key=np.std))


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.slow
def test_a_picture_takes_no_more_than_its_decoder_does(kind: type, channels: int) -> None:
    """OpenCV has it twice for a moment; a few working copies in a wider type would be many times that."""
    shape = (1200, 1500, channels) if channels > 1 else (1200, 1500)
    picture = np.linspace(0, 65535, int(np.prod(shape))).astype(kind).reshape(shape)
    data = cv2.imencode(".png" if kind is np.uint16 else ".tiff", picture)[1].tobytes()
    tracemalloc.start()
    try:
        decode(data, "x")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The strips are of a million values: float32, and what is made of them.
    assert peak < 2 * picture.nbytes + 16_000_000


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_bomb_is_refused() -> None:
    """100,000 x 100,000 pixels that would unpack from a few bytes."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
    with pytest.raises(ImageError, match=r"bomb.png: is too large; reduce it to at most 100,000,000 pixels"):
        decode(bomb, "bomb.png")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello, this is text", "not an image that can be read"),
        (b"\xff\xd8\xff", "not an image that can be read"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
    ],
)
def test_what_is_no_image_is_one_line(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=words) as error:
        load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_cut_off_file_is_said_to_be(
    grey: np.ndarray, ending: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    data = cv2.imencode(ending, np.tile(grey, (4, 4)))[1].tobytes()
    with pytest.raises(ImageError, match="cut off|no image"):
        decode(data[: int(len(data) * share)], "half")
    assert capfd.readouterr().err == ""


def test_a_damaged_png_is_said_to_be(grey: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(cv2.imencode(".png", grey)[1].tobytes())
    data[60] ^= 0xFF
    with pytest.raises(ImageError, match="damaged"):
        decode(bytes(data), "p")
    assert capfd.readouterr().err == ""


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        load(tmp_path / "none.png")
    with pytest.raises(ImageError, match="cannot be read"):
        load(tmp_path)


def test_a_file_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_FILE_BYTES", 3_000_000)
    with pytest.raises(ImageError, match=r"/dev/zero: cannot be read \(it is larger than 3 MB\)"):
        load("/dev/zero")


@given(st.binary(max_size=300))
def test_random_bytes_never_crash(data: bytes) -> None:
    try:
        assert decode(data, "r").dtype == np.uint8
    except ImageError as error:
        assert "\n" not in str(error)


def test_save_is_whole_or_not_at_all(tmp_path: Path, grey: np.ndarray) -> None:
    save(grey, tmp_path / "f.png")
    assert np.array_equal(load(tmp_path / "f.png"), grey)
    with pytest.raises(ImageError, match="cannot be written"):
        save(grey, tmp_path / "none" / "f.png")
    assert [path.name for path in tmp_path.iterdir()] == ["f.png"]
