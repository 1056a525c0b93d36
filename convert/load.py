"""Any Keras file -> a model that classifies ten digits, or a clear refusal."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from edge.card import DIGITS, NONE
from edge.errors import ConvertError

HDF5 = b"\x89HDF\r\n\x1a\n"
"""How an HDF5 file begins (HDF5 file format specification, III.A), and so does a Keras .h5."""
ZIP = b"PK\x03\x04"
"""How a zip archive begins, and so does a Keras .keras."""
LABELS = {10: DIGITS, 11: (*DIGITS, NONE)}
"""What the outputs stand for, by their number."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A Keras model and where it came from."""

    model: Any
    """A ``keras.Model``, or a ``tf_keras.Model`` for a file that only Keras 2 reads."""
    path: Path
    sha256: str
    keras: str
    """The Keras that loaded it: ``keras 3.15.1`` or ``tf_keras 2.21.0``."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of its outputs stands for."""
        return LABELS[math.prod(self.model.output_shape[1:])]


def load(path: Path) -> Loaded:
    """The model in a Keras file (.h5 or .keras). Raises ConvertError, which says why it is refused."""
    content = _content(path)
    _refuse_code(_config(path, content), path)
    model, keras = _model(path)
    _check_classifier(model, path)
    return Loaded(model, path, sha256(content).hexdigest(), keras)


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise ConvertError(f"{path}: is a folder; name the .h5 file of a Keras model")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConvertError(f"{path}: no such file; name the .h5 file of a Keras model") from error
    except OSError as error:
        raise ConvertError(f"{path}: cannot be read ({error.strerror}); name the .h5 file of a Keras model") from error
    if not content.startswith((HDF5, ZIP)):
        what = "is empty" if not content else "is no Keras file"
        raise ConvertError(f"{path}: {what}; save one with model.save('model.h5')")
    return content


def _config(path: Path, content: bytes) -> Any:
    """The architecture as Keras wrote it down, parsed."""
    import h5py

    try:
        if content.startswith(ZIP):
            with zipfile.ZipFile(path) as zipped:
                return json.loads(zipped.read("config.json"))
        with h5py.File(path, "r") as stored:
            text = stored.attrs.get("model_config")
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ConvertError(f"{path}: is damaged or cut short ({_line(error)}); copy it again") from error
    if text is None:
        raise ConvertError(
            f"{path}: has weights only, no architecture; build the model, load_weights(), then model.save('model.h5')"
        )
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConvertError(f"{path}: its architecture is damaged ({error}); save it again") from error


def _refuse_code(config: Any, path: Path) -> None:
    """Keras's own safe mode did not cover .h5 before 3.11.3 (CVE-2025-9905), and tf_keras's does not at all."""
    if isinstance(config, dict):
        if config.get("class_name") in ("Lambda", "__lambda__"):
            raise ConvertError(
                f"{path}: has a Lambda layer, which is program code that would run on loading;"
                " replace it by Keras's own layers (Rescaling, Reshape, ...) and save again"
            )
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            _refuse_code(part, path)


def _model(path: Path) -> tuple[Any, str]:
    """The model, from Keras 3, else from tf_keras: files of Keras 1 and 2 that Keras 3 no longer reads, or misreads."""
    refusal: Exception | None = None
    for name in ("keras", "tf_keras") if path.suffix != ".keras" else ("keras",):
        try:
            keras = import_module(name)
            # The loss and the optimizer are not needed, and may be somebody's own.
            model = keras.models.load_model(path, compile=False)
            _check_classifier(model, path)
            return model, f"{name} {keras.__version__}"
        except Exception as error:  # Keras raises whatever its layers do
            refusal = refusal or error
    if isinstance(refusal, ConvertError | ModuleNotFoundError):
        raise refusal
    raise ConvertError(f"{path}: Keras cannot load it ({_line(refusal)}); save it again with Keras 3") from refusal


def _check_classifier(model: Any, path: Path) -> None:
    inputs, outputs = getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        raise ConvertError(
            f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs; a classifier of digits has one of each"
        )
    sizes = model.output_shape[1:]
    if None in sizes or math.prod(sizes) not in LABELS:
        raise ConvertError(
            f"{path}: gives an output of shape {model.output_shape}; a classifier of the digits 0 to 9"
            " gives (None, 10), or (None, 11) where the last is what is no digit"
        )


def _line(error: BaseException | None) -> str:
    """An error's text as one short line: of Keras's nested ones, the innermost."""
    return " ".join(str(error).split()).rpartition("Exception encountered: ")[2][:120]
