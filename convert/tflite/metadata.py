"""TFLite Metadata: what the maker of a .tflite says of its input and output, as TFLite Model Maker writes it.

It is a FlatBuffer of its own in a buffer named ``TFLITE_METADATA``; the files that it names are in a zip archive behind
the model. Fields: metadata_schema.fbs of https://github.com/tensorflow/tflite-support.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge.model.numpy_tflite.flatbuffer import Damaged, Table
from edge.system import archive
from edge.system.text import MAX_TEXT, printable

BUFFER = "TFLITE_METADATA"
"""The name of its buffer in the model's own list of metadata."""
MAX_LABELS_BYTES = 100_000
"""The largest file of labels that is read, in bytes."""
_NORMALISATION, _AXIS_LABELS = 1, 2
"""In ProcessUnitOptions and AssociatedFileType."""
_WORDS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a file says of itself; nobody has tried whether it is true."""

    labels: tuple[str, ...] = ()
    """The label of each output; digits written as words are digits. Empty if it does not say."""
    black_and_white: tuple[float, float] | None = None
    """The input values for a black and a white pixel; None if it does not say."""


def read(content: bytes) -> Described:
    """What the bytes of a .tflite say; nothing if there is no such metadata, or it is damaged."""
    try:
        metadata = _metadata(content)
        graphs = metadata.tables(10) if metadata else []
        inputs, outputs = (graphs[0].tables(field) for field in (8, 10)) if graphs else ([], [])
        named = [file for file in (outputs[0].tables(16) if outputs else []) if file.number(8, "b") == _AXIS_LABELS]
        return Described(
            labels=_labels(content, named[0].text(4) if named else ""),
            black_and_white=_black_and_white(inputs[0]) if inputs else None,
        )
    except Damaged:
        return Described(labels=_labels(content, ""))


def _metadata(content: bytes) -> Table | None:
    model = Table.root(content)
    buffers = model.tables(12)
    for entry in model.tables(16):
        number = entry.number(6, "I")
        if entry.text(4) == BUFFER and number < len(buffers):
            return Table.root(buffers[number].array(4, np.uint8).tobytes())
    return None


def _black_and_white(tensor: Table) -> tuple[float, float] | None:
    """(0 - mean) / std and (255 - mean) / std, of the first channel."""
    for unit in tensor.tables(12):
        options = unit.table(6)
        if unit.number(4, "B") == _NORMALISATION and options:
            mean, deviation = (options.array(field, np.float32)[:1].tolist() for field in (4, 6))
            if mean and deviation and math.isfinite(mean[0]) and 0 < deviation[0] < math.inf:
                return (0 - mean[0]) / deviation[0], (255 - mean[0]) / deviation[0]
    return None


def _labels(content: bytes, name: str) -> tuple[str, ...]:
    """The lines of the named member of the archive, or of the one that looks like labels."""
    try:
        with archive.opened(content) as zipped:
            likely = [one for one in zipped.namelist() if "label" in one.lower() and one.lower().endswith(".txt")]
            names = [one for one in (name, *likely) if one in zipped.namelist()]
            text = archive.member(zipped, names[0], MAX_LABELS_BYTES).decode() if names else ""
    except archive.DAMAGE:
        return ()
    lines = (printable(line.strip())[:MAX_TEXT] for line in text.strip().splitlines())
    return tuple(_WORDS.get(line.lower(), line) for line in lines)
