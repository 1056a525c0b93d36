"""Training checkpoints: an interrupted training continues after its last complete epoch."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convert.system.files import atomic_write

MEMBER = "training.json"
"""The file added to the .keras zip archive: which training it belongs to, and how many epochs are done."""


def save(model: Any, epochs_done: int, identity: Mapping[str, Any], path: Path) -> None:
    """Write the compiled model with its optimizer, atomically. ``identity``: the training's options and data."""
    with atomic_write(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, json.dumps({"epochs_done": epochs_done, "order": identity}))


def load(path: Path, identity: Mapping[str, Any]) -> tuple[Any, int]:
    """The model and the number of epochs done; (None, 0) if there is no file, or it is of another training."""
    try:
        with zipfile.ZipFile(path) as archive:
            training = json.loads(archive.read(MEMBER))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None, 0
    if training["order"] != identity:
        return None, 0
    import keras

    return keras.models.load_model(path), int(training["epochs_done"])
