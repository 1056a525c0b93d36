"""Training checkpoints: an interrupted training continues after its last complete epoch."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.system.files import atomic_write
from convert.training.progress_file import Epoch
from edge.errors import ConvertError
from edge.system.archive import DAMAGE

MEMBER = "training.json"
"""The file added to the .keras zip archive: which training it belongs to, the figures of the epochs done, and a sha256
of all that is in the archive. With that, what Keras reads is what it wrote: of a damaged optimizer it would only warn,
and begin with a new one."""
BEST = "best.npz"
"""The other one: the weights of the best epoch so far."""
CHANGED = {
    "classes": "classes", "epochs": "--epochs", "seed": "--seed", "data": "--data or --limit", "start": "--start",
    "also": "--also", "marks": "--marks",
}  # fmt: skip
"""What each part of a training's identity is called for a person."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training after some epochs."""

    model: Any
    """The compiled Keras model, with its optimizer."""
    epochs: tuple[Epoch, ...]
    """The figures of the epochs done, at least one."""
    best: list[NDArray[np.float32]]
    """The weights of the best of them, as ``model.get_weights()`` has them."""


def save(checkpoint: Checkpoint, identity: Mapping[str, Any], path: Path) -> None:
    """Write it, atomically. ``identity``: the training's options and data, whose names are those of CHANGED."""
    best = io.BytesIO()
    np.savez(best, *checkpoint.best)
    with atomic_write(path) as temporary:
        checkpoint.model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(BEST, best.getvalue())
            training = {"epochs": checkpoint.epochs, "identity": identity}
            archive.writestr(MEMBER, json.dumps({**training, "sha256": _digest(archive, training)}))


def load(path: Path, identity: Mapping[str, Any]) -> Checkpoint | None:
    """The checkpoint at ``path``; None if there is no file.

    Raises ConvertError if it is of another training, is not as it was written, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConvertError(f"{path}: cannot be read ({error.strerror}); choose another file with -o") from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            training = json.loads(archive.read(MEMBER))
            if training.pop("sha256") != _digest(archive, training):
                raise ValueError("it was changed")
            epochs, other = tuple(training["epochs"]), training["identity"]
            with np.load(io.BytesIO(archive.read(BEST))) as arrays:
                best = list(arrays.values())
    except (*DAMAGE, KeyError, TypeError, AttributeError) as error:
        raise _unusable(path) from error
    if changed := [name for key, name in CHANGED.items() if other.get(key) != identity.get(key)]:
        raise ConvertError(
            f"{path}: is of a training with {', '.join(changed)} other than here, {len(epochs)} epochs done; give the"
            " same to continue it, delete it to train anew, or choose another file with -o"
        )
    import keras

    try:
        return Checkpoint(keras.models.load_model(path), epochs, best)
    except Exception as error:  # another version of Keras can raise anything
        raise _unusable(path) from error


def _digest(archive: zipfile.ZipFile, training: Mapping[str, Any]) -> str:
    """A sha256 of all members but MEMBER, and of what that has to say."""
    digest = sha256(json.dumps(training).encode())
    for name in sorted(set(archive.namelist()) - {MEMBER}):
        digest.update(name.encode() + archive.read(name))
    return digest.hexdigest()


def _unusable(path: Path) -> ConvertError:
    return ConvertError(
        f"{path}: is damaged, or no checkpoint of these versions of edge-train and Keras; delete it to train anew, or"
        " choose another file with -o"
    )
