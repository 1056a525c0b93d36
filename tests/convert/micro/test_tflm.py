"""Files for microcontrollers in TensorFlow Lite for Microcontrollers itself, with its reference kernels."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from convert.micro import facts
from convert.micro.operators import OPERATORS
from edge.model.runtime import interpreter_class
from tests.support import micro, small

runtime = pytest.importorskip("tflite_micro", reason="no tflite-micro, which has wheels for x86-64 only").runtime
pytestmark = small.QUIET
LOOK_UP = """
import sys
import flatbuffers
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
model, graph, model.version = schema.ModelT(), schema.SubGraphT(), 3
tensor = schema.TensorT()
tensor.shape, tensor.type, tensor.buffer = [1, 4], schema.TensorType.INT8, 0
model.buffers, model.subgraphs, model.operatorCodes = [schema.BufferT()], [graph], []
graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor, tensor], [0], [1], []
for at, name in enumerate(sys.argv[1:]):
    code, step = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(127, code.builtinCode)
    step.opcodeIndex, step.inputs, step.outputs = at, [0], [1]
    model.operatorCodes.append(code)
    graph.operators.append(step)
builder = flatbuffers.Builder(1024)
builder.Finish(model.Pack(builder), b"TFL3")
runtime.Interpreter.from_bytes(bytes(builder.Output()), arena_size=1_000_000)
"""
"""Asks TFLM for operators: it looks all of them up before it finds out that they have no options."""


@pytest.fixture(scope="module")
def many() -> Any:
    """A Keras model of many layers, untrained."""
    layers, keras = small.keras().layers, small.keras()
    keras.utils.set_random_seed(2)
    glyph = layers.Input((28, 28, 1))
    x = layers.Conv2D(8, 5, strides=2, activation="relu6", padding="same")(glyph)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, activation="leaky_relu")(x))
    x = layers.PReLU(alpha_initializer="uniform", shared_axes=[1, 2])(layers.ZeroPadding2D(1)(x))
    side = layers.Conv2D(8, 1, activation="hard_silu")(x)
    x = layers.Add()([x, layers.Multiply()([side, layers.Activation("sigmoid")(side)])])
    x = layers.Concatenate()([layers.AveragePooling2D(2)(x), layers.MaxPooling2D(2)(x)])
    x = layers.Conv2DTranspose(4, 3, strides=2, activation="tanh")(x)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x), layers.Flatten()(x)])
    return keras.Model(glyph, layers.Dense(10, activation="softmax")(x))


def in_tflm(content: bytes, inputs: np.ndarray, arena_bytes: int) -> tuple[np.ndarray, Any]:
    """TFLM's outputs for inputs (n, …) int8, and its interpreter."""
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=arena_bytes)
    found = []
    for one in inputs:
        interpreter.set_input(one[None], 0)
        interpreter.invoke()
        found.append(interpreter.get_output(0)[0])
    return np.array(found), interpreter


def in_litert(content: bytes, inputs: np.ndarray) -> np.ndarray:
    interpreter = interpreter_class()(model_content=content)
    interpreter.allocate_tensors()
    first, last = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for one in inputs:
        interpreter.set_tensor(first, one[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(last)[0])
    return np.array(found)


@pytest.mark.parametrize("made", ["trained", "many"])
def test_tflm_answers_as_litert_does_in_the_estimated_arena(
    made: str, many: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    content = micro.converted(small.trained() if made == "trained" else many)
    found = facts.of(content, "m.h5")
    inputs = (small.data().test[:100].astype(int) - 128).astype(np.int8)[..., None]
    outputs, interpreter = in_tflm(content, inputs, found.arena_bytes)
    expected = in_litert(content, inputs)
    assert (outputs.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.99
    assert np.abs(outputs.astype(int) - expected).max() <= 2
    capfd.readouterr()
    interpreter.print_allocations()
    used = re.search(r"allocation total (\d+)", capfd.readouterr().err)
    assert used and int(used[1]) <= found.arena_bytes <= 1.4 * int(used[1])


def test_tflm_has_each_operator_of_the_list_and_not_those_that_are_refused() -> None:
    said = looked_up(*OPERATORS)
    assert "find op" not in said and "tflite_micro" in said
    assert "Didn't find op for builtin opcode 'GELU'" in looked_up("ADD", "GELU")


def looked_up(*names: str) -> str:
    return subprocess.run([sys.executable, "-c", LOOK_UP, *names], capture_output=True, text=True).stderr
