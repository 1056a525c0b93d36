"""Drawn signs have the strokes that people give them."""

from __future__ import annotations

import numpy as np
import pytest

from convert.data.marks import extent
from convert.samples.scenes.signs import DRAWN


@pytest.mark.parametrize("sign", DRAWN)
def test_a_sign_has_ink(sign: str) -> None:
    for seed in range(10):
        strokes = DRAWN[sign](np.random.default_rng(seed))
        assert max(extent(strokes)) > 0.2 and all(stroke.dtype == np.float32 for stroke in strokes)


def test_a_division_sign_is_a_line_between_two_dots() -> None:
    line, above, below = DRAWN["÷"](np.random.default_rng(2))
    assert above[:, 1].max() < line[:, 1].min() and below[:, 1].min() > line[:, 1].max()
