import zipfile
from collections.abc import Callable
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


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("kept") / "t.checkpoint.keras"
    checkpoint.save(kept(small.trained()), ORDER, path)
    return path.read_bytes()


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
        with pytest.raises(ConvertError, match="is damaged, or no checkpoint of these versions .*; delete it"):
            checkpoint.load(path, ORDER)


def changed(member: str, change: Callable[[bytes], bytes], path: Path) -> None:
    """Write the archive anew, with one member changed: its checksums fit again."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    before, content[member] = content[member], change(content[member])
    assert before != content[member]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("training.json", lambda text: text.replace(b'"epoch": 1', b'"epoch": "one"')),
        ("training.json", lambda text: text.replace(b'"held_out_accuracy": 0.5', b'"held_out_accuracy": 0.3')),
        ("training.json", lambda text: text.replace(b'"epochs": [', b'"epochs": [{}, ')),
        ("training.json", lambda text: b"[]"),
        ("training.json", lambda text: b"[" * 100_000),
        ("training.json", lambda text: b"null"),
        ("best.npz", lambda data: b""),
        ("best.npz", lambda data: data[:-100]),
        ("config.json", lambda text: text.replace(b"Dense", b"Tense")),
        ("config.json", lambda text: text.replace(b'"compile_config"', b'"config_of_compile"')),
        ("model.weights.h5", lambda data: data.replace(b"optimizer", b"optimiser")),
        ("model.weights.h5", lambda data: data[:5000]),
    ],
)
def test_a_checkpoint_that_was_changed_by_hand_is_refused(
    member: str, change: Callable[[bytes], bytes], tmp_path: Path, written: bytes
) -> None:
    path = tmp_path / "t.checkpoint.keras"
    path.write_bytes(written)
    changed(member, change, path)
    with pytest.raises(
        ConvertError, match=r"t\.checkpoint\.keras: is damaged, or no checkpoint of these .*; delete it"
    ):
        checkpoint.load(path, ORDER)


def test_damage_of_any_byte_is_refused_or_harmless(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "t.checkpoint.keras"
    rng = np.random.default_rng(1)
    refused = 0
    for place in [*rng.integers(len(written), size=12), *(len(written) - rng.integers(1, 300, size=12))]:
        path.write_bytes(written[:place] + bytes([written[place] ^ 0xFF]) + written[place + 1 :])
        try:
            checkpoint.load(path, ORDER)
        except ConvertError as error:
            refused += "is damaged" in str(error)
    assert refused > 12


def test_what_another_keras_cannot_load_is_refused(
    tmp_path: Path, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Unknown layer")

    path = tmp_path / "t.checkpoint.keras"
    path.write_bytes(written)
    monkeypatch.setattr(small.keras().models, "load_model", fail)
    with pytest.raises(ConvertError, match="no checkpoint of these versions of edge-train and Keras; delete it"):
        checkpoint.load(path, ORDER)


def test_what_is_no_file_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match=r"cannot be read \(Is a directory\); choose another file with -o"):
        checkpoint.load(tmp_path, ORDER)
