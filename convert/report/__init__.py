"""What a conversion costs and gains: a summary for the terminal, ``report.json``, and ``report.html``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.conversion.pipeline import Done
from convert.report import facts, terminal
from convert.report.sums import numbers
from convert.system.files import whole
from edge.errors import ConvertError

if TYPE_CHECKING:
    from rich.console import Group


def summary(done: Done) -> Group:
    """For rich to print in 80 columns: what input was found, what each recipe gives, what the shown one costs."""
    return terminal.summary(numbers(done))


def figures(done: Done) -> dict[str, Any]:
    """All of it as plain data, as ``convert/schema/report.json`` describes; the same conversion gives the same."""
    return facts.figures(numbers(done))


def write(done: Done, folder: Path) -> None:
    """``report.json`` and ``report.html`` in the folder, each whole or not at all. Raises ConvertError."""
    # Drawing takes a second to import, which a summary alone need not wait for.
    from convert.report.page import html

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise ConvertError(f"{folder}: no folder can be made there ({why}); name another one for the report") from error
    written = {
        "report.json": json.dumps(figures(done), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "report.html": html(numbers(done)),
    }
    for name, text in written.items():
        with whole(folder / name) as half:
            half.write_text(text, "utf-8")
