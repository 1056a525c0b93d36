"""Whose model a command opens: another's is tried first, in a process of its own."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.cli import main
from edge.commands.arguments import model_of
from edge.errors import ModelError
from edge.images import save
from edge.model import trial
from edge.settings import load_settings
from tests.support import files

pytestmark = files.QUIET


def open_model(path: str | Path) -> str:
    with model_of(load_settings(None, {"model": str(path)})) as model:
        return model.name


@pytest.mark.parametrize("command", ["read", "tune", "bench"])
def test_a_model_that_crashes_the_runtime_is_one_line(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(files.crashing())
    (tmp_path / "labels.csv").write_text("file,text\nx.png,1\n")
    save(np.full((64, 64), 255, np.uint8), tmp_path / "x.png")
    # What the converter said that made the file.
    capfd.readouterr()
    given = {"read": ["x.png"], "tune": [str(tmp_path / "labels.csv")], "bench": []}[command]
    assert main([command, *given, "--model", str(path)]) == 1
    _, err = capfd.readouterr()
    assert err == f"edge: {path}: crashes the TFLite runtime (SIGSEGV); use another model, or convert this one again\n"


def test_one_that_reads_badly_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(files.with_card(replace(files.card(), name="bad", paper=1.0, ink=0.0)))
    assert open_model(path).startswith("bad ")


@pytest.mark.slow
def test_one_that_is_fed_by_guess_and_reads_badly_is_opened_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tf = pytest.importorskip("tensorflow")
    path = tmp_path / "m.tflite"
    path.write_bytes(files.tflite(lambda x: tf.reshape(x, (1, 784))[:, :10]))
    caplog.clear()
    assert open_model(path).startswith("m ")
    assert [record.message.count(f"edge-convert adopt {path}, on a workstation") for record in caplog.records] == [1]


def test_the_packaged_one_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(trial, "try_model", fail)
    (tmp_path / "copy.tflite").write_bytes(files.GOOD)
    assert open_model("") == open_model(str(tmp_path / "copy.tflite"))


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match="pipe: is not a file; "):
        open_model(tmp_path / "pipe")
