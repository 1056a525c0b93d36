"""Report the results of a conversion: a summary for the terminal, ``report.json`` and ``report.html``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from convert.conversion.pipeline import Conversion
from convert.report import json_report, terminal
from convert.report.statistics import without_nan

if TYPE_CHECKING:
    from rich.console import Group


def summary(conversion: Conversion) -> Group:
    """For rich to print in 80 columns: the input format, the result of each recipe, the accuracy of the shown one."""
    return terminal.summary(without_nan(conversion))


def figures(conversion: Conversion) -> dict[str, Any]:
    """The content of ``report.json``; its schema is ``convert/schema/report.json``."""
    return json_report.figures(without_nan(conversion))


def pages(conversion: Conversion) -> dict[str, str]:
    """The content of each file of the report, to be saved as UTF-8, by its name."""
    # Importing matplotlib takes a second, which a summary alone does not need.
    from convert.report.page import html

    return {
        "report.json": json.dumps(figures(conversion), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "report.html": html(without_nan(conversion)),
    }
