"""Report the results of a conversion: a summary for the terminal, ``report.json`` and ``report.html``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.conversion.pipeline import Conversion
from convert.report import json_report, terminal
from convert.report.statistics import without_nan
from convert.system.files import atomic_write
from edge.errors import ConvertError

if TYPE_CHECKING:
    from rich.console import Group


def summary(conversion: Conversion) -> Group:
    """For rich to print in 80 columns: the input format, the result of each recipe, the accuracy of the shown one."""
    return terminal.summary(without_nan(conversion))


def figures(conversion: Conversion) -> dict[str, Any]:
    """The content of ``report.json``; its schema is ``convert/schema/report.json``."""
    return json_report.figures(without_nan(conversion))


def write(conversion: Conversion, folder: Path) -> None:
    """``report.json`` and ``report.html`` in the folder, each written atomically. Raises ConvertError."""
    # Importing matplotlib takes a second, which a summary alone does not need.
    from convert.report.page import html

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise ConvertError(f"{folder}: cannot create this folder ({why}); choose another with --report") from error
    files = {
        "report.json": json.dumps(figures(conversion), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "report.html": html(without_nan(conversion)),
    }
    for name, text in files.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, "utf-8")
