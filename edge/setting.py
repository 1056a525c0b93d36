"""Declares one setting: a dataclass field with its default, description and limits.

Settings are plain dataclasses, so that reading an image imports no settings library. ``edge.settings`` checks types and
limits from the metadata given here.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(default: Any, description: str, **limits: int | float) -> Any:
    """A dataclass field with a description and its limits: ``ge`` is the least value, ``le`` the greatest."""
    return field(default=default, metadata={"description": description, **limits})
