"""A page of one digit may be as coarse as a scanned form."""

from __future__ import annotations

import numpy as np
import pytest

from convert.data.mnist import load_mnist
from convert.samples.scenes import plain
from convert.samples.scenes.sheet import UNCLEAR, UNREAD, Sheet
from convert.samples.scenes.writers import Writers
from tests.support import written


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Writers:
    folder = written.data(tmp_path_factory.mktemp("data") / "data")
    return Writers.load(folder / "marks", load_mnist(str(folder / "mnist.npz")), held_out=False)


def sheets(writers: Writers, coarse: float) -> list[Sheet]:
    """Sheets of one digit, this share of them coarse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "COARSE_SHARE", coarse)
        return [plain.one_digit(writers, np.random.default_rng(seed))[0] for seed in range(30)]


def test_a_coarse_digit_has_no_soft_edges_and_its_ink_is_its_own(writers: Writers) -> None:
    for sheet in sheets(writers, 1.0):
        ink, own = sheet.ink > 0, sheet.ids == 1
        assert set(np.unique(sheet.ink)) == {0, 255} and sheet.ids.dtype == np.int16
        assert sheet.ids.shape == sheet.ink.shape == sheet.printed.shape
        both = (ink & own).sum()
        assert both > 0.6 * own.sum() and both > 0.6 * ink.sum()
        (label,) = sheet.labels[1:]
        assert label == UNCLEAR or label.lstrip(UNREAD).isdecimal()


def test_coarse_digits_are_small_and_often_as_wide_as_tall(writers: Writers) -> None:
    shapes = []
    for sheet in sheets(writers, 1.0):
        left, top, right, bottom = sheet.box() or (0, 0, 0, 0)
        shapes.append((right - left, bottom - top))
    wide, tall = np.array(shapes).T
    assert tall.max() < 50
    assert 10 <= (np.abs(wide - tall) <= 2).sum() < 30
    assert (wide <= plain.WIDER * tall).all()


def test_other_digits_have_soft_edges(writers: Writers) -> None:
    assert all(len(np.unique(sheet.ink)) > 2 for sheet in sheets(writers, 0.0))
