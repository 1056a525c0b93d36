from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from convert import load
from convert.load.trusted import trusted
from edge.errors import ConvertError
from tests.hostile import keras_files
from tests.hostile.architectures import aliases, architecture, functional, layer
from tests.support import small

PATH = Path("m.keras")
ALIASES = aliases()


def model(*layers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {**architecture(list(layers)), **rest}


def function(name: str, module: str = "builtins") -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (layer("Lambda", function="Y29kZQ=="), "has a Lambda layer (lambda)"),
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
        (layer("Dense", activation=function("get_file", "keras.utils")), "function, get_file from keras.utils"),
        (layer("Dense", activation=function("exec")), "its layer dense uses the function exec (not one of Keras's)"),
        (layer("Dense", activation="mine"), "its layer dense uses the function mine (not one of Keras's)"),
        (layer("Dense", activation=function("normalize_v2")), "uses the function normalize_v2"),
        (layer("Lambda", function=function("system")), "has a Lambda layer"),
        (layer("Lambda", function=function("softmax_v2"), arguments={"axis": 0}), "has a Lambda layer"),
        (layer("Lambda", function=function("softmax_v2", "os")), "function, softmax_v2 from os"),
        (layer("LSTM", recurrent_activation="mine"), "its layer lstm uses the function mine"),
        (layer("Dense", bias_initializer="deserialize"), "its layer dense uses the function deserialize"),
        (layer("QuantizeWrapperV2", layer=layer("Dense")), "model.save('saved'); then: edge-convert saved"),
        (layer("Dense", dtype={"class_name": "QuantizedDTypePolicy", "config": {}}), "save it before model.quantize()"),
        (layer("Dense", quantization_config={"class_name": "Int8QuantizationConfig"}), "is quantised by Keras"),
        (layer("Caps>Length"), "a custom layer, Caps>Length (caps>length)"),
        ({**layer("Dense"), "registered_name": "Caps>Dense"}, "a custom layer, Caps>Dense from keras.layers (dense)"),
        (layer("TFOpLambda", function="io.write_file"), "the operation io.write_file"),
        (layer("TFOpLambda", function="raw_ops.WriteFile"), "the operation raw_ops.WriteFile"),
        (layer("TFOpLambda", function="py_function"), "the operation py_function"),
        (layer("TFOpLambda", function="compat.v1.py_func"), "the operation compat.v1.py_func"),
        (layer("TFOpLambda", function="io.cast"), "the operation io.cast"),
        (layer("TensorFlowOpLayer", node_def="op: 'ReadFile'"), "the operation tensorflowoplayer"),
    ],
)
def test_code_is_refused_however_deep(part: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConvertError) as refused:
        trusted(model(layer("Dense", units=3), model(part)), PATH)
    assert complaint in str(refused.value) and "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a .keras whose architecture can be replaced."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(small.saved(small.untrained(), folder / "m.keras")) as zipped:
        zipped.extractall(folder / "folder")
    return folder / "folder"


@pytest.mark.parametrize("name", ALIASES)
def test_no_other_name_leads_to_code_in_any_kind_of_file(name: str, unpacked: Path, tmp_path: Path) -> None:
    text = json.dumps(ALIASES[name])
    h5 = keras_files.plain(tmp_path / "m.h5", model_config=text, keras_version="2.15.0")
    (unpacked / "config.json").write_text(text)
    packed = load.keras_file.zip_folder(unpacked, tmp_path)
    described = tmp_path / "m.json"
    described.write_text(text)
    for path, given in ((h5, None), (packed, None), (unpacked, None), (unpacked / "model.weights.h5", described)):
        with pytest.raises(ConvertError) as refused:
            load.check(path, architecture=given)
        said = str(refused.value)
        assert said.startswith(f"{given or path}: ") and "\n" not in said and "; " in said
        assert "damaged" not in said and len(said) < len(str(path)) + 300


def test_a_model_class_of_somebodys_own_is_named() -> None:
    with pytest.raises(ConvertError, match="is of a custom model class, MyNet, whose code is not in the file"):
        trusted({"class_name": "MyNet", "config": {}}, PATH)
    with pytest.raises(ConvertError, match="is of a custom model class, function"):
        trusted({"class_name": "function", "config": "relu"}, PATH)


def test_what_is_only_for_training_is_left_out() -> None:
    training = {"loss": function("my_loss", "my_code")}
    inner = model(layer("Dense"), compile_config=training)
    assert "compile_config" not in str(trusted(model(inner, compile_config=training), PATH))


def test_kerass_own_classes_get_their_public_names() -> None:
    names = [
        ("keras.layers", "Dense", "keras.layers"),
        ("keras.src.layers.core.dense", "Dense", "keras.layers"),
        ("tensorflow.python.keras.layers", "Dense", "keras.layers"),
        ("tf_keras.src.engine.input_layer", "InputLayer", "keras.layers"),
        ("keras.src.engine.sequential", "Sequential", "keras"),
        ("keras.src.models.functional", "Functional", "keras.src.models.functional"),
        ("keras.engine.functional", "Functional", "keras.src.engine.functional"),
        ("keras.src.ops.numpy", "Subtract", "keras.src.ops.numpy"),
        ("keras.src.layers.merging.subtract", "Subtract", "keras.layers"),
        ("keras.initializers", "Identity", "keras.initializers"),
        ("keras.layers", "Identity", "keras.layers"),
        ("keras", "DTypePolicy", "keras"),
    ]
    for module, kind, public in names:
        part = {**layer(kind), "module": module, "registered_name": kind}
        found = trusted(model(part), PATH)["config"]["layers"][0]
        assert found == {**layer(kind), "module": public, "registered_name": None}


def test_numbers_and_numeric_operations_are_let_pass() -> None:
    shape = {"class_name": "__tuple__", "items": [28, 28, None]}
    array = {"class_name": "__numpy__", "config": {"value": [[1.5, 2]], "dtype": "float32"}}
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 28], "dtype": "float32", "keras_history": ["i", 0, 0]},
    }
    op_layer = {"module": "keras.src.layers.core.tf_op_layer"}
    own = [
        layer("Dense", activation="gelu", kernel_initializer="he_normal", kernel_regularizer="l2"),
        layer("Dense", activation=layer("LeakyReLU"), bias_constraint={"class_name": "MaxNorm", "config": {}}),
        {**layer("TFOpLambda", function="math.truediv"), **op_layer},
        {**layer("TFOpLambda", function="__operators__.add"), **op_layer},
        {**layer("SlicingOpLambda", function="__operators__.getitem"), **op_layer},
        {
            **layer("TensorFlowOpLayer", node_def={"name": "r", "op": "Mul", "input": ["x"]}, constants={"1": 2.0}),
            "module": "keras.src.engine.base_layer",
        },
        layer("Normalization", mean=array),
        {
            **layer("TFOpLambda", function="reshape"),
            **op_layer,
            "inbound_nodes": [["_CONSTANT_VALUE", -1, [1, shape, None], {"name": "x"}]],
        },
        {**layer("Activation", activation="relu"), "inbound_nodes": [{"args": [tensor], "kwargs": {"axis": "x"}}]},
        {"class_name": "TensorShape", "items": [None, 28]},
    ]
    assert trusted(model(*own), PATH) == model(*own)
    found = trusted(functional(layer("Activation", activation=function("relu"))), PATH)
    assert found["config"]["layers"][1]["config"]["activation"] == "relu"


def test_functions_that_keras_has_under_another_name_are_called_so() -> None:
    assert trusted(model(layer("Dense", activation="softmax_v2")), PATH) == model(layer("Dense", activation="softmax"))
    found = trusted(model({**layer("Lambda", function=function("log_softmax_v2")), "module": "keras.layers"}), PATH)
    assert found["config"]["layers"][0]["class_name"] == "Activation"
    assert found["config"]["layers"][0]["config"]["activation"] == "log_softmax"


def test_many_parts_and_deep_ones_are_refused_at_once(tmp_path: Path) -> None:
    deep: Any = [{}] * 2_000_000
    for _ in range(190):
        deep = {"a": deep}
    many = [architecture()] * 20_000
    for inner, complaint in ((deep, "more than 200,000 parts"), (many, "more than 200,000 parts")):
        path = keras_files.plain(tmp_path / "m.h5", model_config=json.dumps({**architecture(), "x": inner}))
        started = time.process_time()
        with pytest.raises(ConvertError, match=complaint):
            load.check(path)
        assert time.process_time() - started < 3
