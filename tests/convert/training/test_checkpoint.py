from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.training import checkpoint
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
