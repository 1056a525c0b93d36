"""What a thing that lies on a page looks like."""

from __future__ import annotations

from typing import NamedTuple

from convert.samples.scenes.fields import Field
from edge.types import Pixels


class Laid(NamedTuple):
    """A thing on a page."""

    there: Pixels
    """Where it is, (height, width) uint8, 255 = there."""
    shade: Field
    """How bright it is, (height, width), 0 to 255."""
    unclear: Pixels | None = None
    """Where it has print that a person may read or not, (height, width) uint8, 255 = print; None: nowhere."""
