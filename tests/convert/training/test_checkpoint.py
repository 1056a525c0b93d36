from pathlib import Path

import numpy as np
import pytest

from convert.data.mnist import Mnist
from convert.training import checkpoint, train
from tests.support import small

pytestmark = small.QUIET
ORDER = {"seed": 1}


def test_what_is_kept_comes_back_with_its_optimizer(tmp_path: Path) -> None:
    model = small.trained()
    path = tmp_path / "t.checkpoint.keras"
    checkpoint.save(model, 3, ORDER, path)
    again, done = checkpoint.load(path, ORDER)
    assert done == 3
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights(), strict=True))
    assert int(again.optimizer.iterations) == int(model.optimizer.iterations) > 0
    assert [other.name for other in tmp_path.iterdir()] == ["t.checkpoint.keras"]


def test_another_training_or_no_file_starts_afresh(tmp_path: Path) -> None:
    path = tmp_path / "t.checkpoint.keras"
    assert checkpoint.load(path, ORDER) == (None, 0)
    checkpoint.save(small.trained(), 3, ORDER, path)
    assert checkpoint.load(path, {"seed": 2}) == (None, 0)
    path.write_bytes(path.read_bytes()[:1000])
    assert checkpoint.load(path, ORDER) == (None, 0)


def test_an_interrupted_training_ends_as_it_would_have(tmp_path: Path) -> None:
    small.keras()
    data: Mnist = small.data().limited(100)
    kept = tmp_path / "t.checkpoint.keras"

    def stop(done: int, _: dict[str, float]) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.train(data, epochs=3, seed=1, on_epoch=stop, checkpoint_file=kept)
    epochs: list[int] = []
    resumed = train.train(data, epochs=3, seed=1, on_epoch=lambda done, _: epochs.append(done), checkpoint_file=kept)
    assert epochs == [3]
    straight = train.train(data, epochs=3, seed=1, on_epoch=lambda *_: None)
    for a, b in zip(resumed.get_weights(), straight.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-4)
