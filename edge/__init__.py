"""Reads handwritten digits with a camera and a Raspberry Pi.

>>> import edge
>>> with edge.Reader() as reader:
...     for frame in edge.open_source("picamera2:0"):
...         reading = reader.read(frame)
...         print(reading.text or reading.reason)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edge.system.version import __version__

if TYPE_CHECKING:
    from edge.errors import EdgeError
    from edge.model.classifier import Model
    from edge.publishers import open_publisher
    from edge.reading.reader import Reader
    from edge.sources import open_source
    from edge.types import Box, Digit, Frame, Glyph, Reading, Unread

__all__ = [
    "Box",
    "Digit",
    "EdgeError",
    "Frame",
    "Glyph",
    "Model",
    "Reader",
    "Reading",
    "Unread",
    "__version__",
    "open_publisher",
    "open_source",
]

_MODULES = {
    "EdgeError": "edge.errors",
    "Model": "edge.model.classifier",
    "Reader": "edge.reading.reader",
    "open_publisher": "edge.publishers",
    "open_source": "edge.sources",
}


def __getattr__(name: str) -> Any:
    """Import each public name when it is first used: this keeps the start on a Pi short."""
    if name not in __all__:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "edge.types")), name)
