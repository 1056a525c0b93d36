"""Drums of a meter and scales: their digits are marks, and bars, cases and ticks are none."""

from __future__ import annotations

import numpy as np
import pytest

from convert.data.mnist import load_mnist
from convert.samples.scenes import instruments
from convert.samples.scenes.layouts import LAYOUTS
from convert.samples.scenes.sheet import Sheet
from convert.samples.scenes.writers import Writers
from tests.support import written


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Writers:
    folder = written.data(tmp_path_factory.mktemp("data") / "data")
    return Writers.load(folder / "marks", load_mnist(str(folder / "mnist.npz")), held_out=False)


def test_drums_are_digits_in_dark_windows_of_a_light_case(writers: Writers) -> None:
    assert LAYOUTS["drums"].light_ink == 1, "its ink is lighter than the windows"
    bars = 0
    for seed in range(20):
        sheet, hand = instruments.drums(writers, np.random.default_rng(seed))
        assert len(sheet.labels) > 1 and all(label.lstrip("?").isdecimal() for label in sheet.labels[1:])
        case = sheet.printed[0, 0]
        assert case >= 110 and (sheet.printed[[0, -1]] == case).all() and (sheet.printed[:, [0, -1]] == case).all()
        windows = sheet.printed < case
        left, top, right, bottom = sheet.box() or (0, 0, 0, 0)
        middle = windows[(top + bottom) // 2]
        assert middle[left:right].mean() > 0.6 and hand.height <= bottom - top + 40
        bars += int(np.diff(middle.astype(int)).clip(min=0).sum()) - 1
    assert bars > 20, "bars stand between the windows"


def test_a_scale_has_ticks_that_are_no_marks(writers: Writers) -> None:
    ticks, numbered = 0, 0
    for seed in range(20):
        sheet, _ = instruments.scale(writers, np.random.default_rng(seed))
        assert sheet.printed.max() >= 60
        alone = (sheet.printed > 0) & (sheet.ink == 0)
        assert alone.sum() > 0.5 * (sheet.printed > 0).sum() and not sheet.ids[alone].any()
        ticks += len(runs(sheet))
        numbered += len(sheet.labels) > 4
    assert ticks > 100 and numbered > 5


def runs(sheet: Sheet) -> list[int]:
    """Where ticks begin along the row or the column that has most of them."""
    best: list[int] = []
    for printed in (sheet.printed, sheet.printed.T):
        starts = np.diff((printed > 0).astype(int), axis=1) > 0
        row = starts[int(starts.sum(axis=1).argmax())]
        best = max(best, np.flatnonzero(row).tolist(), key=len)
    return best
