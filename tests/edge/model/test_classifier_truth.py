"""The TFLite runtime says what TensorFlow's own interpreter says, for models of any shape, type and convention."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from edge.model.card import Card
from edge.model.classifier import Model
from edge.model.preprocessing import image_shape, model_input
from tests.edge.model.test_classifier import refusal
from tests.support import small

# TensorFlow takes seconds to be imported.
pytestmark = [small.QUIET, pytest.mark.slow]
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
    inputs = model_input(glyphs, image, Card()).reshape(len(glyphs), *shape)
    np.testing.assert_allclose(model.predict(glyphs), by_hand(content, inputs), atol=1e-5)


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


@pytest.mark.parametrize("shape", [(10,), (28, 28, 2), (5, 5, 1)])
def test_a_model_of_something_else_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small.float_tflite(small.untrained(shape), shape))
    assert f"its input has shape {(1, *shape)}" in refusal(path)
