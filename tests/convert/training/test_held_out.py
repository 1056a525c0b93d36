import numpy as np
import pytest

from convert.data.mnist import Mnist
from convert.training import held_out
from edge.errors import DataError
from tests.support import small


def test_what_is_held_out_is_not_trained_on_not_even_twice() -> None:
    data = small.data()
    # The third image again, as the twelfth: that one is held out.
    data = Mnist(data.train.copy(), data.train_labels, data.test, data.test_labels)
    data.train[11] = data.train[2]
    parts = held_out.split(data)
    held = {glyph.tobytes() for glyph in parts.test}
    assert not held & {glyph.tobytes() for glyph in parts.train} and data.train[2].tobytes() in held
    assert len(parts.test) == len(parts.test_labels) == 110 and len(parts.train) < 1200 - 110
    assert set(parts.test_labels) == set(range(10)), "of each digit, although they come in turn"
    assert np.array_equal(parts.test[:10], held_out.split(data.limited(110)).test), "the same of fewer images"
    assert not held & {glyph.tobytes() for glyph in data.test}


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_left_to_train_on_is_refused(count: int) -> None:
    with pytest.raises(DataError, match="--data: has no training image besides those that are held out, every 11th; "):
        held_out.split(small.data().limited(count))
