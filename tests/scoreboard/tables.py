"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """A table; ``align`` has an l or an r for each column (default: all but the first to the right)."""
    sides = align or "l" + "r" * (len(head) - 1)
    lines = [_row(head), "|" + "".join("---|" if side == "l" else "---:|" for side in sides)]
    return "\n".join([*lines, *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell.replace('|', chr(92) + '|')} |" if cell else " |" for cell in cells)
