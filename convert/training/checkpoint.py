"""A training that was interrupted goes on after its last whole epoch: one .keras file, weights and optimizer."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convert.system.files import whole

MEMBER = "training.json"
"""The .keras file is a zip archive; this member says which training it belongs to, and how far it is."""


def save(model: Any, epochs_done: int, order: Mapping[str, Any], path: Path) -> None:
    """Write the compiled model, whole or not at all; ``order`` is what makes this training differ from others."""
    with whole(path) as half:
        model.save(half)
        with zipfile.ZipFile(half, "a") as archive:
            archive.writestr(MEMBER, json.dumps({"epochs_done": epochs_done, "order": order}))


def load(path: Path, order: Mapping[str, Any]) -> tuple[Any, int]:
    """The model and its epochs done; (None, 0) where there is no file, or one of another training."""
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.read(MEMBER))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None, 0
    if said["order"] != order:
        return None, 0
    import keras

    return keras.models.load_model(path), int(said["epochs_done"])
