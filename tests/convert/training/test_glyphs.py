from __future__ import annotations

import numpy as np
import pytest

from convert.classes import NO_DIGIT
from convert.samples import augment
from convert.system.workers import workers
from convert.training import glyphs
from tests.support import small


def test_shares_are_the_same_on_any_number_of_cores_and_here(monkeypatch: pytest.MonkeyPatch) -> None:
    some = small.data().train[:20]
    with workers(0) as nobody:
        here = glyphs.in_parallel(augment.varied, some, [1, 0], nobody)
    monkeypatch.setattr(glyphs, "FEW", 0)
    with workers(1) as alone:
        one = glyphs.in_parallel(augment.varied, some, [1, 0], alone)
    with workers(3) as three:
        other = glyphs.in_parallel(augment.varied, some, [1, 0], three)
    assert np.array_equal(one, other) and np.array_equal(one, here) and one.shape == some.shape
    parts = np.array_split(some, 16)
    assert np.array_equal(one[:2], augment.varied(parts[0], [1, 0, 0]))


def test_an_epoch_has_each_training_image_and_those_that_are_no_digits() -> None:
    data = small.data().limited(60)
    parts = glyphs.Glyphs(data, seed=1, also=None, marks_folder=None)
    (found, classes), (_, next_classes) = parts.epochs(3, 5)
    assert len(found) == len(classes) == len(parts) and found.dtype == np.uint8
    counts = np.bincount(classes)
    assert counts[NO_DIGIT] == round(glyphs.NONDIGIT_SHARE * 60) and (counts[:10] >= 6).all()
    assert sorted(classes) == sorted(next_classes) and not np.array_equal(classes, next_classes), "in another order"
