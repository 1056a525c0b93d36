from __future__ import annotations

import multiprocessing
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest

from convert.classes import CLASSES
from convert.cli import train_main
from convert.load import load
from convert.samples import augment
from convert.system.workers import workers
from convert.training import train
from tests.support import small

pytestmark = small.QUIET


def untrained_network(outputs: int, name: str) -> Any:
    """The network that is trained, with another last layer."""
    keras, network = small.keras(), train.network()
    return keras.Model(network.input, keras.layers.Dense(outputs, name=name)(network.layers[-2].output))


def test_the_network_is_what_its_docstring_says() -> None:
    small.keras()
    model = train.network()
    assert model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 19)
    assert f"{model.count_params():,} parameters" in (train.network.__doc__ or "")


def test_the_command_writes_one_whole_file_that_follows_its_seed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    small.keras()
    mnist, out = small.write_npz(tmp_path / "mnist.npz"), tmp_path / "t.h5"
    out.write_bytes(b"older")
    capfd.readouterr()
    arguments = ["-o", str(out), "--data", str(mnist), "--epochs", "2", "--limit", "200", "--seed", "1"]
    assert train_main(arguments) == 0
    said, told = capfd.readouterr()
    assert f"{out}: 82,523 parameters, reads " in said and "of 300 test images" in said
    assert [line.partition(":")[0] for line in told.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mnist.npz", "t.h5"]
    written = load(out).model.get_weights()
    same, other = (
        train.train(small.data().limited(200), epochs=2, seed=seed, on_epoch=lambda *_: None).get_weights()
        for seed in (1, 2)
    )
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(written, same, strict=True))
    assert not all(np.allclose(a, b, atol=1e-2) for a, b in zip(written, other, strict=True))


def test_a_trained_model_goes_on_and_another_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small.keras()
    mnist, first, second = small.write_npz(tmp_path / "mnist.npz"), tmp_path / "1.h5", tmp_path / "2.h5"
    arguments = ["--data", str(mnist), "--epochs", "1", "--limit", "200"]
    assert train_main(["-o", str(first), *arguments]) == 0
    assert train_main(["-o", str(second), "--start", str(first), *arguments]) == 0
    start, there, untrained = load(first).model.get_weights(), load(second).model.get_weights(), train.network()
    moved, apart = (
        sum(float(np.abs(a - b).sum()) for a, b in zip(there, other, strict=True) if a.ndim == 4)
        for other in (start, untrained.get_weights())
    )
    assert 0 < moved < 0.2 * apart
    otherwise = untrained_network(19, "_".join(reversed(CLASSES)))
    for model in (small.with_none(), small.with_marks(), otherwise):
        other = small.saved(model, tmp_path / "other.h5")
        capfd.readouterr()
        assert train_main(["-o", str(second), "--start", str(other), *arguments]) == 1
        assert capfd.readouterr().err == (
            f"edge-train: {other}: is not the network that edge-train trains; leave out --start to train a new one\n"
        )


def test_a_model_of_digits_and_none_gets_the_other_classes(tmp_path: Path) -> None:
    small.keras()
    eleven = untrained_network(11, "digit_or_none")
    mnist, start, out = (
        small.write_npz(tmp_path / "mnist.npz"), small.saved(eleven, tmp_path / "11.h5"), tmp_path / "19.h5",
    )  # fmt: skip
    arguments = ["--data", str(mnist), "--epochs", "1", "--limit", "200"]
    assert train_main(["-o", str(out), "--start", str(start), *arguments]) == 0
    assert load(out).labels == CLASSES
    before, after = load(start).model.get_weights()[-2], load(out).model.get_weights()[-2]
    assert after.shape == (len(before), 19)
    # One epoch moves the weights little.
    assert np.corrcoef(before[:, :10].ravel(), after[:, :10].ravel())[0, 1] > 0.9
    assert all(np.corrcoef(before[:, 10], after[:, i])[0, 1] > 0.9 for i in range(10, 19))


def test_a_training_that_fails_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    small.keras()
    mnist, out = small.write_npz(tmp_path / "mnist.npz"), tmp_path / "t.h5"
    out.write_bytes(b"older")

    class Unsaved:
        def save(self, path: Path, include_optimizer: bool) -> None:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(train, "train", lambda *_, **__: Unsaved())
    monkeypatch.setattr(train, "accuracy", lambda *_: 0.5)
    capfd.readouterr()
    assert train_main(["-o", str(out), "--data", str(mnist)]) == 1
    assert capfd.readouterr().err == (
        f"edge-train: {out}: cannot be written (No space left on device); choose another file with -o\n"
    )
    assert out.read_bytes() == b"older" and len(list(tmp_path.iterdir())) == 2


def test_shares_are_the_same_on_any_number_of_cores() -> None:
    glyphs = small.data().train[:20]
    with workers(1) as alone:
        one = train.in_parallel(augment.varied, glyphs, [1, 0], alone)
    with workers(3) as three:
        other = train.in_parallel(augment.varied, glyphs, [1, 0], three)
    assert np.array_equal(one, other) and one.shape == glyphs.shape
    parts = np.array_split(glyphs, 16)
    assert np.array_equal(one[:2], augment.varied(parts[0], [1, 0, 0]))


def test_workers_are_gone_when_the_work_is_given_up() -> None:
    with pytest.raises(KeyboardInterrupt), workers(1) as pool:
        assert pool.submit(np.ones, 3).result().tolist() == [1, 1, 1]
        job = pool.submit(sleep, 60)
        assert job.process.is_alive() and multiprocessing.active_children()
        raise KeyboardInterrupt
    assert not multiprocessing.active_children() and not job.process.is_alive()


def test_work_given_up_while_arrays_are_under_way_ends_at_once() -> None:
    for delay in (0.0, 0.3, 0.6, 0.9):
        with pytest.raises(KeyboardInterrupt), workers(1) as pool:
            pool.submit(np.tile, np.zeros((40, 1 << 20), np.uint8), 2)
            sleep(delay)
            raise KeyboardInterrupt
    assert not multiprocessing.active_children()


def test_a_worker_that_fails_is_noticed(capfd: pytest.CaptureFixture[str]) -> None:
    with workers(1) as pool, pytest.raises(ChildProcessError, match="exit status 1"):
        pool.submit(np.ones, "three").result()
    assert "TypeError" in capfd.readouterr().err


def test_accuracy_is_the_share_read_right() -> None:
    mnist = small.data()
    assert train.accuracy(small.trained(), mnist.test, mnist.test_labels) > 0.95
    assert train.accuracy(small.trained(), mnist.test, (mnist.test_labels + 1) % 10) < 0.05
