"""The progress of a training as a file: one line of JSON for each epoch, written as it goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from convert.system.files import atomic_write, not_writable

SCHEMA = 1
"""Version of ``convert/schema/progress.json``."""
Epoch = dict[str, float]
"""The figures of an epoch, as ``convert/schema/progress.json`` describes them."""


def start(path: Path, epochs: Sequence[Epoch]) -> None:
    """Begin the file anew, with the epochs that are done. Raises ConvertError."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"".join(map(_line, epochs)))


def add(path: Path, epoch: Epoch) -> None:
    """Append the line of one more epoch. Raises ConvertError."""
    try:
        # Unbuffered: the line is there at once, and whole.
        with path.open("ab", buffering=0) as file:
            file.write(_line(epoch))
    except OSError as error:
        raise not_writable(path, error) from error


def _line(epoch: Epoch) -> bytes:
    # JSON has no NaN, which is the loss of a training that diverges.
    figures = {name: value if isfinite(value) else None for name, value in epoch.items()}
    return json.dumps({"schema": SCHEMA, **figures}).encode() + b"\n"
