"""Files of .tflite as other people's programs write them, made by editing others."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest


def edited(content: bytes, change: Callable[[Any], None]) -> bytes:
    """The bytes of a .tflite after ``change``, which gets its ModelT of TFLite's schema."""
    flatbuffers = pytest.importorskip("flatbuffers")
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    change(model)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_custom_operator(content: bytes, name: str) -> bytes:
    """The same, but its first operator is of this name, which TFLite does not have, and so are its like."""

    def change(model: Any) -> None:
        schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
        operators = model.subgraphs[0].operators
        index = operators[0].opcodeIndex
        code = model.operatorCodes[index]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = name
        for one in operators:
            if one.opcodeIndex == index:
                one.builtinOptionsType, one.builtinOptions = schema.BuiltinOptions.NONE, None

    return edited(content, change)


def with_metadata(content: bytes, labels: list[str], mean: float, deviation: float) -> bytes:
    """The same with TFLite Metadata, as TFLite Model Maker writes them: labels.txt, and how to normalise the input."""

    def change(model: Any) -> None:
        schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = list(_metadata(mean, deviation))
        entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers)
        model.buffers.append(buffer)
        model.metadata = [*(model.metadata or []), entry]

    archive = io.BytesIO(edited(content, change))
    with zipfile.ZipFile(archive, "a") as zipped:
        zipped.writestr(zipfile.ZipInfo("labels.txt"), "\n".join(labels) + "\n", zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _metadata(mean: float, deviation: float) -> bytes:
    """ModelMetadata of metadata_schema.fbs, field by field: no package that has its generated code runs here."""
    flatbuffers = pytest.importorskip("flatbuffers")
    builder = flatbuffers.Builder(256)

    def table(fields: int, **slots: Any) -> int:
        builder.StartObject(fields)
        for slot, value in slots.items():
            kind, number = slot[0], int(slot[1:])
            if kind == "b":
                builder.PrependUint8Slot(number, value, 0)
            else:
                builder.PrependUOffsetTRelativeSlot(number, value, 0)
        return int(builder.EndObject())

    def listed(*tables: int) -> int:
        builder.StartVector(4, len(tables), 4)
        for one in reversed(tables):
            builder.PrependUOffsetTRelative(one)
        return int(builder.EndVector())

    def floats(value: float) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return int(builder.EndVector())

    options = table(2, o0=floats(mean), o1=floats(deviation))
    unit = table(2, b0=1, o1=options)
    name = builder.CreateString("labels.txt")
    file = table(5, o0=name, b2=2)
    graph = table(9, o2=listed(table(7, o4=listed(unit))), o3=listed(table(7, o6=listed(file))))
    builder.Finish(table(8, o3=listed(graph)), b"M001")
    return bytes(builder.Output())
