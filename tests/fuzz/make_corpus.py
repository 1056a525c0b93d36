"""Make the corpus of each target: ``python -m tests.fuzz.make_corpus``. All of it is made here, from nothing."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import cv2
import h5py
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

from convert.choices import Recipe
from convert.load.input_format import InputFormat
from convert.load.keras_file import CONFIG, METADATA, WEIGHTS
from convert.tflite import quantise
from edge.model.card import DIGITS, MEMBER, Card
from tests.fuzz.archives import zipped
from tests.fuzz.targets import CORPUS
from tests.hostile import frozen_graphs
from tests.support import small
from tests.support.bombs import chunk
from tests.support.foreign import with_metadata

MODEL = b"\x1c\0\0\0TFL3" + bytes(24)
"""Stands for a .tflite in front of its card."""
DENSE = {"class_name": "Dense", "config": {"name": "d", "units": 10, "activation": "softmax", "dtype": "float32"}}
INPUT = {"class_name": "InputLayer", "config": {"batch_shape": [None, 28, 28, 1], "dtype": "float32", "name": "i"}}
KERAS_3 = {
    "module": "keras",
    "class_name": "Sequential",
    "config": {"name": "s", "layers": [INPUT, {"class_name": "Flatten", "config": {}}, DENSE]},
    "compile_config": {"optimizer": "adam"},
}
KERAS_1 = {
    "class_name": "Sequential",
    "config": [
        {
            "class_name": "Convolution2D",
            "config": {
                "name": "c",
                "nb_filter": 4,
                "nb_row": 3,
                "nb_col": 3,
                "border_mode": "valid",
                "dim_ordering": "th",
                "init": "uniform",
                "batch_input_shape": [None, 1, 28, 28],
                "subsample": [1, 1],
            },
        },
        {"class_name": "ZeroPadding2D", "config": {"padding": [1, 1], "dim_ordering": "th"}},
        {"class_name": "Merge", "config": {"mode": "concat", "concat_axis": 1}},
    ],
}
FUNCTIONAL = {
    "class_name": "Functional",
    "config": {
        "layers": [
            INPUT,
            {"class_name": "Subtract", "config": {"name": "s"}, "inbound_nodes": [[["i", 0, 0, {}]]]},
            {"class_name": "Lambda", "config": {"name": "l", "function": {"value": ["4wEA", None]}}},
            {"class_name": "TFOpLambda", "config": {"function": "math.add"}},
            {"class_name": "Mine", "module": "mine", "registered_name": "mine>Mine", "config": {}},
        ]
    },
}


def main() -> None:
    """Writes the files; others in these folders stay, as what was found once."""
    for name, files in corpus().items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)


def corpus() -> dict[str, dict[str, bytes]]:
    """target -> file name -> content."""
    return {
        "card": cards(),
        "picture": pictures(),
        "settings": settings(),
        "command": commands(),
        "keras_zip": keras_zips(),
        "keras_hdf5": keras_hdf5(),
        "architecture": {f"{name}.json": _json(part) for name, part in architectures().items()},
        "frozen_graph": graphs(),
        "tflite": {"small.tflite": small_tflite(), "described.tflite": with_metadata(small_tflite(), ["zero"], 0, 255)},
        "stand_in": {"small.tflite": small_tflite(), **small_networks()},
    }


def cards() -> dict[str, bytes]:
    whole = {"format": 1, **asdict(Card(name="m", labels=(*DIGITS, "none"), evaluation={"accuracy": 0.99}))}
    return {
        "packed.tflite": MODEL + Card(name="m").archive(),
        "stored.tflite": MODEL + zipped({MEMBER: _json(whole)}, method=0),
        "two.tflite": MODEL + zipped({"labels.txt": b"0\n1\n", MEMBER: _json(whole)}),
        "cut.tflite": (MODEL + Card().archive())[:-30],
        "none.tflite": MODEL,
        "whole.json": _json(whole),
        "list.json": b"[]",
        "wrong.json": b'{"format": 1, "labels": ["0", 1], "paper": NaN, "ink": 1e999, "temperature": -1, "fit": []}',
        "long_label.json": _json({"format": 1, "labels": ["9" * 5000]}),
        "deep.json": b"[" * 2000,
    }


def pictures() -> dict[str, bytes]:
    grey = np.full((6, 9), 200, np.uint8)
    grey[2:4, 3:5] = 20
    colour, clear = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), cv2.cvtColor(grey, cv2.COLOR_GRAY2BGRA)
    deep = grey.astype(np.uint16) * 200
    made: dict[str, tuple[str, Any, list[int]]] = {
        "grey.png": (".png", grey, []),
        "clear.png": (".png", clear, []),
        "deep.png": (".png", deep, []),
        "grey.jpg": (".jpg", grey, []),
        "colour.jpg": (".jpg", colour, []),
        "progressive.jpg": (".jpg", colour, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        "lossless.webp": (".webp", clear, [cv2.IMWRITE_WEBP_QUALITY, 101]),
        "lossy.webp": (".webp", colour, [cv2.IMWRITE_WEBP_QUALITY, 50]),
        "grey.tiff": (".tiff", grey, []),
        "deep.tiff": (".tiff", deep, []),
        "real.tiff": (".tiff", grey.astype(np.float32), []),
        "clear.tiff": (".tiff", clear, []),
        "colour.bmp": (".bmp", colour, []),
        "grey.pgm": (".pgm", grey, []),
    }
    files = {
        name: cv2.imencode(suffix, picture, options)[1].tobytes() for name, (suffix, picture, options) in made.items()
    }
    # EXIF data with the orientation 6; of a PNG before and after its pixels.
    exif = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    for name, at in (("turned.png", 33), ("turned-late.png", -12)):
        files[name] = files["grey.png"][:at] + chunk(b"eXIf", exif) + files["grey.png"][at:]
    head = b"VP8X" + struct.pack("<II", 10, 0x18) + b"\x08\0\0\5\0\0"
    chunks = head + files["lossless.webp"][12:] + b"EXIF" + struct.pack("<I", len(exif)) + exif
    files["turned.webp"] = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks
    files["phone.heic"] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    return {**files, "bits.pbm": b"P1 # a remark\n3 2\n1 0 1\n0 1 0\n", "text.ppm": b"P3\n2 1\n255\n1 2 3 4 5 6\n"}


def settings() -> dict[str, bytes]:
    return {
        "plain.toml": b'source = "v4l2:/dev/video0?size=640x480&fps=5"\npublish = ["jsonl:-"]\nweb = "[::1]:8080"\n',
        "broker.toml": b'publish = "mqtt://a:b@c:1883/d?version=5 mqtts://[::1]/e?home_assistant=off"\n',
        "hook.toml": b'publish = ["https://u:p@host:99/path?query#secret_file=f"]\nmetrics = "[::1]:9101"\n',
        "stream.toml": b'source = "rtsp://u:p@camera/live?x=1"\nthreads = 2\nmin_confidence = 0.25\n',
        "tables.toml": b"[vision]\nmedian = 5\n[track]\n[store]\n",
        "wrong.toml": b"threads = -1\nvision = 3\nmin_confidence = nan\nstate = 1979-05-27\n",
        "dotted.toml": b'vision.median = "5"\ntrack = {stable_frames = 3}\n',
        "deep.toml": b"source = " + b"[" * 1000,
    }


def commands() -> dict[str, bytes]:
    return {
        "read": b"\0",
        "pause": b"\1ON",
        "go_on": b"\1OFF",
        "threshold": b"\x020.25",
        "nan": b"\2nan",
        "huge": b"\x021e999",
        "back": b"\2",
        "digits": b"\2" + b"9" * 5000,
        "retained": b"\x80ON",
        "not_utf8": b"\1\xff\xfe",
    }


def architectures() -> dict[str, Any]:
    deep: Any = 0
    for _ in range(400):
        deep = {"config": [deep]}
    return {
        "keras_3": KERAS_3,
        "keras_1": KERAS_1,
        "functional": FUNCTIONAL,
        "deep": {"class_name": "Sequential", "config": deep},
        "odd": {"class_name": 7, "config": None, "module": [], "layers": {}},
    }


def keras_zips() -> dict[str, bytes]:
    metadata = _json({"keras_version": "3.4.1"})
    config, weights = _json(KERAS_3), _hdf5({"layers/dense/vars/0": np.zeros(2, np.float32)}, {})
    members = {METADATA: metadata, CONFIG: config, WEIGHTS: weights}
    return {
        "stored.keras": zipped(members, method=0),
        "packed.keras": zipped(members),
        "no_metadata.keras": zipped({CONFIG: config, WEIGHTS: b""}, method=0),
        "list_metadata.keras": zipped({METADATA: b"[]", CONFIG: config, WEIGHTS: b""}, method=0),
        "pickle.zip": zipped({"archive/data.pkl": b"\x80\2."}, method=0),
        "arrays.zip": zipped({"a.npy": b"\x93NUMPY"}, method=0),
        "packed_twice.zip": zipped({"m.keras": zipped(members, method=0)}),
        "cut.keras": zipped(members)[:-40],
    }


def keras_hdf5() -> dict[str, bytes]:
    config = {"model_config": json.dumps(KERAS_3), "keras_version": "2.4.0", "backend": "tensorflow"}
    old = {"model_config": json.dumps(KERAS_1), "keras_version": "1.2.2"}
    kernel = {"model_weights/d/kernel:0": np.zeros((2, 2), np.float32)}
    keras_2 = _hdf5(kernel, config, {"model_weights": {"layer_names": [b"d"], "backend": b"tensorflow"}})
    # The version of an attribute's dataspace follows its name and its type of 24 bytes: no other can be added.
    damage = keras_2.index(b"backend\0") + len(b"backend\0") + 24
    return {
        "keras_2.h5": keras_2,
        "damaged_attribute.h5": keras_2[:damage] + b"\x14" + keras_2[damage + 1 :],
        "keras_1.h5": _hdf5(kernel, old, {"model_weights": {"layer_names": [b"d"]}}),
        "no_version.h5": _hdf5(kernel, {}, {"model_weights": {"layer_names": [b"d"]}}),
        "keras_0.h5": _hdf5({"layer_0/param_0": np.zeros(2, np.float32)}, {"nb_layers": 1}),
        "weights.h5": _hdf5({"layers/dense/vars/0": np.zeros(2, np.float32)}, {}),
        "numbers.h5": _hdf5({"pixels": np.zeros(2, np.float32)}, {}),
        "link.h5": _hdf5(kernel, config, {"model_weights": {"layer_names": [b"d"]}}, link="other.h5"),
        "cut.h5": _hdf5(kernel, config)[:700],
    }


def graphs() -> dict[str, bytes]:
    content = frozen_graphs.graph().SerializeToString()
    changed = {}
    for name in ("circle", "names", "recursion", "ReadFile"):
        given = frozen_graphs.graph()
        frozen_graphs.changes()[name](given)
        changed[f"{name}.pb"] = given.SerializeToString()
    return {"plain.pb": content, "cut.pb": content[:-9], **changed}


def small_tflite() -> bytes:
    """A graph of one operator, with a quantised input, made with the schema's own classes."""
    buffer, empty = schema.BufferT(), schema.BufferT()
    buffer.data = np.zeros(4, np.uint8)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    tensors = []
    for name, shape, place in (("in", [1, 4], 0), ("out", [1, 1], 0), ("w", [1, 4], 1)):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, schema.TensorType.INT8, place
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [0.5], [3]
        tensors.append(tensor)
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 2], [1]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [0], [1]
    version = schema.MetadataT()
    version.name, version.buffer = "min_runtime_version", 1
    model = schema.ModelT()
    model.version, model.description, model.operatorCodes = 3, "small", [code]
    model.subgraphs, model.buffers, model.metadata = [graph], [empty, buffer], [version]
    builder = Builder(512)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _hdf5(
    numbers: Mapping[str, Any],
    attributes: Mapping[str, Any],
    more: Mapping[str, Mapping[str, Any]] | None = None,
    link: str = "",
) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as stored:
        for name, values in numbers.items():
            stored.create_dataset(name, data=values, track_times=False)
        for group, pairs in {"/": attributes, **(more or {})}.items():
            for name, value in pairs.items():
                stored[group].attrs[name] = value
        if link:
            stored["more"] = h5py.ExternalLink(link, "/")
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def small_networks() -> dict[str, bytes]:
    """Classifiers of 8x8 pixels by some recipes, with as many kinds of operators as fit into a few kilobytes."""
    keras = small.keras()
    layers, shape = keras.layers, (8, 8, 1)
    keras.utils.set_random_seed(1)
    glyph = layers.Input(shape, name="glyph")
    one = layers.MaxPooling2D()(layers.Conv2D(2, 3, strides=2, padding="same", activation="relu")(glyph))
    other = layers.AveragePooling2D(2)(layers.DepthwiseConv2D(3, padding="same", strides=2)(glyph))
    joined = layers.Concatenate()([layers.Add()([one, layers.Multiply()([one, other])]), one])
    model = keras.Model(glyph, layers.Dense(10, activation="softmax")(layers.Flatten()(joined)))
    frozen = quantise.freeze(model, InputFormat(shape=shape, image=shape), "small")
    images = np.random.default_rng(1).uniform(size=(50, *shape)).astype(np.float32)
    recipes: tuple[Recipe, ...] = ("float16", "dynamic", "int8")
    return {f"{recipe}.tflite": quantise.convert(frozen, recipe, images, "uint8", "small") for recipe in recipes}


if __name__ == "__main__":
    main()
