"""Check what is in an HDF5 file before Keras reads it: only numbers, in this file, and no more than a model needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convert.load.sizes import MAX_BYTES, SMALLER_KERAS, mebibytes
from edge.errors import ConvertError
from edge.system.text import printable

MAX_OBJECTS = 20_000
"""The most groups and arrays in a file. Chosen: ResNet-152 with its optimizer has about 5,000."""
MAX_DEPTH = 32
"""How many groups may be inside one another. Chosen: Keras makes about 10."""
NUMBERS = "biuf"
"""NumPy's letters for the types that weights may have: bool, whole numbers, floats."""


def check(stored: Any, path: Path) -> None:
    """Raise ConvertError for what no model needs in ``stored``, an open ``h5py.File``; ``path`` names it.

    These are links (HDF5 can read data from any file on the machine), data in other files, objects with two names (of
    which 2^40 paths can be made), values that are not numbers, and more than MAX_BYTES of them.
    """
    import h5py

    seen, total = {_address(stored)}, 0
    waiting: list[tuple[Any, int]] = [(stored, 0)]
    while waiting:
        group, depth = waiting.pop()
        if depth > MAX_DEPTH or len(seen) + len(group) > MAX_OBJECTS:
            raise ConvertError(
                f"{path}: has more than {MAX_OBJECTS:,} groups and arrays, or groups {MAX_DEPTH} deep; save the model"
                " again with Keras"
            )
        for name in group:
            where = printable(f"{group.name.rstrip('/')}/{name}"[1:])[:100]
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ConvertError(f"{path}: its {where} is a link to other data; save the whole model in one file")
            part = group[name]
            if _address(part) in seen:
                raise ConvertError(f"{path}: its {where} is there under two names; save the model again with Keras")
            seen.add(_address(part))
            if isinstance(part, h5py.Group):
                waiting.append((part, depth + 1))
            elif isinstance(part, h5py.Dataset):
                _check_array(part, where, path)
                total += int(part.size or 0) * part.dtype.itemsize
                if total > MAX_BYTES:
                    raise ConvertError(
                        f"{path}: its {where} and what is before it have more than {mebibytes(MAX_BYTES)} unpacked;"
                        f" {SMALLER_KERAS}"
                    )
            else:
                raise ConvertError(f"{path}: its {where} is neither a group nor an array; save it again with Keras")


def _check_array(array: Any, where: str, path: Path) -> None:
    # Opening a virtual one reads nothing yet, also not the files that it is of.
    if array.external or array.is_virtual:
        raise ConvertError(f"{path}: its {where} is stored in another file; save the whole model in one file")
    if array.dtype.kind not in NUMBERS:
        raise ConvertError(f"{path}: its {where} is not of numbers; save the model again with Keras")


def _address(part: Any) -> int:
    """Where an object is in its file."""
    import h5py

    return int(h5py.h5o.get_info(part.id).addr)
