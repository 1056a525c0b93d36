from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.load import check, load
from convert.load.frozen_graph import is_frozen_graph
from convert.load.input_format import InputFormat
from convert.tflite import quantise
from edge.errors import ConvertError
from edge.model.runtime import interpreter_class
from tests.hostile import frozen_graphs
from tests.support import small

pytestmark = small.QUIET
WEIGHTS = np.random.default_rng(1).standard_normal((784, 10)).astype(np.float32)
INPUTS = np.random.default_rng(2).random((3, 784), np.float32)
SCORES = np.exp(INPUTS @ WEIGHTS - (INPUTS @ WEIGHTS).max(axis=1, keepdims=True))
SCORES /= SCORES.sum(axis=1, keepdims=True)


@pytest.fixture
def frozen(tmp_path: Path) -> Callable[..., Path]:
    """Writes a graph of TensorFlow 1 whose input x has this shape: what a function adds to it."""
    small.keras()
    from tensorflow.compat import v1

    def write(build: Callable[[Any, Any], Any], shape: tuple[int | None, ...] = (None, 784)) -> Path:
        with v1.Graph().as_default() as graph:
            build(v1, v1.placeholder(v1.float32, shape, name="x"))
        path = tmp_path / "frozen.pb"
        path.write_bytes(graph.as_graph_def().SerializeToString())
        return path

    return write


def softmax(v1: Any, x: Any, name: str = "scores") -> Any:
    return v1.nn.softmax(v1.reshape(x, (-1, 784)) @ WEIGHTS, name=name)


def refused(path: Path, **named: str) -> str:
    with pytest.raises(ConvertError) as refusal:
        load(path, **named)
    text = str(refusal.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and "; " in text
    return text


def test_a_frozen_graph_gives_what_it_gave(frozen: Callable[..., Path]) -> None:
    path = frozen(softmax, (None, 28, 28, 1))
    check(path)
    model = load(path).model
    np.testing.assert_allclose(model.predict(INPUTS.reshape(3, 28, 28, 1)), SCORES, atol=1e-6)
    assert model.input_shape == (None, 28, 28, 1) and model.count_params() == 7840
    small.float_tflite(model, (28, 28, 1))


def test_one_that_keras_was_frozen_to_is_taken(tmp_path: Path) -> None:
    model = small.untrained()
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    function = tf.function(lambda x: model(x, training=False))
    constant = convert_variables_to_constants_v2(function.get_concrete_function(tf.TensorSpec((None, 28, 28, 1))))
    (tmp_path / "m.pb").write_bytes(constant.graph.as_graph_def().SerializeToString())
    inputs = INPUTS.reshape(3, 28, 28, 1)
    found = load(tmp_path / "m.pb").model.predict(inputs)
    np.testing.assert_allclose(found, model.predict(inputs, verbose=0), atol=1e-6)


def test_what_is_for_training_is_set_for_reading_and_said(frozen: Callable[..., Path]) -> None:
    def build(v1: Any, x: Any) -> None:
        keep, training = v1.placeholder(v1.float32, name="d/keep_prob_1"), v1.placeholder(v1.bool, (), "is_training")
        true_digits = v1.placeholder(v1.float32, (None, 10), name="y_")
        kept = v1.cond(training, lambda: x * 7, lambda: x * v1.floor(keep + v1.random_uniform(v1.shape(x))) / keep)
        answer = v1.argmax(softmax(v1, kept), 1)
        v1.reduce_mean(v1.cast(v1.equal(answer, v1.argmax(true_digits, 1)), v1.float32), name="accuracy")

    loaded = load(frozen(build))
    np.testing.assert_allclose(loaded.model.predict(INPUTS), SCORES, atol=1e-6)
    assert loaded.loaded_by.endswith(" with d/keep_prob_1 = 1, is_training = 0")
    small.float_tflite(loaded.model, (784,))


def test_an_input_whose_value_is_not_known_is_named(frozen: Callable[..., Path]) -> None:
    def build(v1: Any, x: Any) -> None:
        softmax(v1, x * v1.placeholder(v1.float32, (), name="brightness"))

    assert "also needs the input brightness" in refused(frozen(build))


def test_several_ends_are_listed_and_can_be_named(frozen: Callable[..., Path]) -> None:
    def build(v1: Any, x: Any) -> None:
        other = v1.placeholder(v1.float32, (None, 784), name="z")
        for number in range(12):
            softmax(v1, x + other if number > 10 else x, f"scores{number}")

    path = frozen(build)
    assert "has 2 inputs; name one with --graph-input: x, z" in refused(path)
    said = refused(path, graph_input="x")
    assert "has 11 ends" in said and said.count("scores") == 10
    np.testing.assert_allclose(
        load(path, graph_input="x", graph_output="scores3").model.predict(INPUTS), SCORES, atol=1e-6
    )
    assert "also needs the input z" in refused(path, graph_input="x", graph_output="scores11:0")
    assert "has no output nought" in refused(path, graph_input="x", graph_output="nought")
    assert "does not depend on its input z" in refused(path, graph_input="z", graph_output="scores1")


def test_only_what_can_be_an_end_is_listed_for_a_name_that_is_none(frozen: Callable[..., Path]) -> None:
    def build(v1: Any, x: Any) -> None:
        true_digits = v1.placeholder(v1.float32, (None, 10), name="y_")
        v1.placeholder(v1.float32, name="keep_prob")
        for number in range(50):
            x = v1.nn.relu(x, f"layer{number}")
        scores = softmax(v1, x)
        v1.reduce_sum(true_digits * scores, name="loss")
        v1.summary.histogram("histogram", scores)
        v1.identity(WEIGHTS, "weights")

    path = frozen(build)
    assert refused(path, graph_output="nope") == (
        f"{path}: its graph has no output nope; name another with --graph-output: scores:0"
    )
    assert refused(path, graph_input="nope").endswith("no input nope; name another with --graph-input: x")
    for name in ("scores:1", "scores:x", "^scores", "scores:0:0"):
        assert f"its graph has no output {name}" in refused(path, graph_output=name)
    assert load(path).labels == load(path, graph_output="scores:0").labels


def test_only_what_is_between_the_ends_must_be_arithmetic(frozen: Callable[..., Path], tmp_path: Path) -> None:
    target = tmp_path / "written"

    def build(v1: Any, x: Any) -> None:
        # What writes a checkpoint is left in many a graph.
        v1.raw_ops.SaveV2(prefix=str(target), tensor_names=["w"], shape_and_slices=[""], tensors=[WEIGHTS])
        with v1.control_dependencies([v1.write_file(str(target), "here")]):
            softmax(v1, x, "writes")
        softmax(v1, x)

    path = frozen(build)
    assert load(path, graph_output="scores").labels == tuple("0123456789")
    assert "has WriteFile," in refused(path, graph_output="writes") and not list(tmp_path.glob("written*"))


def test_ranges_that_were_trained_are_kept_in_int8(frozen: Callable[..., Path]) -> None:
    def build(v1: Any, x: Any) -> None:
        image = v1.quantization.fake_quant_with_min_max_args(x, 0, 1)
        kernel = v1.quantization.fake_quant_with_min_max_args(WEIGHTS, -6.35, 6.35, narrow_range=True)
        v1.quantization.fake_quant_with_min_max_args(image @ kernel, -300, 210, name="scores")

    found = InputFormat(shape=(784,), image=(28, 28, 1))
    constant = quantise.freeze(load(frozen(build)).model, found, "m")
    # Calibration sees less than these ranges.
    content = quantise.convert(constant, "int8", INPUTS / 2, "int8", "m")
    interpreter = interpreter_class()(model_content=content)
    interpreter.allocate_tensors()
    scales = {float(np.float32(one["quantization"][0])) for one in interpreter.get_tensor_details()}
    for trained in (1 / 255, 0.05, 2.0):
        assert min(abs(scale / trained - 1) for scale in scales) < 1e-3


@pytest.mark.parametrize("name", ["circle", "splat", "names", "ReadFile", "PyFunc", "UnheardOf"])
def test_a_graph_that_is_made_to_hurt_is_refused(name: str, tmp_path: Path) -> None:
    small.keras()
    text = refused(frozen_graphs.write(tmp_path / "m.pb", frozen_graphs.changes()[name]))
    assert text.isprintable() and {"splat": "256 MiB"}.get(name, "") in text
    assert name == "names" or refused(tmp_path / "m.pb", graph_output="scores")


def test_what_is_no_frozen_classifier_is_refused(frozen: Callable[..., Path], tmp_path: Path) -> None:
    variable = frozen(lambda v1, x: v1.nn.softmax(x @ v1.get_variable("w", (784, 10))))
    assert "is not frozen" in refused(variable)
    many = frozen(lambda v1, x: v1.identity(x @ np.ones((784, 1000), np.float32)))
    assert "has 1000 outputs (the classes of ImageNet?)" in refused(many)
    path = frozen(softmax)
    cut = tmp_path / "cut.pb"
    cut.write_bytes(path.read_bytes()[:-20])
    assert "damaged or cut short" in refused(cut)
    assert "is no frozen graph" in refused(small.saved(small.untrained(), tmp_path / "m.keras"), graph_output="x")
    for content in (b"", b"\n", b"\n\n\n\n", b"\n\x05\n\x03abc", b"\x08\x01\x12\x05\n\x03"):
        cut.write_bytes(content)
        assert not is_frozen_graph(cut) and is_frozen_graph(path)
