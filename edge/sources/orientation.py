"""The options ``rotation`` and ``flip`` of every source: how its frames are turned so that the page is upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from edge.uri import OptionType

Flip = Literal["none", "horizontal", "vertical"]
"""How a picture is mirrored: ``horizontal`` swaps left and right, ``vertical`` top and bottom."""


def _rotation(text: str) -> int:
    return {"0": 0, "90": 90, "180": 180, "270": 270}[text]


def _flip(text: str) -> Flip:
    return {name: name for name in get_args(Flip)}[text]


@dataclass(frozen=True, slots=True)
class Orientation:
    """How frames are turned: first rotated, then mirrored."""

    rotation: int = 0
    """Degrees clockwise: 0, 90, 180 or 270."""
    flip: Flip = "none"


def orientation_options(
    *,
    rotation: Annotated[int, OptionType("0, 90, 180 or 270", _rotation)] = 0,
    flip: Annotated[Flip, OptionType(f"one of {', '.join(get_args(Flip))}", _flip)] = "none",
) -> Orientation:
    """The orientation of the options that every source has."""
    return Orientation(rotation, flip)
