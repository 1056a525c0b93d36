from pathlib import Path

import numpy as np
import pytest

from edge.errors import DataError
from tests.scoreboard.digit_sets import MARGIN, SOURCES, load_digits

BY_NAME = {source.name: source for source in SOURCES}


def place(folder: Path, file: str, **arrays: np.ndarray) -> None:
    (folder / "digits").mkdir(exist_ok=True)
    np.savez(folder / "digits" / file, **arrays)


def test_a_missing_set_is_none(tmp_path: Path) -> None:
    assert load_digits(tmp_path, BY_NAME["usps"]) is None


def test_zeros_and_ones_become_bytes_and_get_a_margin(tmp_path: Path) -> None:
    bars = np.zeros((2, 16, 16), np.uint8)
    bars[:, :, 6:9] = 1
    place(tmp_path, "semeion.npz", x=bars, y=np.array([1, 1], np.uint8))
    found = load_digits(tmp_path, BY_NAME["semeion"])
    assert found is not None
    assert set(np.unique(found.pictures)) == {0, 255}
    frames = list(found.frames())
    assert frames[0].shape == (16 + 2 * MARGIN, 16 + 2 * MARGIN)
    assert not frames[0][:MARGIN].any()
    glyphs = found.glyphs()
    assert glyphs.shape == (2, 28, 28)
    assert np.flatnonzero(glyphs[0].max(axis=1) > 127).size == pytest.approx(20, abs=1)


def test_dark_ink_is_cleaned_first(tmp_path: Path) -> None:
    pictures = np.full((1, 40, 40), 210, np.uint8)
    pictures[0, 8:32, 18:22] = 60
    place(tmp_path, "nsysu_dev.npz", x=pictures, y=np.array([1]))
    found = load_digits(tmp_path, BY_NAME["nsysu_dev"])
    assert found is not None
    glyph = found.glyphs()[0]
    assert glyph[14, 14] > 200
    assert glyph[:, :8].max() == 0
    assert next(found.frames()).shape == (40, 40)


def test_floating_point_is_stretched(tmp_path: Path) -> None:
    pictures = np.linspace(-1, 1, 256, dtype=np.float32).reshape(1, 16, 16)
    place(tmp_path, "usps.npz", x_test=pictures, y_test=np.array([3]))
    found = load_digits(tmp_path, BY_NAME["usps"])
    assert found is not None
    assert (found.pictures.min(), found.pictures.max()) == (0, 255)


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"x": np.zeros((2, 28, 28), np.uint8)}, "no whole"),
        ({"x": np.zeros((2, 28, 28), np.uint8), "y": np.array([1, 2, 3])}, "shape"),
        ({"x": np.zeros((2, 784), np.uint8), "y": np.array([1, 2])}, "shape"),
        ({"x": np.zeros((2, 28, 28), np.uint8), "y": np.array([1, 10])}, "0 to 9"),
        ({"x": np.zeros((2, 28, 28), np.uint8), "y": np.array(["a", "b"])}, "0 to 9"),
    ],
)
def test_a_wrong_set_is_one_line(tmp_path: Path, arrays: dict[str, np.ndarray], word: str) -> None:
    place(tmp_path, "hwd1000.npz", **arrays)
    with pytest.raises(DataError, match=word) as caught:
        load_digits(tmp_path, BY_NAME["hwd1000"])
    assert "\n" not in str(caught.value)


def test_a_file_of_something_else_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "usps.npz").write_bytes(b"no zip at all")
    with pytest.raises(DataError, match=r"usps\.npz: no whole"):
        load_digits(tmp_path, BY_NAME["usps"])
