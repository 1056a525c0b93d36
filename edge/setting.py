"""How one setting is declared: a field of a dataclass with its default, what it means and which values it takes.

Plain dataclasses, so that reading an image needs no settings library: ``edge.settings`` adds the checks of type and
range from the metadata given here.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(default: Any, description: str, **limits: int | float) -> Any:
    """A dataclass field that says what it is and which values it takes (``ge``, ``le``)."""
    return field(default=default, metadata={"description": description, **limits})
