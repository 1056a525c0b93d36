from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from convert.tflite import flatbuffer, inspect, layout, runtimes
from edge.errors import ModelError
from edge.model.card import Card
from edge.model.classifier import packaged_model
from tests.support import files, foreign, small

pytestmark = small.QUIET


def test_a_graph_is_what_tensorflows_interpreter_says() -> None:
    import tensorflow as tf

    content = small.quantised(small.trained())
    graph = flatbuffer.read(content, "m")
    interpreter = tf.lite.Interpreter(model_content=content)
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    for said, true in ((graph.inputs, first), (graph.outputs, last)):
        assert [tensor.name for tensor in said] == [true["name"]]
        assert said[0].shape == tuple(true["shape"]) and said[0].dtype == np.dtype(true["dtype"]).name
        assert (said[0].scale, said[0].zero) == pytest.approx(true["quantization"])
    assert graph.operators["CONV_2D"] == 1 and graph.operators["FULLY_CONNECTED"] == 1
    weights = sum(weight.size for weight in small.trained().get_weights())
    # Filters of 5x5 pixels became ones of 3x3 blocks of four, and the batch normalisation's four numbers a channel one.
    weights += 8 * (3 * 3 * 4 - 5 * 5)
    assert weights - 3 * 8 <= graph.constants <= weights
    assert graph.version == 3 and graph.min_runtime >= (1, 5, 0)


@pytest.mark.parametrize("kept", [8, 9, 100, 2000, 20_000])
def test_a_file_cut_short_is_refused_or_whole(kept: int) -> None:
    content = packaged_model().read_bytes()
    for read in (flatbuffer.read, layout.read):
        with pytest.raises(ModelError, match="m.tflite: is damaged or cut short; copy it again, or use another file"):
            read(content[:kept], "m.tflite")


def test_a_file_without_a_card_says_so(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small.float_tflite(small.trained(), (28, 28, 1)))
    said = dict(inspect.lines(path))
    assert said["card"].startswith("none") and said["input"].endswith("(1, 28, 28, 1) float32")
    assert "FULLY_CONNECTED" in said["operators"] and "name" not in said


def test_the_oldest_runtime_is_judged_by_the_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small.quantised(small.trained()))
    monkeypatch.setattr(runtimes, "installed", lambda: {"ai-edge-litert": "2.3.0"})
    assert [(tried.name, tried.problem) for tried in runtimes.try_all(path)] == [
        ("ai-edge-litert", None), ("tflite-runtime", None),
    ]  # fmt: skip
    old = path.read_bytes()
    assert old.count(b"1.14.0\0") == 1
    path.write_bytes(old.replace(b"1.14.0\0", b"2.17.0\0"))
    assert runtimes.try_all(path)[1].problem == "needs operators of TFLite 2.17.0"


def test_a_runtime_that_refuses_the_file_says_why(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small.float_tflite(small.untrained((5,)), (5,)))
    problems = [tried.problem for tried in runtimes.try_all(path) if tried.name != "tflite-runtime"]
    assert problems and all(problem and problem.startswith("its input has shape (1, 5)") for problem in problems)


def of_shapes(*shapes: tuple[int, ...], outputs: int = 10) -> bytes:
    """A file with an input of each shape."""
    layers = small.keras().layers
    ends = [layers.Input(shape) for shape in shapes]
    flat = [layers.Flatten()(end) for end in ends]
    joined = layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    model = small.keras().Model(ends, layers.Dense(outputs)(joined))
    import tensorflow as tf

    call = tf.function(lambda *given: model(list(given) if len(given) > 1 else given[0]))
    concrete = call.get_concrete_function(*(tf.TensorSpec((1, *shape)) for shape in shapes))
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], model).convert())


UNFIT = {
    "was compiled for an Edge TPU": lambda: foreign.with_custom_operator(files.BARE, "edgetpu-custom-op"),
    "needs TensorFlow's own operators (Erf)": lambda: foreign.with_custom_operator(files.BARE, "FlexErf"),
    "needs operators that are not TFLite's (Mine)": lambda: foreign.with_custom_operator(files.BARE, "Mine"),
    "has 1,000 outputs": lambda: of_shapes((28, 28, 1), outputs=1000),
    "has 2 inputs": lambda: of_shapes((28, 28, 1), (28, 28, 1)),
    "its input has shape (1, 5)": lambda: of_shapes((5,)),
}
"""Why no runtime reads digits with a file -> a maker of one."""


@pytest.mark.parametrize("why", UNFIT)
def test_what_no_runtime_can_use_is_said_for_each(why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(UNFIT[why]())
    # The other two are looked at, and asked: NumPy.
    monkeypatch.setattr(runtimes, "installed", lambda: {"ai-edge-litert": "2.3.0"})
    lines = inspect.lines(path)
    said = [text for name, text in lines if name == "runs in"]
    assert len(said) == 3 and all(f": no: {why}" in text for text in said)
    assert dict(lines)["edge"].startswith(f"refuses it: {why}")


def test_what_edge_does_with_a_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    for content, use in (
        (files.GOOD, "uses it: reads 50 of 50 golden digits"),
        (files.BARE, f"refuses it: has 19 outputs, not 10 for the digits 0 to 9; edge-convert adopt {path}, on"),
        (
            small.float_tflite(small.untrained(), (28, 28, 1)),
            r"refuses it: reads only \d+ of 50 golden digits.*, as it is fed by guess \(0 for paper, 1 for ink\); edge",
        ),
    ):
        path.write_bytes(content)
        lines = inspect.lines(path)
        assert re.match(use, dict(lines)["edge"])
        assert [text.partition(": ")[2][:3] for name, text in lines if name == "runs in"] == ["yes"] * 4


def test_a_loop_runs_in_tflite_but_not_in_numpy(tmp_path: Path) -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28))
    model = keras.Model(glyph, keras.layers.Dense(10)(keras.layers.LSTM(4)(glyph)))
    path = tmp_path / "m.tflite"
    path.write_bytes(small.float_tflite(model, (28, 28)))
    assert runtimes.try_all(path)[0].problem is None
    assert "cannot compute" in str(runtimes.stand_in(path).problem)


def test_metadata_of_the_maker_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(foreign.with_metadata(files.BARE, ["zero", "1"], mean=127.5, deviation=127.5))
    assert dict(inspect.lines(path))["metadata"] == "labels 0, 1; -1 for black, 1 for white"


def test_every_runtime_is_asked_the_same(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small.quantised(small.trained()) + Card().archive())
    found = runtimes.with_agreement(path, runtimes.try_all(path), small.data().test)
    assert sum(one.installed for one in found) >= 2
    for one in found:
        assert (one.agreement == 1) if one.installed else (one.agreement is None)
