"""Reads tables, vectors and texts in the bytes of a FlatBuffer, and never beyond them.

The format: https://flatbuffers.dev/internals/. Positions are bytes from the start of the file; a field is named by its
place in the vtable, in bytes, as the generated code of the flatbuffers package names it: 4, 6, 8 and so on.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_ENTRIES = 100_000
"""Most entries of a list of tables. Chosen: a classifier of digits has a hundred."""


class Damaged(ValueError):
    """The bytes are no sound FlatBuffer."""


class Table:
    """A table in the bytes of a FlatBuffer; each field may be missing."""

    __slots__ = ("_at", "_content", "_fields")

    def __init__(self, content: bytes, at: int) -> None:
        """The table at this position. Raises Damaged."""
        self._content, self._at = content, at
        # A vtable: its own size in bytes, the table's, and where each field stands in the table.
        vtable = at - _number(content, at, "i")
        size = _number(content, vtable, "H")
        if size < 4 or size % 2 or not 0 <= vtable <= len(content) - size:
            raise Damaged
        self._fields: tuple[int, ...] = struct.unpack_from(f"<{size // 2}H", content, vtable)

    @classmethod
    def root(cls, content: bytes) -> Table:
        """The outermost table. Raises Damaged."""
        return cls(content, _number(content, 0, "I"))

    def number(self, field: int, kind: str, default: int | float = 0) -> Any:
        """A number of a format of ``struct``. Raises Damaged."""
        at = self._position(field)
        return _number(self._content, at, kind) if at else default

    def table(self, field: int) -> Table | None:
        """A table within this one. Raises Damaged."""
        at = self._position(field)
        return Table(self._content, at + _number(self._content, at, "I")) if at else None

    def tables(self, field: int) -> list[Table]:
        """A list of tables. Raises Damaged."""
        start, count = self._vector(field, 4)
        if count > MAX_ENTRIES:
            raise Damaged
        places = range(start, start + 4 * count, 4)
        return [Table(self._content, at + _number(self._content, at, "I")) for at in places]

    def array(self, field: int, kind: Any) -> NDArray[Any]:
        """A list of numbers, not copied. Raises Damaged."""
        dtype = np.dtype(kind).newbyteorder("<")
        start, count = self._vector(field, dtype.itemsize)
        return np.frombuffer(self._content, dtype, count, start) if count else np.zeros(0, dtype)

    def text(self, field: int) -> str:
        """A text. Raises Damaged."""
        start, count = self._vector(field, 1)
        return self._content[start : start + count].decode("utf-8", "replace")

    def _position(self, field: int) -> int:
        """Where a field stands; 0 if it is missing."""
        offset = self._fields[field // 2] if field // 2 < len(self._fields) else 0
        return self._at + offset if offset else 0

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        """Where a list begins, and how many entries of ``size`` bytes it has."""
        at = self._position(field)
        if not at:
            return 0, 0
        start = at + _number(self._content, at, "I")
        count = _number(self._content, start, "I")
        if count * size > len(self._content) - start - 4:
            raise Damaged
        return start + 4, count


def _number(content: bytes, at: int, kind: str) -> Any:
    if not 0 <= at <= len(content) - struct.calcsize(f"<{kind}"):
        raise Damaged
    return struct.unpack_from(f"<{kind}", content, at)[0]
