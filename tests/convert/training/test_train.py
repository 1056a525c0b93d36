from __future__ import annotations

import json
import multiprocessing
import re
from importlib.resources import files
from pathlib import Path
from time import sleep
from typing import Any

import jsonschema
import numpy as np
import pytest

from convert.classes import CLASSES
from convert.cli import train_main
from convert.evaluation.accuracy import accuracy
from convert.evaluation.verify import Comparison
from convert.load import load
from convert.system.workers import workers
from convert.training import train
from tests.support import small

pytestmark = small.QUIET
PROGRESS = jsonschema.Draft202012Validator(
    json.loads((files("convert") / "schema" / "progress.json").read_text("utf-8"))
)


def untrained_network(outputs: int, name: str) -> Any:
    """The network that is trained, with another last layer."""
    keras, network = small.keras(), train.network()
    return keras.Model(network.input, keras.layers.Dense(outputs, name=name)(network.layers[-2].output))


def test_the_network_is_what_its_docstring_says() -> None:
    small.keras()
    model = train.network()
    assert model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 19)
    assert f"{model.count_params():,} parameters" in (train.network.__doc__ or "")


def interrupt(_: dict[str, float]) -> None:
    raise KeyboardInterrupt


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
    assert f"{out}: 82,523 parameters, reads " in said and "of MNIST's 300 test images, trained in" in said
    assert [line.partition(":")[0] for line in told.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mnist.npz", "t.h5", "t.progress.jsonl"]
    # Interrupted after its first epoch and continued, it ends the same; with another seed it does not.
    data, kept = small.data().limited(200), tmp_path / "2.checkpoint.keras"
    with pytest.raises(KeyboardInterrupt):
        train.train(data, epochs=2, seed=1, on_epoch=interrupt, checkpoint_file=kept)
    seen: list[dict[str, float]] = []
    resumed = train.train(data, epochs=2, seed=1, on_epoch=seen.append, checkpoint_file=kept)
    assert [one["epoch"] for one in seen] == [2] and resumed.kept == len(resumed.epochs) == 2
    written, same = load(out).model.get_weights(), resumed.model.get_weights()
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(written, same, strict=True))
    other = train.train(data, epochs=1, seed=2, on_epoch=lambda _: None).epochs[0]
    assert other["loss"] != pytest.approx(resumed.epochs[0]["loss"], rel=1e-3)
    # Its progress is as described, and what was shown.
    lines = [json.loads(line) for line in (tmp_path / "t.progress.jsonl").read_text("utf-8").splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    for line, shown in zip(lines, told.splitlines(), strict=True):
        PROGRESS.validate(line)
        assert shown.endswith(f"{line['held_out_accuracy']:.2%} of the held-out")
    assert [line["held_out_accuracy"] for line in lines] == [one["held_out_accuracy"] for one in resumed.epochs]
    # The rate rises through the first epoch, then falls to 0; the state stands for the last step's end.
    assert lines[0]["learning_rate"] == pytest.approx(train.PEAK_RATE) and lines[1]["learning_rate"] < 1e-6


def test_a_trained_model_goes_on_and_another_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small.keras()
    mnist, second = small.write_npz(tmp_path / "mnist.npz"), tmp_path / "2.h5"
    first = small.saved(train.network(), tmp_path / "1.h5")
    arguments = ["--data", str(mnist), "--epochs", "1", "--limit", "200"]
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

    monkeypatch.setattr(train, "train", lambda *_, **__: train.Trained(Unsaved(), (), 1))
    monkeypatch.setattr(train, "reads", lambda *_: 0.5)
    capfd.readouterr()
    assert train_main(["-o", str(out), "--data", str(mnist)]) == 1
    assert capfd.readouterr().err == (
        f"edge-train: {out}: cannot be written (No space left on device); choose another file with -o\n"
    )
    assert out.read_bytes() == b"older" and len(list(tmp_path.iterdir())) == 2


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


def test_a_training_reads_as_well_as_the_converter_finds(tmp_path: Path) -> None:
    """One definition: what edge-train prints is what a Comparison has, and the search for the input format."""
    mnist, model = small.data(), small.with_marks()
    outputs = model.predict(mnist.test[..., None] / np.float32(255), verbose=0)
    # Of some images a letter is likelier than any digit; this changes no accuracy.
    outputs[::3, CLASSES.index("letter")] = 99
    shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    found = Comparison(labels=mnist.test_labels, keras=shares, tflite=shares, classes=CLASSES)
    assert found.taken_for_no_digit == pytest.approx(1 / 3)
    assert found.accuracy == accuracy(outputs, CLASSES, mnist.test_labels) > 0.95
    assert train.reads(model, mnist.test, mnist.test_labels) == found.accuracy
    assert small.input_format(model, CLASSES).trials[0].accuracy == pytest.approx(found.accuracy)
    assert train.reads(model, mnist.test, (mnist.test_labels + 1) % 10) < 0.05


def epochs_that_read(*shares: float) -> list[dict[str, float]]:
    return [{"held_out_accuracy": share} for share in shares]


@pytest.mark.parametrize(
    ("shares", "patience", "best", "over"),
    [
        ((0.5,), 1, 1, False), ((0.5, 0.5), 1, 1, True), ((0.5, 0.6), 1, 2, False), ((0.6, 0.5, 0.6), 2, 1, True),
        ((0.6, 0.5, 0.61), 2, 3, False), ((0.9, 0.1, 0.2, 0.3), 4, 1, False), ((0.9, 0.1), None, 1, False),
    ],
)  # fmt: skip
def test_a_training_is_over_when_nothing_has_been_gained_for_so_long(
    shares: tuple[float, ...], patience: int | None, best: int, over: bool
) -> None:
    done = epochs_that_read(*shares)
    assert train.best_epoch(done) == best and train.is_over(done, patience) == over
    assert not train.is_over([], 1)


def test_patience_keeps_the_best_epochs_weights_also_after_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.keras()
    data, seen = small.data().limited(110), []
    # What the held-out digits would say; the weights that said it are noted.
    told = {1: 0.5, 2: 0.7, 3: 0.6, 4: 0.7, 5: 0.9}

    def reads(model: Any, glyphs: np.ndarray, labels: np.ndarray) -> float:
        seen.append(model.get_weights())
        return told[len(seen)]

    monkeypatch.setattr(train, "reads", reads)

    def stop(figures: dict[str, float]) -> None:
        if figures["epoch"] == 3:
            raise KeyboardInterrupt

    kept = {"checkpoint_file": tmp_path / "t.checkpoint.keras", "progress": tmp_path / "t.progress.jsonl"}
    with pytest.raises(KeyboardInterrupt):
        train.train(data, epochs=5, seed=1, patience=2, on_epoch=stop, **kept)
    # Killed between the two files: the checkpoint is ahead by a line.
    lines = kept["progress"].read_text("utf-8").splitlines(keepends=True)
    kept["progress"].write_text("".join(lines[:2]), "utf-8")
    resumed: list[int] = []
    trained = train.train(data, epochs=5, seed=1, patience=2, on_epoch=lambda _: None, on_resume=resumed.append, **kept)
    assert resumed == [3] and (trained.kept, len(trained.epochs)) == (2, 4), "not improved in epochs 3 and 4"
    assert all(np.array_equal(a, b) for a, b in zip(trained.model.get_weights(), seen[1], strict=True))
    assert kept["progress"].read_text("utf-8").startswith("".join(lines))
    assert [json.loads(line)["epoch"] for line in kept["progress"].read_text("utf-8").splitlines()] == [1, 2, 3, 4]
    # It is over: the same command again trains no more.
    again = train.train(data, epochs=5, seed=1, patience=2, on_epoch=lambda _: pytest.fail("trained"), **kept)
    assert again.kept == 2 and np.array_equal(again.model.get_weights()[0], seen[1][0])


def test_the_command_resumes_what_there_is_and_refuses_what_there_is_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small.keras()
    mnist, out = small.write_npz(tmp_path / "mnist.npz"), tmp_path / "t.h5"
    kept = tmp_path / "t.checkpoint.keras"
    arguments = ["-o", str(out), "--data", str(mnist), "--epochs", "2", "--limit", "100", "--patience", "1"]
    capfd.readouterr()
    assert train_main([*arguments, "--resume"]) == 1
    assert capfd.readouterr().err == (
        f"edge-train: {kept}: no such file, so nothing can be continued; leave out --resume\n"
    )
    with monkeypatch.context() as patched:
        patched.setattr(train, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert train_main(arguments) == 130 and kept.exists() and not out.exists()
    content = kept.read_bytes()
    capfd.readouterr()
    assert train_main([*arguments, "--resume", "--seed", "2", "--limit", "90"]) == 1
    assert capfd.readouterr().err == (
        f"edge-train: {kept}: is of a training with --seed, --data or --limit other than here, 2 epochs done;"
        " give the same to continue it, delete it to train anew, or choose another file with -o\n"
    )
    assert train_main([*arguments, "--epochs", "3"]) == 1, "nor is it lost without --resume"
    kept.write_bytes(content[:-100])
    assert train_main([*arguments, "--resume"]) == 1
    assert f"{kept}: is damaged, or no checkpoint of these versions" in capfd.readouterr().err
    kept.write_bytes(content)
    assert train_main([*arguments, "--resume"]) == 0 and not kept.exists()
    said, told = capfd.readouterr()
    assert told == f"epoch 2/2: continued from {kept}\n"
    assert re.match(r"Weights of epoch [12], the best of 2: loss ", said)
    finished = out.read_bytes()
    assert train_main([*arguments, "--resume"]) == 1 and out.read_bytes() == finished
    assert capfd.readouterr().err == (
        f"edge-train: {out}: is finished, it has no checkpoint to continue; train it further with --start {out}"
        " instead of --resume, or leave out --resume to train anew\n"
    )
