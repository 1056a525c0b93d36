"""Training checkpoints: an interrupted training continues after its last complete epoch."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.system.files import atomic_write
from convert.training.progress_file import Epoch
from edge.errors import ConvertError

MEMBER = "training.json"
"""The file added to the .keras zip archive: which training it belongs to, and the figures of the epochs done."""
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
            archive.writestr(MEMBER, json.dumps({"epochs": checkpoint.epochs, "identity": identity}))


def load(path: Path, identity: Mapping[str, Any]) -> Checkpoint | None:
    """The checkpoint at ``path``; None if there is no file. Raises ConvertError if it is of another training."""
    try:
        with zipfile.ZipFile(path) as archive:
            training = json.loads(archive.read(MEMBER))
            epochs, other = tuple(training["epochs"]), training["identity"]
            with np.load(io.BytesIO(archive.read(BEST))) as arrays:
                best = list(arrays.values())
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ConvertError(
            f"{path}: is no checkpoint of this version of edge-train; delete it to train anew, or choose another file"
            " with -o"
        ) from error
    if changed := [name for key, name in CHANGED.items() if other.get(key) != identity.get(key)]:
        raise ConvertError(
            f"{path}: is of a training with {', '.join(changed)} other than here, {len(epochs)} epochs done; give the"
            " same to continue it, delete it to train anew, or choose another file with -o"
        )
    import keras

    return Checkpoint(keras.models.load_model(path), epochs, best)
