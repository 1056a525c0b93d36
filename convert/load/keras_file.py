"""A Keras file, opened without Keras: what is in it, and the same model again with another architecture."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.load.foreign import ZIP, foreign_archive
from edge.errors import ConvertError
from edge.system.text import one_line

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
"""The members of a .keras: architecture, versions, weights (Keras 3, ``saving_lib.py``)."""
DAMAGE = (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What h5py and zipfile raise on files cut short or changed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a Keras file says of itself."""

    architecture: dict[str, Any] | None
    """As Keras wrote it down; None for weights only."""
    version: str
    """Of the Keras that wrote it, such as 1.2.2; empty where the file does not say."""
    backend: str
    """What it computed with: tensorflow, theano, ...; empty where the file does not say."""
    legacy: bool
    """Whether its weights are kept as Keras 1 and 2 did, each layer's in a group of its own."""


def read(path: Path) -> Stored:
    """What a Keras file, HDF5 or zip, says of itself. Raises ConvertError where it is damaged or something else."""
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(ZIP)) == ZIP
        return _zipped(path) if is_zip else _hdf5(path)
    except DAMAGE as error:
        if isinstance(error, ConvertError):
            raise
        raise ConvertError(f"{path}: is damaged or cut short ({one_line(error, 120)}); copy it again") from error


def write(path: Path, stored: Stored, architecture: dict[str, Any], folder: Path) -> Path:
    """A copy in ``folder`` of the file at ``path``, with this architecture and a name that Keras takes."""
    if path.read_bytes()[:4] == ZIP:
        return _written(folder, architecture, path)
    if stored.architecture is None and not stored.legacy:
        # Weights only, the way Keras 3 keeps them: a .keras is just these, zipped with the architecture.
        return _written(folder, architecture, None, path)
    import h5py

    copy = folder / "model.h5"
    if stored.architecture is not None:
        shutil.copyfile(path, copy)
    with h5py.File(path, "r") as old, h5py.File(copy, "a") as new:
        new.attrs["model_config"] = json.dumps(architecture)
        if stored.architecture is None:
            weights = new.create_group("model_weights")
            for name in old:
                old.copy(name, weights)
            for name, value in old.attrs.items():
                weights.attrs[name] = value
    return copy


def zipped(path: Path, folder: Path) -> Path:
    """A .keras in ``folder`` of one that was unpacked into the folder ``path``."""
    archive = folder / f"{path.name}.keras"
    with zipfile.ZipFile(archive, "w") as new:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                new.write(file, file.relative_to(path))
    return archive


def _zipped(path: Path) -> Stored:
    with zipfile.ZipFile(path) as zipped:
        names = zipped.namelist()
        if CONFIG not in names or WEIGHTS not in names:
            raise foreign_archive(path, names)
        if damaged := zipped.testzip():
            raise ConvertError(f"{path}: is damaged or cut short ({damaged}); copy it again")
        metadata = json.loads(zipped.read(METADATA)) if METADATA in names else {}
        architecture = _parsed(zipped.read(CONFIG), path)
    return Stored(architecture, str(metadata.get("keras_version", "")), "", legacy=False)


def _hdf5(path: Path) -> Stored:
    import h5py

    with h5py.File(path, "r") as stored:
        _refuse_links(stored, path)
        weights = stored.get("model_weights", stored)
        legacy = any(name.startswith("layer_names") for name in weights.attrs)
        if not legacy and not {"layers", "_layer_checkpoint_dependencies"} & set(stored):
            what = "has weights of Keras 0" if "nb_layers" in weights.attrs else "is HDF5, but no Keras model"
            raise ConvertError(f"{path}: {what}; save the whole model with model.save('model.keras')")
        text = _text(stored.attrs.get("model_config"))
        architecture = _parsed(text, path) if text else None
        version = _text(stored.attrs.get("keras_version") or weights.attrs.get("keras_version"))
        backend = _text(weights.attrs.get("backend") or stored.attrs.get("backend"))
        return Stored(architecture, version, backend or _old_backend(weights, version), legacy)


def _old_backend(weights: Any, version: str) -> str:
    """Keras 1 did not write its backend down, but TensorFlow's variables have names such as dense_1_W:0."""
    if version and not version.startswith("1."):
        return ""
    names = [name for layer in weights.values() for name in layer.attrs.get("weight_names", ())]
    tensorflow = any(_text(name).endswith(":0") for name in names)
    return "tensorflow" if tensorflow or not names else "theano"


def _refuse_links(group: Any, path: Path) -> None:
    """HDF5 can take its numbers from any other file on the machine; a model does not."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ConvertError(f"{path}: its {name} is a link to elsewhere; save the whole model in one file")
        part = group[name]
        if isinstance(part, h5py.Group):
            _refuse_links(part, path)
        elif part.external:
            raise ConvertError(f"{path}: its {name} is kept in another file; save the whole model in one file")


def _written(folder: Path, architecture: dict[str, Any], archive: Path | None, weights: Path | None = None) -> Path:
    """A .keras of this architecture, the rest of it from another .keras or a file of weights."""
    copy = folder / "model.keras"
    with zipfile.ZipFile(copy, "w") as new:
        # to_json() of Keras 2 leaves out the module, which a .keras has.
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


def _parsed(text: str | bytes, path: Path) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ConvertError(f"{path}: its architecture is damaged ({error}); save it again") from error
    if not isinstance(parsed, dict) or "class_name" not in parsed or "config" not in parsed:
        raise ConvertError(f"{path}: its architecture is none that Keras writes; save it again")
    return parsed


def read_architecture(path: Path) -> Stored:
    """What a JSON file of ``model.to_json()`` says. Raises ConvertError where it is none."""
    try:
        parsed = _parsed(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConvertError(
            f"{path}: cannot be read ({one_line(error, 120)}); name the JSON of model.to_json()"
        ) from error
    version, backend = str(parsed.get("keras_version", "")), str(parsed.get("backend", ""))
    return Stored(parsed, version, backend, legacy=True)


def _text(value: Any) -> str:
    """An HDF5 attribute: h5py gives bytes for some kinds of strings."""
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)
