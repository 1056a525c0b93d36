from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.model import classifier as room
from edge.model.card import Card, Output
from edge.model.classifier import Model, packaged_model, probabilities
from edge.model.runtime import interpreter_class
from tests.support import files


@pytest.mark.parametrize(
    "glyphs", [np.zeros((28, 28), np.uint8), np.zeros((1, 28, 27), np.uint8), np.zeros((1, 28, 28), np.float32)]
)
def test_what_is_no_glyph_is_refused(glyphs: np.ndarray) -> None:
    with pytest.raises(ValueError, match=re.escape("they must be (n, 28, 28) uint8")):
        Model().predict(glyphs)


def test_no_glyphs_give_no_probabilities() -> None:
    assert Model().predict(np.zeros((0, 28, 28), np.uint8)).shape == (0, len(files.card().labels))


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as refused:
        Model(path)
    text = str(refused.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and len(text) < 400
    return text


def test_wrong_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(files.BARE + Card(labels=("a", "b")).archive())
    assert f"has {len(files.card().labels)} outputs for 2 labels (a, b)" in refusal(path)


def test_a_file_without_a_card_is_to_be_adopted_if_it_has_other_outputs(tmp_path: Path) -> None:
    path = tmp_path / "their m.tflite"
    path.write_bytes(files.BARE)
    outputs = len(files.card().labels)
    assert f"has {outputs} outputs, not 10 for the digits 0 to 9; edge-convert adopt '{path}', on a" in refusal(path)


@pytest.mark.parametrize(("outputs", "words"), [(1, "has 1 output, but"), (1001, "has 1,001 outputs, as"), (12, "")])
def test_some_numbers_of_outputs_are_never_of_digits(outputs: int, words: str) -> None:
    assert room.no_digits(outputs).startswith(words) and bool(room.no_digits(outputs)) == bool(words)


def test_missing_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.tflite")
    assert "cannot be read" in refusal(tmp_path)
    for name, content, complaint in [("empty", b"", "is empty"), ("text", b"hello world", "is not a .tflite model")]:
        (tmp_path / name).write_bytes(content)
        assert complaint in refusal(tmp_path / name)


@pytest.mark.skipif(
    not find_spec("ai_edge_litert"), reason="tflite-runtime crashes at such files; edge.model.trial bears it"
)
def test_garbage_and_a_file_cut_short_anywhere_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + np.random.default_rng(1).bytes(5000))
    assert "refuses it" in refusal(path)
    for length in np.linspace(9, len(files.BARE) - 1, 25).astype(int):
        path.write_bytes(files.BARE[:length])
        assert "refuses it" in refusal(path)


def test_a_card_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    archive = Card(name="x").archive()
    for length in range(60, len(archive), 40):
        path.write_bytes(files.BARE + archive[:length])
        assert "is damaged" in refusal(path)


def test_a_model_that_fails_on_a_digit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> None:
        raise RuntimeError("div.cc: data[i] != 0 was not true.\nNode 3 (DIV) failed")

    with Model() as model:
        monkeypatch.setattr(room, "run_each", fails)
        with pytest.raises(ModelError, match=r"mnist\.tflite: fails on a digit \(div\.cc: .* failed\); use another"):
            model.predict(np.zeros((1, 28, 28), np.uint8))


def test_an_unknown_runtime_is_named() -> None:
    with pytest.raises(ModelError, match="no TFLite runtime .no_such_runtime.; pip install ai-edge-litert"):
        interpreter_class("no_such_runtime")


def test_the_runtimes_greeting_stays_off_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    Model()
    assert capfd.readouterr() == ("", "")


def test_no_tensorflow_is_needed() -> None:
    program = (
        "import sys; from edge.model.classifier import Model; Model();"
        "assert not {'tensorflow', 'keras', 'convert'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_packaged_model_is_one_of_these_two() -> None:
    root = Path(__file__).parents[3]
    assert packaged_model() in (root / "edge/models/mnist.tflite", root / "models/mnist.tflite")


@pytest.mark.parametrize("meaning", ["logits", "probabilities"])
def test_a_temperature_makes_it_less_sure_but_no_other(meaning: Output) -> None:
    logits = np.array([[2.0, 1.0, -3.0], [0.0, 0.5, 5.0]], np.float32)
    outputs = logits if meaning == "logits" else np.exp(logits)
    plain, cold, hot = (probabilities(outputs, meaning, temperature) for temperature in (1.0, 0.5, 2.0))
    assert np.allclose(hot, np.exp(logits / 2) / np.exp(logits / 2).sum(axis=1, keepdims=True), atol=1e-6)
    assert (hot.max(axis=1) < plain.max(axis=1)).all() and (plain.max(axis=1) < cold.max(axis=1)).all()
    for found in (plain, cold, hot):
        assert np.allclose(found.sum(axis=1), 1, atol=1e-6) and found.argmax(axis=1).tolist() == [0, 2]


@pytest.mark.parametrize(("shares", "chosen"), [((1.0, 0.6), 2), ((1.0, 0.9), 1), ((1.0, 1.4), 1)])
def test_two_threads_are_taken_where_they_gain_enough(monkeypatch, shares: tuple[float, float], chosen: int) -> None:
    now = [0.0]
    real = room.interpreter_class()

    def timed(*, num_threads: int, **given):  # type: ignore[no-untyped-def]
        made = real(num_threads=num_threads, **given)
        invoke = made.invoke

        def slow() -> None:
            invoke()
            now[0] += shares[num_threads - 1]

        made.invoke = slow
        return made

    monkeypatch.setattr(room, "interpreter_class", lambda runtime: timed)
    monkeypatch.setattr(room.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(room.os, "cpu_count", lambda: 4)
    glyphs = np.random.default_rng(1).integers(0, 255, (3, 28, 28), np.uint8)
    with Model(threads=0) as model, Model(threads=1) as one:
        assert (model.threads, one.threads) == (chosen, 1)
        assert np.allclose(model.predict(glyphs), one.predict(glyphs), atol=1e-3)
    monkeypatch.setattr(room.os, "cpu_count", lambda: 1)
    with Model(threads=0) as model:
        assert model.threads == 1
