"""Architectures made to hurt: what Keras would take for code, files or foreign classes, under many names."""

from __future__ import annotations

from typing import Any

ESCAPE = "\x1b]0;owned\x07\x1b[2Jdense\n"
"""A name that a terminal would take for commands."""


def layer(kind: str, **config: Any) -> dict[str, Any]:
    """One layer of an architecture."""
    return {
        "module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **config},
        "registered_name": None,
    }  # fmt: skip


INPUT = layer("InputLayer", batch_shape=[None, 28, 28, 1], dtype="float32")
FLAT, DENSE = layer("Flatten"), layer("Dense", units=10, activation="softmax")


def architecture(layers: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A Sequential model of these layers."""
    made = layers or [INPUT, FLAT, DENSE]
    return {
        "module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": made},
        "registered_name": None,
    }  # fmt: skip


def layers() -> dict[str, list[dict[str, Any]]]:
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
    module = {"module": "os", "class_name": "system", "config": {"command": "id"}, "registered_name": "system"}
    fetched = {
        "module": "keras.utils", "class_name": "get_file", "registered_name": "get_file",
        "config": {"fname": "x", "origin": "http://127.0.0.1:9/x"},
    }  # fmt: skip
    opened = layer("TensorFlowOpLayer", node_def={"name": "r", "op": "ReadFile", "input": ["x"]}, constants={})
    return {
        "lambda": [INPUT, layer("Lambda", function=code), FLAT, DENSE],
        "module": [INPUT, FLAT, module],
        "get-file": [INPUT, FLAT, fetched],
        "function": [INPUT, FLAT, layer("Dense", units=10, activation={**fetched, "class_name": "function"})],
        "vocabulary": [INPUT, layer("StringLookup", vocabulary="/etc/passwd"), FLAT, DENSE],
        "op-layer": [INPUT, opened, FLAT, DENSE],
        "op-lambda": [INPUT, layer("TFOpLambda", function="io.read_file"), FLAT, DENSE],
        "saved-model": [INPUT, layer("TFSMLayer", filepath="/tmp"), FLAT, DENSE],
        "name": [INPUT, FLAT, {**layer(f"Origami{ESCAPE}"), "config": {"name": ESCAPE}}],
        "own-name": [INPUT, FLAT, layer("Dense", name=ESCAPE, units=10)],
        "activation": [INPUT, FLAT, layer("Dense", units=10, activation=ESCAPE)],
        "units": [INPUT, FLAT, layer("Dense", units=2**30)],
        "units-more": [INPUT, FLAT, layer("Dense", units=10**30)],
        "filters": [INPUT, layer("Conv2D", filters=10**6, kernel_size=[28, 28]), FLAT, DENSE],
        "upsampling": [INPUT, layer("UpSampling2D", size=[4000, 4000]), layer("GlobalAveragePooling2D"), DENSE],
        "padding": [INPUT, layer("ZeroPadding2D", padding=[20_000, 20_000]), layer("GlobalAveragePooling2D"), DENSE],
        "input": [layer("InputLayer", batch_shape=[None, 30_000, 30_000, 1]), layer("GlobalMaxPooling2D"), DENSE],
        "inputs": [layer("InputLayer", batch_shape=[None, *[2] * 40]), FLAT, DENSE],
        "slow": [
            INPUT, layer("Conv2D", filters=2000, kernel_size=[15, 15], padding="same", use_bias=False),
            layer("Conv2D", name="b", filters=200, kernel_size=[15, 15], padding="same"), FLAT, DENSE,
        ],
        "layers": [INPUT, *(layer("ReLU", name=f"r{n}") for n in range(3000)), FLAT, DENSE],
        "words": [INPUT, FLAT, {"class_name": 7, "config": "x"}],
        "none": [INPUT, FLAT, layer("Dense", units=None)],
    }  # fmt: skip


def aliases() -> dict[str, dict[str, Any]]:
    """Whole architectures with a part that is not what its ``class_name`` seems to say, or that is hidden deep."""
    made = {name: architecture([INPUT, part, FLAT, DENSE]) for name, part in _layer_aliases().items()}
    for name, part in _objects().items():
        made |= {
            f"{name}-activation": architecture([INPUT, FLAT, layer("Dense", units=10, activation=part)]),
            f"{name}-initializer": architecture([INPUT, FLAT, layer("Dense", units=10, kernel_initializer=part)]),
            f"{name}-regularizer": architecture([INPUT, FLAT, layer("Dense", units=10, bias_regularizer=part)]),
            f"{name}-constraint": architecture([INPUT, FLAT, layer("Dense", units=10, kernel_constraint=part)]),
            f"{name}-dtype": architecture([INPUT, FLAT, layer("Dense", units=10, dtype=part)]),
            f"{name}-build": architecture([INPUT, FLAT, {**DENSE, "build_config": {"input_shape": part}}]),
            f"{name}-argument": functional({**layer("Activation"), "inbound_nodes": [{"args": [part], "kwargs": {}}]}),
            f"{name}-tuple": functional({
                **layer("Activation"),
                "inbound_nodes": [["i", 0, 0, {"x": {"class_name": "__tuple__", "items": [part]}}]],
            }),
        }  # fmt: skip
    for name, constant in (
        ("text", "import os"), ("list", [1, ["import os"]]), ("table", {"a": "import os"}),
        ("tuple", {"class_name": "__tuple__", "items": [1, "import os"]}),
    ):  # fmt: skip
        nodes = [["_CONSTANT_VALUE", -1, constant, {}]]
        made[f"constant-{name}"] = functional({**layer("TFOpLambda", function="identity"), "inbound_nodes": nodes})
    return made


def functional(part: dict[str, Any]) -> dict[str, Any]:
    """A Functional model with a part between its input and its dense layer, as tf_keras 2.15 writes it."""
    made = [
        {**INPUT, "name": "i", "inbound_nodes": []},
        {**part, "name": "part"},
        {**FLAT, "name": "flatten", "inbound_nodes": [[["i", 0, 0, {}]]]},
        {**DENSE, "name": "dense", "inbound_nodes": [[["flatten", 0, 0, {}]]]},
    ]
    return {
        "module": "keras.src.engine.functional", "class_name": "Functional", "registered_name": "Functional",
        "config": {"name": "m", "layers": made, "input_layers": [["i", 0, 0]], "output_layers": [["dense", 0, 0]]},
    }  # fmt: skip


EXEC = {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"}
FUNCTION_LAYER = {"function": EXEC, "function_type": "function", "output_shape": None, "arguments": {}}
"""The settings of tf_keras's Lambda that call a Python function."""
LAMBDA_MODULE = "tf_keras.src.layers.core.lambda_layer"


def _named(kind: str, module: str | None, registered: str | None, **config: Any) -> dict[str, Any]:
    return {**layer(kind, **config), "module": module, "registered_name": registered}


def _layer_aliases() -> dict[str, dict[str, Any]]:
    adam = _named("Custom>Adam", LAMBDA_MODULE, "Lambda", **FUNCTION_LAYER)
    inner = functional(adam)
    return {
        "registered": adam,
        "registered-known": _named("Dense", LAMBDA_MODULE, "Lambda", **FUNCTION_LAYER),
        "registered-package": _named("Dense", "keras.layers", "Custom>Lambda", **FUNCTION_LAYER),
        "registered-only": {**layer("Custom>Adam"), "module": None},
        "dotted": _named("layers.Lambda", "keras", None, **FUNCTION_LAYER),
        "dotted-private": _named("lambda_layer.Lambda", "tf_keras.src.layers.core", "Lambda", **FUNCTION_LAYER),
        "qualified": _named("Dense.from_config", "keras.layers", None),
        "foreign": _named("Dense", "my_code", None),
        "other-module": _named("Add", "keras.utils", None),
        "time-distributed": layer("TimeDistributed", layer=adam),
        "bidirectional": layer("Bidirectional", layer=layer("LSTM", units=1), backward_layer=adam),
        "cell": layer("RNN", cell=adam),
        "cells": layer("StackedRNNCells", cells=[layer("LSTMCell", units=1), adam]),
        "pipeline": layer("Pipeline", layers=[adam]),
        "inner": inner,
        "inner-twice": layer("TimeDistributed", layer=architecture([INPUT, inner])),
        "op-registered": _named("Custom>Adam", "tf_keras.src.layers.core.tf_op_layer", "TFOpLambda", function="abs"),
        "op-keras": layer("TFOpLambda", function="keras.models.load_model"),
        "op-file": layer("SlicingOpLambda", function="io.read_file"),
        "op-map": layer("TFOpLambda", function="map_fn"),
        "op-line": layer("TFOpLambda", function="math.add\n"),
        "op-list": layer("TFOpLambda", function=["math.add"]),
        "op-text": layer("TensorFlowOpLayer", node_def="\n\1x\x12\x08ReadFile", constants={}),
        "op-table": layer("TensorFlowOpLayer", node_def={"name": "r", "op": ["ReadFile"]}, constants={}),
        "instance-method": layer("InstanceMethod", attr_name="__class__"),
        "instance-property": layer("InstanceProperty", attr_name="graph"),
        "class-method": layer("ClassMethod", cls_ref="RaggedTensor", method_name="from_tensor"),
        "map": _named("Map", "keras.src.ops.core", "Map"),
        "residual": layer("ResidualWrapper", cell=layer("LSTMCell", units=1), residual_fn="exec"),
        "features": layer("DenseFeatures", feature_columns=[]),
        "feature-space": _named("FeatureSpace", "keras.utils", None, features={}),
        "optimizer": _named("Adam", "keras.optimizers", None),
        "load": _named("load_model", "keras.saving", None, filepath="/tmp/x.keras"),
        "legacy": _named("deserialize_keras_object", "tf_keras.src.saving.legacy.serialization", None),
        "text-vectorization": layer("TextVectorization", vocabulary="/etc/passwd"),
        "integer-lookup": layer("IntegerLookup", vocabulary="/etc/passwd"),
        "index-lookup": layer("IndexLookup", vocabulary="/etc/passwd"),
        "torch": layer("TorchModuleWrapper", module="Y29kZQ=="),
        "jax": layer("JaxLayer", call_fn=EXEC),
        "flax": layer("FlaxLayer", module=EXEC),
    }


def _objects() -> dict[str, Any]:
    return {
        "exec": EXEC,
        "exec-class": _named("exec", "builtins", None),
        "get-file": {**EXEC, "module": "keras.utils", "config": "get_file", "registered_name": "get_file"},
        "alias": {**EXEC, "config": "relu", "registered_name": "mine>relu"},
        "lambda": {"class_name": "__lambda__", "config": {"value": "Y29kZQ=="}},
        "lambda-registered": _named("Zeros", LAMBDA_MODULE, "Lambda", **FUNCTION_LAYER),
        "passive": {**layer("Custom>Adam"), "__passive_serialization__": True},
        "bytes": {"class_name": "__bytes__", "config": {"value": "x"}},
        "numpy": {"class_name": "__numpy__", "config": {"value": ["import os"], "dtype": "str"}},
        "numpy-text": {"class_name": "__numpy__", "config": {"value": ["import os"], "dtype": "int8"}},
        "numpy-size": {"class_name": "__numpy__", "config": {"value": 1, "dtype": "S2000000000"}},
        "tensor": {"class_name": "__tensor__", "config": {"value": "import os", "dtype": "string"}},
        "type": {
            "class_name": "__typespec__", "spec_name": "system", "module": "os", "registered_name": None, "config": [],
        },
        "type-keras": {
            "class_name": "__typespec__", "spec_name": "Lambda", "module": LAMBDA_MODULE, "registered_name": "Lambda",
            "config": FUNCTION_LAYER,
        },
        "type-legacy": {"class_name": "TypeSpec", "type_spec": "tf.TensorSpec", "serialized": []},
        "composite": {"class_name": "CompositeTensor", "spec": None, "tensors": []},
        "number": {"class_name": 7, "config": {}},
        "list": {"class_name": ["Lambda"], "config": {}},
    }  # fmt: skip
