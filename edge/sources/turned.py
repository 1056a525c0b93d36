"""Turns the frames of a source: ``rotation`` and ``flip``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2

from edge.sources.base import Source, State
from edge.sources.orientation import Flip, Orientation
from edge.types import Frame, Pixels

ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
"""Degrees clockwise -> the code for ``cv2.rotate``."""
FLIPS: Mapping[Flip, int] = {"horizontal": 1, "vertical": 0}
"""The code for ``cv2.flip``."""


def turned(pixels: Pixels, orientation: Orientation) -> Pixels:
    """A new picture, contiguous, turned so; the same object if there is nothing to turn."""
    made = pixels
    if orientation.rotation:
        made = cv2.rotate(made, ROTATIONS[orientation.rotation])
    if orientation.flip != "none":
        # In place, if the rotation has already made a picture of our own.
        made = cv2.flip(made, FLIPS[orientation.flip], None if made is pixels else made)
    return made


class TurnedSource(Source):
    """Another source, whose frames are turned. A camera's frames that nobody takes are not."""

    def __init__(self, source: Source, orientation: Orientation) -> None:
        self._source, self._orientation = source, orientation
        self.live, self.name, self.pages = source.live, source.name, source.pages

    def __next__(self) -> Frame:
        """The next frame, turned. Raises what the source raises."""
        frame = next(self._source)
        return replace(frame, pixels=turned(frame.pixels, self._orientation))

    # These change while it runs, and are read only.
    @property
    def state(self) -> State:  # type: ignore[override]
        """The source's state."""
        return self._source.state

    @property
    def waited_at(self) -> float | None:  # type: ignore[override]
        """When the source has last waited without fault."""
        return self._source.waited_at

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """How many frames the source has skipped."""
        return self._source.dropped

    @property
    def wedged(self) -> bool:  # type: ignore[override]
        """Whether the source's driver hangs."""
        return self._source.wedged

    def stop(self) -> None:
        """End the iteration soon; a signal handler may call it."""
        self._source.stop()

    def close(self) -> None:
        """Close the source."""
        self._source.close()
