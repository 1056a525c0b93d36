from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.data import photographs
from edge.errors import DataError, ImageError
from edge.reading.reader import Reader
from edge.types import Pixels
from tests.support import candidates

Page = Callable[..., Pixels]


def digits(glyphs: Pixels, reader: Reader) -> str:
    return "".join(map(str, reader.model.predict(glyphs).argmax(axis=1)))


def test_all_digits_of_a_folder_come_in_the_order_of_its_files(tmp_path: Path, page: Page, reader: Reader) -> None:
    (tmp_path / "fours").mkdir()
    cv2.imwrite(str(tmp_path / "page10.png"), page("58"))
    cv2.imwrite(str(tmp_path / "page9.JPG"), page("203", "46", seed=2))
    cv2.imwrite(str(tmp_path / "fours" / "1.png"), page("44", light_ink=True))
    (tmp_path / "labels.csv").write_text("file,text\n")
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "old.png").write_bytes(b"no image")
    found = photographs.glyphs(tmp_path)
    assert found.shape == (9, 28, 28) and found.dtype == np.uint8
    assert digits(found, reader) == "44" + "20346" + "58"
    assert np.array_equal(found, photographs.glyphs(tmp_path))


def test_crops_as_small_as_mnist_are_photographs_too(tmp_path: Path, page: Page, reader: Reader) -> None:
    (crop,) = photographs.glyphs(_folder(tmp_path / "page", page("3")))
    cv2.imwrite(str(tmp_path / "3.png"), crop)
    cv2.imwrite(str(tmp_path / "4.png"), cv2.bitwise_not(crop))
    (tmp_path / "page" / "0.png").unlink()
    assert digits(photographs.glyphs(tmp_path), reader) == "33"


def _folder(folder: Path, *pictures: Pixels) -> Path:
    folder.mkdir()
    for i, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{i}.png"), picture)
    return folder


def test_a_scribble_is_left_out(tmp_path: Path, page: Page, reader: Reader) -> None:
    picture = page("258")
    star = [(60, 400), (160, 460), (60, 460), (160, 400), (110, 380), (110, 470), (50, 430), (170, 430)]
    cv2.polylines(picture, [np.array(star, np.int32)], False, 50, 5, cv2.LINE_AA)
    assert len(reader.analyse(picture).candidates) == 4, "it is a mark of a digit's size"
    assert digits(photographs.glyphs(_folder(tmp_path / "page", picture)), reader) == "258"


@pytest.mark.parametrize(("letter", "none", "kept"), [(0.0, 0.01, True), (0.3, 0.2, True), (0.4, 0.4, False)])
def test_only_what_is_surely_no_digit_is_left_out(letter: float, none: float, kept: bool) -> None:
    mark = candidates.candidate(others=candidates.others(letter=letter, none=none))
    assert photographs.may_be_digit(mark) is kept


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, page: Page) -> None:
    folder = _folder(tmp_path / "photos", page("7"))
    (folder / "broken.jpg").write_bytes(b"GIF89a")
    with pytest.raises(ImageError, match=r"broken\.jpg: is not an image that can be read") as error:
        photographs.glyphs(folder)
    assert "\n" not in str(error.value)


def test_a_folder_without_images_or_digits_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing: no such folder; give one with photographs"):
        photographs.glyphs(tmp_path / "missing")
    (tmp_path / "notes.txt").write_text("7")
    with pytest.raises(DataError, match=r"no image in this folder; put photographs or crops .* \.jpg"):
        photographs.glyphs(tmp_path)
    with pytest.raises(DataError, match=r"notes\.txt: no such folder"):
        photographs.glyphs(tmp_path / "notes.txt")
    blank = np.full((480, 640), 200, np.uint8)
    with pytest.raises(DataError, match="found no digit in its image; try one with edge read"):
        photographs.glyphs(_folder(tmp_path / "one", blank))
    with pytest.raises(DataError, match="found no digit in any of its 2 images;"):
        photographs.glyphs(_folder(tmp_path / "two", blank, blank))


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_real_photographs_give_as_many_digits_as_are_written_there(data: Path, kind: str) -> None:
    folder = data / "photos" / kind
    if not folder.is_dir():
        pytest.skip("no photographs there")
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as lines:
        written = sum(sum(map(str.isdecimal, row["text"])) for row in csv.DictReader(lines))
    found = photographs.glyphs(folder)
    assert abs(len(found) - written) <= 0.05 * written
    assert found.any(axis=(1, 2)).all()
