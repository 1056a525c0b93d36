"""Marks as strokes: loaded, held out by writer, drawn with a pen of any width at any size."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.data.marks import draw, extent, fit, is_held_out, load_mark_pictures, load_marks
from edge.errors import DataError

CORNER = [np.array([[0, 0], [0, 40], [20, 40]], np.float32)]
"""An L, 20 wide and 40 tall."""


def saved(folder: Path) -> Path:
    np.savez(
        folder / "few.npz", points=np.array([[0, 0], [0, 9], [3, 3], [5, 5], [9, 9]], np.int16),
        stroke_start=[0, 2, 3, 5], sample_start=[0, 2, 3], y=["7", '\\"'], writer=["tr01", "tr02"],
    )  # fmt: skip
    return folder


def test_the_held_out_eighth_never_changes() -> None:
    """Figures of different days compare only if the same writers are held out: CRC-32 of the name, divisible by 8."""
    assert [writer for writer in (f"tr{n:02}" for n in range(40)) if is_held_out(writer)] == [
        "tr01", "tr15", "tr22", "tr29", "tr36",
    ]  # fmt: skip


def test_marks_are_loaded_by_mark_stroke_and_writer(tmp_path: Path) -> None:
    marks = load_marks(saved(tmp_path), "few")
    assert marks is not None
    assert marks.labels == ("7", '"')
    assert marks.held_out.tolist() == [True, False]
    assert [stroke.tolist() for stroke in marks.strokes(0)] == [[[0, 0], [0, 9]], [[3, 3]]]
    assert [stroke.tolist() for stroke in marks.strokes(1)] == [[[5, 5], [9, 9]]]
    assert not marks.looks_like_digit.any()


def test_a_missing_set_is_none_and_a_damaged_one_an_error(tmp_path: Path) -> None:
    assert load_marks(tmp_path, "few") is None
    assert load_mark_pictures(tmp_path, "few") is None
    (tmp_path / "few.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"few.npz: no whole .npz with points"):
        load_marks(tmp_path, "few")
    np.savez(tmp_path / "few.npz", x=np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(DataError, match="x, y"):
        load_mark_pictures(tmp_path, "few")


def test_pictures_become_light_on_black_and_each_eighth_is_held_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "bhmsds.npz", x=np.full((17, 3, 3), 250, np.uint8), y=["1"] * 17)
    found = load_mark_pictures(tmp_path, "bhmsds")
    assert found is not None
    assert found.pictures.max() == 5
    assert np.flatnonzero(found.held_out).tolist() == [0, 8, 16]


@pytest.mark.parametrize("size", [12, 40, 200])
@pytest.mark.parametrize("pen", [1, 2.5, 9])
def test_ink_has_the_size_and_the_pen(size: float, pen: float) -> None:
    ink = draw(CORNER, size, pen)
    _, _, width, height = cv2.boundingRect((ink > 127).astype(np.uint8))
    assert height == pytest.approx(size, abs=1.5)
    assert width == pytest.approx((size - pen) / 2 + pen, abs=1.5)
    # The upright stroke, where nothing else is.
    if size > 3 * pen:
        assert ink[ink.shape[0] // 2].sum() / 255 == pytest.approx(pen, abs=0.6)


def test_a_dot_is_as_large_as_the_pen() -> None:
    ink = draw([np.array([[5, 5]], np.float32)], 3, 6)
    assert ink.sum() / 255 == pytest.approx(np.pi * 9, rel=0.15)


def test_strokes_are_slanted_turned_and_stretched_to_the_same_size() -> None:
    upright = [np.array([[0, 0], [0, 40]], np.float32)]
    assert extent(fit(upright, 80)) == pytest.approx((0, 80))
    assert extent(fit(upright, 80, turn=90)) == pytest.approx((80, 0), abs=0.01)
    leaning = fit(upright, 80, slant=0.5)
    assert leaning[0][0, 0] == pytest.approx(40)
    assert leaning[0][1, 0] == 0
    assert extent(fit(CORNER, 80, stretch=1.5)) == pytest.approx((60, 80))


def test_wobble_bends_a_stroke_and_is_as_random_as_its_generator() -> None:
    upright = [np.stack([np.zeros(20), np.arange(20)], 1).astype(np.float32)]
    one, same = (fit(upright, 80, wobble=0.05, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one[0], same[0])
    assert 0.5 < extent(one)[0] < 20
