"""Read a Keras file without Keras, and write a copy of it with another architecture."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.load.file_type import ZIP, archive_error
from edge.errors import ConvertError
from edge.system.text import one_line

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
"""The members of a .keras file: architecture, versions, weights (Keras 3, ``saving_lib.py``)."""
DAMAGE_ERRORS = (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)
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


def read(path: Path) -> KerasFile:
    """Read a Keras file, HDF5 or zip. Raises ConvertError if it is damaged or something else."""
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(ZIP)) == ZIP
        return _read_zip(path) if is_zip else _read_hdf5(path)
    except DAMAGE_ERRORS as error:
        if isinstance(error, ConvertError):
            raise
        raise ConvertError(f"{path}: is damaged or cut short ({one_line(error, 120)}); copy it again") from error


def write_copy(path: Path, content: KerasFile, architecture: dict[str, Any], folder: Path) -> Path:
    """Write a copy of the file at ``path`` to ``folder``, with another architecture and a name that Keras accepts."""
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
    archive = folder / f"{path.name}.keras"
    with zipfile.ZipFile(archive, "w") as new:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                new.write(file, file.relative_to(path))
    return archive


def _read_zip(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as zipped:
        names = zipped.namelist()
        if CONFIG not in names or WEIGHTS not in names:
            raise archive_error(path, names)
        if damaged := zipped.testzip():
            raise ConvertError(f"{path}: is damaged or cut short ({damaged}); copy it again")
        metadata = json.loads(zipped.read(METADATA)) if METADATA in names else {}
        architecture = _parse(zipped.read(CONFIG), path)
    return KerasFile(architecture, str(metadata.get("keras_version", "")), "", has_layer_groups=False)


def _read_hdf5(path: Path) -> KerasFile:
    import h5py

    with h5py.File(path, "r") as stored:
        _refuse_links(stored, path)
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


def _refuse_links(group: Any, path: Path) -> None:
    """Raise ConvertError for links: HDF5 can read data from any file on the machine; a model does not need that."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ConvertError(f"{path}: its {name} is a link to other data; save the whole model in one file")
        part = group[name]
        if isinstance(part, h5py.Group):
            _refuse_links(part, path)
        elif part.external:
            raise ConvertError(f"{path}: its {name} is stored in another file; save the whole model in one file")


def _write_keras(folder: Path, architecture: dict[str, Any], archive: Path | None, weights: Path | None = None) -> Path:
    """Write a .keras of this architecture; the rest comes from another .keras or from a file of weights."""
    copy = folder / "model.keras"
    with zipfile.ZipFile(copy, "w") as new:
        # A .keras must have the module, which to_json() of Keras 2 leaves out.
        new.writestr(CONFIG, json.dumps({"module": "keras", "registered_name": None, **architecture}))
        if archive:
            with zipfile.ZipFile(archive) as old:
                for name in old.namelist():
                    if name != CONFIG:
                        new.writestr(name, old.read(name))
        if weights:
            new.writestr(METADATA, json.dumps({"keras_version": "3.0.0"}))
            new.write(weights, WEIGHTS)
    return copy


def _parse(text: str | bytes, path: Path) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ConvertError(f"{path}: its architecture is damaged ({error}); save it again") from error
    if not isinstance(parsed, dict) or "class_name" not in parsed or "config" not in parsed:
        raise ConvertError(f"{path}: its architecture is not in the form that Keras writes; save it again")
    return parsed


def read_architecture(path: Path) -> KerasFile:
    """Read a JSON file from ``model.to_json()``. Raises ConvertError if it is something else."""
    try:
        parsed = _parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConvertError(
            f"{path}: cannot be read ({one_line(error, 120)}); give the JSON file from model.to_json()"
        ) from error
    version, backend = str(parsed.get("keras_version", "")), str(parsed.get("backend", ""))
    return KerasFile(parsed, version, backend, has_layer_groups=True)


def _text(value: Any) -> str:
    """An HDF5 attribute as text: h5py returns bytes for some kinds of strings."""
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)
