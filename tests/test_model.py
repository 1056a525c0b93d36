from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge import model as room
from edge.card import Card, Output
from edge.errors import ModelError
from edge.model import Model, feed, image_shape, interpreter_class, packaged_model, probabilities

pytestmark = small.QUIET
SHAPES = [(28, 28, 1), (28, 28), (784,), (28, 28, 3), (32, 32, 3), (20, 20, 1), (1024,)]


def by_hand(content: bytes, inputs: np.ndarray) -> np.ndarray:
    """The outputs as TensorFlow's own interpreter gives them, for real-valued inputs."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for given_input in inputs:
        if first["dtype"] is not np.float32:
            scale, zero = first["quantization"]
            limits = np.iinfo(first["dtype"])
            given_input = np.clip(np.round(given_input / scale + zero), limits.min, limits.max)
        interpreter.set_tensor(first["index"], given_input.reshape(first["shape"]).astype(first["dtype"]))
        interpreter.invoke()
        row = interpreter.get_tensor(last["index"]).reshape(-1).astype(np.float32)
        if last["dtype"] is not np.float32:
            scale, zero = last["quantization"]
            row = (row - zero) * scale
        rows.append(row)
    return np.stack(rows)


@pytest.fixture(scope="module")
def float_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("float") / "m.tflite"
    path.write_bytes(small.float_tflite(small.trained(), (28, 28, 1)))
    return path


@pytest.mark.parametrize("io", ["uint8", "int8", "float32"])
def test_it_predicts_what_tensorflows_interpreter_does(io: str, tmp_path: Path, float_file: Path) -> None:
    glyphs = small.data().test[:50]
    if io == "float32":
        content = float_file.read_bytes()
    else:
        content = small.quantised(small.trained(), "int8", io)
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    expected = by_hand(content, glyphs.astype(np.float32)[..., None] / 255)
    with Model(path) as model:
        found_here = model.predict(glyphs)
    assert found_here.dtype == np.float32 and found_here.shape == (50, 10)
    np.testing.assert_allclose(found_here.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found_here, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)
    assert (found_here.argmax(axis=1) == small.data().test_labels[:50]).mean() > 0.9


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape_of_input_is_fed(shape: tuple[int, ...], tmp_path: Path) -> None:
    content = small.float_tflite(small.untrained(shape), shape)
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    glyphs = small.data().test[:4]
    model = Model(path)
    assert model.input_shape == (1, *shape)
    image = image_shape(model.input_shape, "m")
    table = np.arange(256, dtype=np.float32) / 255
    inputs = feed(glyphs, image, table).reshape(len(glyphs), *shape)
    np.testing.assert_allclose(model.predict(glyphs), by_hand(content, inputs), atol=1e-5)


def test_a_glyph_of_the_models_own_size_is_fed_unchanged() -> None:
    glyphs = small.data().test[:2]
    fed = feed(glyphs, (28, 28, 3), np.arange(256))
    assert all(np.array_equal(fed[..., channel], glyphs) for channel in range(3))


@given(arrays(np.uint8, (28, 28)), st.integers(8, 64), st.integers(8, 64))
def test_a_resized_glyph_keeps_its_range(glyph: np.ndarray, height: int, width: int) -> None:
    fed = feed(glyph[None], (height, width, 1), np.arange(256))
    assert fed.shape == (1, height, width, 1)
    assert glyph.min() <= fed.min() and fed.max() <= glyph.max()


@pytest.mark.parametrize("size", [(32, 32), (25, 25), (40, 20), (27, 31)])
def test_with_a_margin_a_glyph_keeps_its_size_in_the_middle(size: tuple[int, int]) -> None:
    glyph = np.zeros((28, 28), np.uint8)
    glyph[13:15, 12:16] = 200
    fed = feed(glyph[None], (*size, 1), np.arange(256), "margin")[0, ..., 0]
    assert fed.shape == size and sorted(fed[fed > 0]) == [200] * 8
    rows, columns = np.nonzero(fed)
    assert abs(rows.mean() - (size[0] - 1) / 2) <= 0.5 and abs(columns.mean() - (size[1] - 1) / 2) <= 0.5


def test_the_card_says_that_a_glyph_gets_a_margin(tmp_path: Path) -> None:
    content = small.float_tflite(small.untrained((32, 32, 1)), (32, 32, 1))
    path = tmp_path / "m.tflite"
    path.write_bytes(content + Card(fit="margin").archive())
    glyphs = small.data().test[:4]
    inputs = np.pad(glyphs, ((0, 0), (2, 2), (2, 2)))[..., None].astype(np.float32) / 255
    np.testing.assert_allclose(Model(path).predict(glyphs), by_hand(content, inputs), atol=1e-5)


@pytest.mark.parametrize(("paper", "ink"), [(0, 1), (1, 0), (0, 255), (255, 0), (-1, 1), (1, -1)])
def test_the_card_says_what_paper_and_ink_are(paper: float, ink: float, tmp_path: Path) -> None:
    content = small.float_tflite(small.untrained((28, 28, 1), None), (28, 28, 1))
    path = tmp_path / "m.tflite"
    path.write_bytes(content + Card(paper=paper, ink=ink, output="logits").archive())
    glyphs = small.data().test[:5]
    raw = by_hand(content, paper + glyphs.astype(np.float32)[..., None] / 255 * (ink - paper))
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    np.testing.assert_allclose(Model(path).predict(glyphs), powers / powers.sum(axis=1, keepdims=True), atol=1e-4)


def test_logits_are_known_without_a_card(tmp_path: Path, float_file: Path) -> None:
    path = tmp_path / "m.tflite"
    content = small.float_tflite(small.untrained((28, 28, 1), None), (28, 28, 1))
    path.write_bytes(content)
    raw = by_hand(content, small.data().test[:5].astype(np.float32)[..., None] / 255)
    powers = np.exp(raw)
    found = Model(path).predict(small.data().test[:5])
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)
    assert Model(float_file).predict(small.data().test[:5]).max() > 0.5


def test_its_name_tells_the_card_and_the_file(tmp_path: Path, float_file: Path) -> None:
    assert re.fullmatch(r"m sha256:[0-9a-f]{12}", Model(float_file).name)
    path = tmp_path / "x.tflite"
    path.write_bytes(float_file.read_bytes() + Card(name="mnist-1.0").archive())
    assert Model(path).name.startswith("mnist-1.0 sha256:")
    assert Model(path).sha256 != Model(float_file).sha256


@pytest.mark.parametrize(
    "glyphs", [np.zeros((28, 28), np.uint8), np.zeros((1, 28, 27), np.uint8), np.zeros((1, 28, 28), np.float32)]
)
def test_what_is_no_glyph_is_refused(glyphs: np.ndarray, float_file: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("(n, 28, 28) uint8 is wanted")):
        Model(float_file).predict(glyphs)


def test_no_glyphs_give_no_probabilities(float_file: Path) -> None:
    assert Model(float_file).predict(np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as refused:
        Model(path)
    text = str(refused.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and len(text) < 400
    return text


def test_wrong_labels_are_refused(tmp_path: Path, float_file: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(float_file.read_bytes() + Card(labels=("a", "b")).archive())
    assert "gives 10 numbers for 2 labels (a, b)" in refusal(path)


@pytest.mark.parametrize("shape", [(10,), (28, 28, 2), (5, 5, 1)])
def test_a_model_of_something_else_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small.float_tflite(small.untrained(shape), shape))
    assert f"its input has shape {(1, *shape)}" in refusal(path)


def test_missing_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.tflite")
    assert "cannot be read" in refusal(tmp_path)
    for name, content, complaint in [("empty", b"", "is empty"), ("text", b"hello world", "is no .tflite model")]:
        (tmp_path / name).write_bytes(content)
        assert complaint in refusal(tmp_path / name)
    (tmp_path / "garbage").write_bytes(b"\x1c\0\0\0TFL3" + np.random.default_rng(1).bytes(5000))
    assert "refuses it" in refusal(tmp_path / "garbage")


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, float_file: Path) -> None:
    path = tmp_path / "m.tflite"
    flat = float_file.read_bytes()
    archive = Card(name="x").archive()
    for length in np.linspace(9, len(flat) - 1, 25).astype(int):
        path.write_bytes(flat[:length])
        assert "refuses it" in refusal(path)
    for length in range(60, len(archive), 40):
        path.write_bytes(flat + archive[:length])
        assert "is damaged" in refusal(path)


def test_an_unknown_runtime_is_named() -> None:
    with pytest.raises(ModelError, match="no TFLite runtime .no_such_runtime.; pip install ai-edge-litert"):
        interpreter_class("no_such_runtime")


def test_the_runtimes_greeting_stays_off_stderr(float_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Model(float_file)
    assert capfd.readouterr() == ("", "")


def test_no_tensorflow_is_needed(float_file: Path) -> None:
    program = (
        "import sys; from edge.model import Model; Model(sys.argv[1]);"
        "assert not {'tensorflow', 'keras', 'convert'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, float_file], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_packaged_model_is_one_of_these_two() -> None:
    root = Path(__file__).parents[1]
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
