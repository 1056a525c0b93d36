"""Read a Keras file without Keras, and write a copy of it with another architecture."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.load import hdf5, sizes
from convert.load.file_type import ZIP, archive_error
from edge.errors import ConvertError
from edge.system import archive
from edge.system.text import one_line, parse_json

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
"""The members of a .keras file: architecture, versions, weights (Keras 3, ``saving_lib.py``)."""
MAX_TEXT_BYTES = 16 * 2**20
"""The largest architecture, in bytes of JSON. Chosen: ResNet-152's has about 1 MB."""
MAX_NESTING = 200
"""How deep tables and lists may be inside one another in it. Chosen: a model within models has about 40."""
MAX_PARTS = 200_000
"""How many tables, lists, texts and numbers may be in it. Measured: NASNet-Large has 61,795, ResNet-152 31,872."""
DAMAGE_ERRORS = (*archive.DAMAGE, KeyError, TypeError)
"""What h5py and zipfile raise for truncated or changed files."""


@dataclass(frozen=True, slots=True)
class KerasFile:
    """What a Keras file contains besides its weights."""

    architecture: dict[str, Any] | None
    """The architecture as Keras wrote it; None if the file contains weights only."""
    version: str
    """Version of the Keras that wrote it, such as 1.2.2; empty if the file does not say."""
    backend: str
    """The backend that it was trained with: tensorflow, theano, …; empty if the file does not say."""
    has_layer_groups: bool
    """Whether weights are stored as in Keras 1 and 2, with one HDF5 group for each layer."""


def read(file: Path, path: Path | None = None) -> KerasFile:
    """Read a Keras file, HDF5 or zip; ``path`` is its name for errors, if that is another.

    Raises ConvertError if it is damaged, too large, or something else.
    """
    path = path or file
    with _damage_is_said(path):
        with file.open("rb") as opened:
            is_zip = opened.read(len(ZIP)) == ZIP
        return _read_zip(file, path) if is_zip else _read_hdf5(file, path)


@contextmanager
def _damage_is_said(path: Path) -> Iterator[None]:
    """Raise ConvertError, with the name ``path``, for what h5py and zipfile raise."""
    try:
        yield
    except DAMAGE_ERRORS as error:
        if isinstance(error, ConvertError):
            raise
        raise ConvertError(f"{path}: is damaged or cut short ({one_line(error, 120)}); copy it again") from error


def write_copy(path: Path, content: KerasFile, architecture: dict[str, Any], folder: Path) -> Path:
    """Write a copy of the file at ``path`` to ``folder``, with another architecture and a name that Keras accepts.

    Raises ConvertError if the file is damaged where ``read`` did not look.
    """
    with _damage_is_said(path):
        return _write_copy(path, content, architecture, folder)


def _write_copy(path: Path, content: KerasFile, architecture: dict[str, Any], folder: Path) -> Path:
    if path.read_bytes()[:4] == ZIP:
        return _write_keras(folder, architecture, path)
    if content.architecture is None and not content.has_layer_groups:
        # Weights only, as Keras 3 stores them: zipped with the architecture they are a .keras file.
        return _write_keras(folder, architecture, None, path)
    import h5py

    copy = folder / "model.h5"
    if content.architecture is not None:
        shutil.copyfile(path, copy)
    with h5py.File(path, "r") as old, h5py.File(copy, "a") as new:
        new.attrs["model_config"] = json.dumps(architecture)
        if content.architecture is None:
            weights = new.create_group("model_weights")
            for name in old:
                old.copy(name, weights)
            for name, value in old.attrs.items():
                weights.attrs[name] = value
    return copy


def zip_folder(path: Path, folder: Path) -> Path:
    """Zip an unpacked .keras, the folder ``path``, into a .keras file in ``folder``."""
    packed = folder / "unpacked.keras"
    # Before 1980 there is no date in a zip archive.
    with zipfile.ZipFile(packed, "w", strict_timestamps=False) as new:
        for file in sizes.files(path):
            new.write(file, file.relative_to(path))
    return packed


def _read_zip(file: Path, path: Path) -> KerasFile:
    with file.open("rb") as opened, archive.opened(opened) as zipped:
        names = zipped.namelist()
        if CONFIG not in names or WEIGHTS not in names:
            raise archive_error(path, names)
        metadata = json.loads(_member(zipped, METADATA, path)) if METADATA in names else {}
        if not isinstance(metadata, dict):
            raise ConvertError(f"{path}: its {METADATA} is not in the form that Keras writes; save it again")
        architecture = _parse(_member(zipped, CONFIG, path), path)
        weights = _member(zipped, WEIGHTS, path)
    import h5py

    with h5py.File(io.BytesIO(weights), "r") as stored:
        hdf5.check(stored, path)
    return KerasFile(architecture, str(metadata.get("keras_version", "")), "", has_layer_groups=False)


def _member(zipped: zipfile.ZipFile, name: str, path: Path) -> bytes:
    limit = sizes.MAX_BYTES if name == WEIGHTS else MAX_TEXT_BYTES
    try:
        return archive.member(zipped, name, limit)
    except archive.DAMAGE as error:
        raise ConvertError(f"{path}: its {name} is damaged ({one_line(error, 120)}); save it again") from error


def _read_hdf5(file: Path, path: Path) -> KerasFile:
    import h5py

    with h5py.File(file, "r") as stored:
        hdf5.check(stored, path)
        weights = stored.get("model_weights", stored)
        has_layer_groups = any(name.startswith("layer_names") for name in weights.attrs)
        if not has_layer_groups and not {"layers", "_layer_checkpoint_dependencies"} & set(stored):
            what = (
                "has weights of Keras 0" if "nb_layers" in weights.attrs else "is an HDF5 file, but not a Keras model"
            )
            raise ConvertError(f"{path}: {what}; save the whole model with model.save('model.keras')")
        text = _text(stored.attrs.get("model_config"))
        architecture = _parse(text, path) if text else None
        version = _text(stored.attrs.get("keras_version") or weights.attrs.get("keras_version"))
        backend = _text(weights.attrs.get("backend") or stored.attrs.get("backend"))
        return KerasFile(architecture, version, backend or _old_backend(weights, version), has_layer_groups)


def _old_backend(weights: Any, version: str) -> str:
    """Keras 1 did not store its backend, but names of TensorFlow's variables end in :0, such as dense_1_W:0."""
    if version and not version.startswith("1."):
        return ""
    names = [name for layer in weights.values() for name in layer.attrs.get("weight_names", ())]
    tensorflow = any(_text(name).endswith(":0") for name in names)
    return "tensorflow" if tensorflow or not names else "theano"


def _write_keras(folder: Path, architecture: dict[str, Any], packed: Path | None, weights: Path | None = None) -> Path:
    """Write a .keras of this architecture; the rest comes from another .keras or from a file of weights."""
    copy = folder / "model.keras"
    with zipfile.ZipFile(copy, "w") as new:
        # A .keras must have the module, which to_json() of Keras 2 leaves out.
        new.writestr(CONFIG, json.dumps({"module": "keras", "registered_name": None, **architecture}))
        if packed:
            with packed.open("rb") as file, archive.opened(file) as old:
                # Nothing else: Keras would give other members to the layers that read files.
                for name in (METADATA, WEIGHTS):
                    if name in old.namelist():
                        new.writestr(name, _member(old, name, packed))
        if weights:
            new.writestr(METADATA, json.dumps({"keras_version": "3.0.0"}))
            new.write(weights, WEIGHTS)
    return copy


def _parse(text: str | bytes, path: Path) -> dict[str, Any]:
    try:
        if len(text) > MAX_TEXT_BYTES:
            raise ValueError(f"it is larger than {sizes.mebibytes(MAX_TEXT_BYTES)}")
        parsed = parse_json(text)
        _check_size(parsed)
    except ValueError as error:
        raise ConvertError(f"{path}: its architecture is damaged ({one_line(error, 120)}); save it again") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("class_name"), str) or "config" not in parsed:
        raise ConvertError(f"{path}: its architecture is not in the form that Keras writes; save it again")
    return parsed


def _check_size(parsed: Any) -> None:
    """Raise ValueError if JSON has more levels than MAX_NESTING, or more parts than MAX_PARTS."""
    level, count = [parsed], 1
    for _ in range(MAX_NESTING):
        tables = [part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list)]
        count += sum(map(len, tables))
        if count > MAX_PARTS:
            raise ValueError(f"it has more than {MAX_PARTS:,} parts")
        level = [inner for table in tables for inner in table]
    if level:
        raise ValueError(f"its parts are more than {MAX_NESTING} deep inside one another")


def read_architecture(path: Path) -> KerasFile:
    """Read a JSON file from ``model.to_json()``. Raises ConvertError if it is something else."""
    try:
        parsed = _parse(sizes.read(path, MAX_TEXT_BYTES).decode(), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConvertError(
            f"{path}: cannot be read ({one_line(error, 120)}); give the JSON file from model.to_json()"
        ) from error
    version, backend = str(parsed.get("keras_version", "")), str(parsed.get("backend", ""))
    return KerasFile(parsed, version, backend, has_layer_groups=True)


def _text(value: Any) -> str:
    """An HDF5 attribute as text: h5py returns bytes for some kinds of strings."""
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)
