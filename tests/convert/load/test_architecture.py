from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convert.load.architecture import for_inference, has_input, refuse_code, unknown_class_error
from edge.errors import ConvertError
from tests.support import small

PATH = Path("m.keras")


def model(*layers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}, **rest}


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": "one", **config}}


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (layer("Lambda", function="Y29kZQ=="), "has a Lambda layer (one)"),
        (layer("TimeDistributed", layer=layer("Lambda")), "has a Lambda layer"),
        (
            layer("Dense", activation={"class_name": "__lambda__", "config": {"value": "Y29kZQ=="}}),
            "has a Lambda layer",
        ),
        (model(layer("Lambda")), "has a Lambda layer"),
        (layer("Dense", activation={"value": ["Y29kZQ==", None, None]}), "has a lambda function"),
        (layer("TorchModuleWrapper", module="pickle"), "has a TorchModuleWrapper layer"),
        (layer("StringLookup", vocabulary="/etc/passwd"), "works on text"),
        ({"module": "os", "class_name": "system", "config": {}}, "a custom layer, system from os"),
        ({"module": "keras_evil", "class_name": "Layer", "config": {}}, "a custom layer, Layer from keras_evil"),
        (
            layer("Dense", activation={"module": "keras.utils", "class_name": "function", "config": "get_file"}),
            "a custom function, get_file from keras.utils",
        ),
        (layer("TFOpLambda", function="io.write_file"), "the operation io.write_file"),
        (layer("TFOpLambda", function="raw_ops.WriteFile"), "the operation raw_ops.WriteFile"),
        (layer("TFOpLambda", function="py_function"), "the operation py_function"),
        (layer("TensorFlowOpLayer", node_def="op: 'ReadFile'"), "the operation one"),
    ],
)
def test_code_is_refused_however_deep(part: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConvertError) as refused:
        refuse_code(model(layer("Dense", units=3), model(part)), PATH)
    assert complaint in str(refused.value) and "\n" not in str(refused.value)


def test_keras_own_parts_and_those_of_the_training_are_let_pass() -> None:
    own = [
        layer("Dense", activation={"module": "builtins", "class_name": "function", "config": "relu"}),
        layer("TFOpLambda", function="math.truediv"),
        layer("TFOpLambda", function="__operators__.add"),
        layer("TFOpLambda", function="expand_dims"),
        {"module": "keras.src.layers.core", "class_name": "Dense", "config": {}},
        {"module": "tensorflow.python.keras.layers", "class_name": "Dense", "config": {}},
    ]
    training = {"loss": {"module": "my_code", "class_name": "function", "config": "my_loss"}}
    refuse_code(model(*own, compile_config=training), PATH)
    assert "compile_config" not in for_inference(model(*own, compile_config=training))


def test_the_batch_is_opened_and_floats_are_whole() -> None:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    before = model(
        layer("InputLayer", batch_shape=[32, 28, 28], dtype="float16"),
        layer("Dense", batch_input_shape=[None, 9], dtype=policy, units=10),
        layer("Reshape", target_shape=[1, 28], dtype={"class_name": "DTypePolicy", "config": {"name": "float32"}}),
        build_config={"input_shape": [32, 28, 28]},
    )
    after = for_inference(before)
    glyph, dense, reshape = (part["config"] for part in after["config"]["layers"])
    assert glyph["batch_shape"] == [None, 28, 28] and glyph["dtype"] == dense["dtype"] == "float32"
    assert dense["batch_input_shape"] == [None, 9] and reshape["target_shape"] == [1, 28]
    assert after["build_config"] == {"input_shape": [None, 28, 28]}
    assert before["config"]["layers"][0]["config"]["batch_shape"] == [32, 28, 28]


def test_an_architecture_knows_its_input_or_not() -> None:
    assert not has_input(model(layer("Flatten"), layer("Dense", units=10)))
    assert has_input(model(layer("Flatten", batch_input_shape=[None, 28, 28])))


@small.QUIET
def test_what_keras_does_not_know_is_named() -> None:
    keras = small.keras()
    relu = {"module": "builtins", "class_name": "function", "config": "relu"}
    assert (
        unknown_class_error(
            model(layer("Dense", activation=relu), layer("ReLU"), layer("Dense", activation="gelu")), keras, PATH
        )
        is None
    )
    assert "softmax_v2 (TensorFlow's tf.nn.softmax)" in str(
        unknown_class_error(model(layer("Dense", activation={**relu, "config": "softmax_v2"})), keras, PATH)
    )
    assert "uses the function mine" in str(unknown_class_error(model(layer("Dense", activation="mine")), keras, PATH))
    assert "a custom layer, Caps>Length (one)" in str(unknown_class_error(model(layer("Caps>Length")), keras, PATH))
    subclass = {"class_name": "MyNet", "config": {}}
    assert "is of a custom model class, MyNet" in str(unknown_class_error(subclass, keras, PATH))
