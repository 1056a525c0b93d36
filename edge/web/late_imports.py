"""Imports what a request would otherwise import for the first time, perhaps while strangers use up all files."""

from __future__ import annotations

import contextlib
from importlib import import_module

LATE = {
    "anyio._backends._asyncio": "an answer in parts",
    "difflib": "a misspelt setting",
    "numpy.ma": "the median of a picture",
}
"""Module -> what needs it."""


def import_late() -> None:
    """Import them. In the server's own thread, so that the start does not wait."""
    for name in LATE:
        # Other versions of these packages may have others; and where the system opens no file now, it may later.
        with contextlib.suppress(ImportError, OSError):
            import_module(name)
