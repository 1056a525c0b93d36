from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.data.mnist import Mnist
from convert.training import checkpoint, train
from convert.training.checkpoint import Checkpoint
from edge.errors import ConvertError
from tests.support import small

pytestmark = small.QUIET
ORDER = {"seed": 1, "epochs": 5}


def kept(model: Any) -> Checkpoint:
    epochs = ({"epoch": 1, "held_out_accuracy": 0.5}, {"epoch": 2, "held_out_accuracy": 0.4})
    return Checkpoint(model, epochs, [array + 1 for array in model.get_weights()])


def test_what_is_kept_comes_back_with_its_optimizer(tmp_path: Path) -> None:
    model = small.trained()
    path = tmp_path / "t.checkpoint.keras"
    checkpoint.save(kept(model), ORDER, path)
    again = checkpoint.load(path, ORDER)
    assert again is not None and again.epochs == kept(model).epochs
    weights = model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(weights, again.model.get_weights(), strict=True))
    assert all(np.array_equal(a + 1, b) for a, b in zip(weights, again.best, strict=True))
    assert int(again.model.optimizer.iterations) == int(model.optimizer.iterations) > 0
    assert [other.name for other in tmp_path.iterdir()] == ["t.checkpoint.keras"]


def test_no_file_begins_anew_and_another_training_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "t.checkpoint.keras"
    assert checkpoint.load(path, ORDER) is None
    checkpoint.save(kept(small.trained()), ORDER, path)
    with pytest.raises(ConvertError, match="of a training with --epochs, --seed other than here, 2 epochs done; give"):
        checkpoint.load(path, {"seed": 2, "epochs": 4})
    model_alone = small.saved(small.trained(), tmp_path / "model.keras")
    for content in (path.read_bytes()[:1000], b"", model_alone.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ConvertError, match="is no checkpoint of this version of edge-train; delete it"):
            checkpoint.load(path, ORDER)


def test_an_interrupted_training_ends_as_it_would_have(tmp_path: Path) -> None:
    small.keras()
    data: Mnist = small.data().limited(100)
    kept = tmp_path / "t.checkpoint.keras"

    def stop(figures: dict[str, float]) -> None:
        if figures["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.train(data, epochs=3, seed=1, on_epoch=stop, checkpoint_file=kept)
    epochs: list[float] = []
    resumed = train.train(
        data, epochs=3, seed=1, on_epoch=lambda one: epochs.append(one["epoch"]), checkpoint_file=kept
    )
    assert epochs == [3] and resumed.kept == len(resumed.epochs) == 3
    straight = train.train(data, epochs=3, seed=1, on_epoch=lambda _: None)
    for a, b in zip(resumed.model.get_weights(), straight.model.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-4)
    for one, other in zip(resumed.epochs, straight.epochs, strict=True):
        assert one["held_out_accuracy"] == other["held_out_accuracy"] and one["learning_rate"] == other["learning_rate"]
