"""Keras files made to hurt: HDF5 and zip archives that lie, link, nest and swell."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.hostile.architectures import ESCAPE, aliases, architecture, layers

MEBI = 2**20
Change = Callable[[h5py.File], None]


def plain(path: Path, made: list[dict[str, Any]] | None = None, **more: Any) -> Path:
    """An .h5 as Keras 3 writes it, of one dense layer or of these layers."""
    with h5py.File(path, "w", libver="latest") as stored:
        stored.attrs["keras_version"], stored.attrs["backend"] = "3.5.0", "tensorflow"
        stored.attrs["model_config"] = json.dumps(architecture(made))
        weights = stored.create_group("model_weights")
        weights.attrs["layer_names"] = [b"dense"]
        weights.attrs["keras_version"], weights.attrs["backend"] = "3.5.0", "tensorflow"
        dense = weights.create_group("dense")
        dense.attrs["weight_names"] = [b"dense/kernel", b"dense/bias"]
        dense["dense/kernel"], dense["dense/bias"] = np.zeros((784, 10), "f4"), np.zeros(10, "f4")
        for name, value in more.items():
            stored.attrs[name] = value
    return path


def hdf5(folder: Path, canary: Path) -> Iterator[Path]:
    """Hostile .h5 files; ``canary`` is a file that none of them may read."""
    for name, change in changes(canary).items():
        path = plain(folder / f"h5-{name}.h5")
        with h5py.File(path, "r+", libver="latest") as stored:
            change(stored)
        yield path
    for name, made in layers().items():
        yield plain(folder / f"h5-{name}.h5", made)
    for name, text in _texts().items():
        yield plain(folder / f"h5-text-{name}.h5", model_config=text)
    for name, config in aliases().items():
        yield plain(folder / f"h5-alias-{name}.h5", model_config=json.dumps(config))
    yield plain(folder / "h5-version.h5", keras_version=ESCAPE)
    yield plain(folder / "h5-version-number.h5", keras_version=3.5)
    yield from damaged(plain(folder / "h5-whole.h5"), 12)


def damaged(whole: Path, count: int) -> Iterator[Path]:
    """Copies of a file that are cut short or have bytes changed; the file itself is removed."""
    content, chance = whole.read_bytes(), random.Random(whole.name)
    for number in range(count):
        part = bytearray(content)
        if number % 2:
            del part[chance.randrange(len(part)) :]
        else:
            for _ in range(1 + number):
                part[chance.randrange(min(len(part), 4000))] = chance.randrange(256)
        path = whole.with_name(f"{whole.stem}-damaged-{number}{whole.suffix}")
        path.write_bytes(part)
        yield path
    whole.unlink()


def changes(canary: Path) -> dict[str, Change]:
    def external(stored: h5py.File) -> None:
        stored["model_weights/dense"].create_dataset("more", (4,), "f4", external=[(str(canary), 0, 16)])

    def external_kernel(stored: h5py.File) -> None:
        del stored["model_weights/dense/dense/kernel"]
        stored["model_weights/dense"].create_dataset(
            "dense/kernel", (784, 10), "f4", external=[(str(canary), 0, 31360)]
        )

    def virtual(stored: h5py.File) -> None:
        layout = h5py.VirtualLayout((784, 10), "f4")
        layout[:] = h5py.VirtualSource(str(canary), "x", (784, 10))
        del stored["model_weights/dense/dense/kernel"]
        stored["model_weights/dense"].create_virtual_dataset("dense/kernel", layout)

    def linked(stored: h5py.File) -> None:
        stored["model_weights/other"] = h5py.ExternalLink(str(canary), "/")

    def soft(stored: h5py.File) -> None:
        stored["model_weights/other"] = h5py.SoftLink("/model_weights/dense")

    def loop(stored: h5py.File) -> None:
        stored["model_weights/dense/again"] = stored["model_weights"]

    def doubled(stored: h5py.File) -> None:
        group = stored["model_weights/dense"]
        for _ in range(40):
            inner = stored.create_group(f"g{len(stored)}")
            inner["a"] = inner["b"] = group
            group = inner
        stored["model_weights/many"] = group

    def twice(stored: h5py.File) -> None:
        stored["model_weights/dense/second"] = stored["model_weights/dense/dense/kernel"]

    def deep(stored: h5py.File) -> None:
        stored.create_group("model_weights/" + "/".join("g" * 1000))

    def many(stored: h5py.File) -> None:
        for number in range(30_000):
            stored.create_group(f"model_weights/g{number}")

    def huge(stored: h5py.File) -> None:
        stored["model_weights/dense"].create_dataset("huge", (2**20, 2**20), "f4", chunks=(1024, 1024))

    def bomb(stored: h5py.File) -> None:
        stored["model_weights/dense"].create_dataset(
            "bomb", data=np.zeros(300 * MEBI // 4, "f4"), chunks=(MEBI,), compression="gzip"
        )

    def endless(stored: h5py.File) -> None:
        stored["model_weights/dense"].create_dataset("endless", (0,), "f4", maxshape=(None,), chunks=(2**28,))

    def words(stored: h5py.File) -> None:
        stored["model_weights/dense"].create_dataset("words", data=["a" * 1000] * 1000, dtype=h5py.string_dtype())

    def references(stored: h5py.File) -> None:
        stored["model_weights/dense"].create_dataset("references", data=[stored.ref] * 3, dtype=h5py.ref_dtype)

    def table(stored: h5py.File) -> None:
        stored["model_weights/dense/table"] = np.zeros(3, [("a", "f4"), ("b", "S9")])

    def kind(stored: h5py.File) -> None:
        stored["model_weights/kind"] = np.dtype("f4")

    def named(stored: h5py.File) -> None:
        stored["model_weights"].attrs["layer_names"] = [ESCAPE.encode()]

    def numbers(stored: h5py.File) -> None:
        stored["model_weights"].attrs["layer_names"] = np.arange(5)

    def names(stored: h5py.File) -> None:
        stored["model_weights"].attrs["layer_names"] = [b"dense"] * 50_000

    def bytes_(stored: h5py.File) -> None:
        stored["model_weights"].attrs["backend"] = np.bytes_(b"\xff\xfe")

    def group(stored: h5py.File) -> None:
        del stored["model_weights/dense/dense/kernel"]
        stored.create_group("model_weights/dense/dense/kernel")

    def missing(stored: h5py.File) -> None:
        del stored["model_weights/dense"]

    def shape(stored: h5py.File) -> None:
        del stored["model_weights/dense/dense/kernel"]
        stored["model_weights/dense/dense/kernel"] = np.zeros((2, 2), "f4")

    return {
        "external": external, "external-kernel": external_kernel, "virtual": virtual, "linked": linked, "soft": soft,
        "loop": loop, "doubled": doubled, "twice": twice, "deep": deep, "many": many, "huge": huge, "bomb": bomb,
        "endless": endless, "words": words, "references": references, "table": table, "kind": kind, "named": named,
        "numbers": numbers, "names": names, "bytes": bytes_, "group": group, "missing": missing, "shape": shape,
    }  # fmt: skip


def _texts() -> dict[str, Any]:
    return {
        "list": "[]", "null": "null", "number": 7, "half": '{"class_name": "Sequential", "config": ',
        "deep": '{"class_name": "Sequential", "config": ' + "[" * 50_000 + "]" * 50_000 + "}",
        "deep-tables": '{"class_name": "Sequential", "config": ' + '{"a":' * 900 + "1" + "}" * 901,
        "integer": '{"class_name": "Sequential", "config": 1' + "0" * 5000 + "}",
        "class": '{"class_name": ["Sequential"], "config": {}}', "empty": '{"class_name": "Sequential", "config": {}}',
        "config": '{"class_name": "Functional", "config": []}', "bytes": np.bytes_(b"\xff\xfe{}"),
        "keras-1": '{"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"nb_filter": {}}}]}',
    }  # fmt: skip


def archives(folder: Path, canary: Path) -> Iterator[Path]:
    """Hostile .keras files."""
    weights = _weights(folder)
    parts = {
        "config.json": json.dumps(architecture()).encode(), "metadata.json": b'{"keras_version": "3.5.0"}',
        "model.weights.h5": weights,
    }  # fmt: skip
    for name, changed in _members(parts, folder, canary).items():
        yield _packed(folder / f"zip-{name}.keras", {**parts, **changed})
    for name, config in aliases().items():
        # Of Keras 2, which tf_keras would read.
        changed = {"config.json": json.dumps(config).encode(), "metadata.json": b'{"keras_version": "2.15.0"}'}
        yield _packed(folder / f"zip-alias-{name}.keras", {**parts, **changed})
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        yield _packed(folder / f"zip-{name}.keras", parts, method)
    whole = _packed(folder / "zip-whole.keras", parts).read_bytes()
    for name, old, new in (
        ("encrypted", b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0"),
        ("method", b"PK\1\2\x14\x03\x14\0\0\0\x08\0", b"PK\1\2\x14\x03\x14\0\0\0\x63\0"),
        ("renamed", b"config.json", b"../../x.jso"),
    ):
        path = folder / f"zip-{name}.keras"
        path.write_bytes(whole.replace(old, new))
        yield path
    for name, size in (("directory", 2**31), ("directory-small", 3)):
        path = folder / f"zip-{name}.keras"
        path.write_bytes(whole[:-10] + struct.pack("<L", size) + whole[-6:])
        yield path
    crowd = io.BytesIO(whole)
    with zipfile.ZipFile(crowd, "a") as zipped:
        for number in range(30_000):
            zipped.writestr(f"{number}", b"")
    path = folder / "zip-crowd.keras"
    path.write_bytes(crowd.getvalue())
    yield path
    yield from damaged(folder / "zip-whole.keras", 12)


def _members(parts: dict[str, bytes], folder: Path, canary: Path) -> dict[str, dict[str, bytes]]:
    linked = {}
    for name, change in changes(canary).items():
        if name in ("linked", "virtual", "external", "external-kernel", "doubled", "loop", "huge"):
            path = plain(folder / "inner.h5")
            with h5py.File(path, "r+", libver="latest") as stored:
                change(stored)
            linked[f"weights-{name}"] = {"model.weights.h5": path.read_bytes()}
            path.unlink()
    zeros = bytes(300 * MEBI)
    return {
        **linked,
        "bomb": {"model.weights.h5": zeros},
        "config-bomb": {"config.json": b'{"a": "' + b" " * 60 * MEBI + b'"}'},
        "metadata-bomb": {"metadata.json": b" " * 60 * MEBI + b"{}"},
        "assets": {"assets/dense/vocabulary.txt": b"secret", "../../../tmp/escaped": b"x"},
        "metadata-list": {"metadata.json": b"[]"},
        "metadata-median": {"metadata.json": b'{"median": true}'},
        "metadata-text": {"metadata.json": b'"x"'},
        "metadata-null": {"metadata.json": b"null"},
        "metadata-number": {"metadata.json": b"1" + b"0" * 5000},
        "metadata-version": {"metadata.json": json.dumps({"keras_version": ESCAPE}).encode()},
        "config-list": {"config.json": b"[]"},
        "config-deep": {"config.json": b"[" * 100_000},
        "config-lambda": {"config.json": json.dumps(architecture(layers()["lambda"])).encode()},
        "config-module": {"config.json": json.dumps(architecture(layers()["module"])).encode()},
        "config-get-file": {"config.json": json.dumps(architecture(layers()["get-file"])).encode()},
        "config-registered": {
            "config.json": json.dumps({**architecture(), "registered_name": ESCAPE, "module": "os"}).encode()
        },
        "weights-text": {"model.weights.h5": b"hello"},
        "weights-zip": {"model.weights.h5": parts["config.json"]},
        "weights-empty": {"model.weights.h5": b""},
    }


def _weights(folder: Path) -> bytes:
    """The weights of a .keras: one group for each layer."""
    path = folder / "inner.h5"
    with h5py.File(path, "w") as stored:
        variables = stored.create_group("layers/dense/vars")
        variables["0"], variables["1"] = np.zeros((784, 10), "f4"), np.zeros(10, "f4")
        stored.create_group("layers/flatten/vars")
        stored.create_group("vars")
    content = path.read_bytes()
    path.unlink()
    return content


def _packed(path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return path
