"""Targets of what runs on the workstation: Keras files until Keras itself would load them, and .tflite files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from convert import load
from convert.load.keras_file import CONFIG, WEIGHTS
from convert.tflite import flatbuffer, metadata
from edge.errors import ConvertError
from tests.fuzz.archives import zipped

_FOLDER = tempfile.TemporaryDirectory()
_MODEL, _GRAPH = Path(_FOLDER.name) / "model.keras", Path(_FOLDER.name) / "frozen.pb"


def keras_file(data: bytes) -> None:
    """An .h5 or .keras file: all that is done before Keras is asked."""
    _MODEL.write_bytes(data)
    with mock.patch.object(load.with_keras, "load", _not_asked):
        load.load(_MODEL)


def architecture(data: bytes) -> None:
    """The JSON in a .keras file, whose archive's checksum would hide it from a fuzzer."""
    keras_file(zipped({CONFIG: data, WEIGHTS: b""}, method=0))


def frozen_graph(data: bytes) -> None:
    """A frozen graph: all that is done before TensorFlow makes a function of it."""
    _GRAPH.write_bytes(data)
    with mock.patch("tensorflow.compat.v1.wrap_function", _not_asked):
        load.load(_GRAPH)


def tflite(data: bytes) -> None:
    """A .tflite file, as ``edge-convert inspect`` and ``adopt`` read it before a runtime does."""
    metadata.read(data)
    flatbuffer.read(data, "model.tflite")


def _not_asked(*arguments: Any) -> Any:
    raise ConvertError("Keras is not asked here")
