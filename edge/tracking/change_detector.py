"""Whether a frame shows what the one before it showed: then it need not be read again.

A stroke changes a few pixels by much, a pencil's or a shadow's edge many by little: frames are compared at several
sizes, of which each halves the noise. What this does not see is seen when the page is read again all the same, a
moment later.
"""

from __future__ import annotations

import cv2

from edge.tracking.settings import TrackSettings
from edge.types import Frame, Pixels, halved

SIDE = 320
"""The longer side of the largest picture that is compared, in pixels, at most;"""
SIZES = 3
"""so many are, each half as large as the one before."""
SIGMA = 1.2533
"""A standard deviation of normal noise, in means of its absolute value: the root of pi / 2."""
DEVIATIONS = 6.5
"""A place has changed where it differs by more than so many of those of the noise, which is stronger in what is bright
than in what is dark;"""
MOST = 24.0
"""or by more than so many grey levels in the largest picture, half as many in the next: what changes half of the page
is no noise."""


class ChangeDetector:
    """Compares each frame with the one that was read last. The same frames at the same times give the same answers."""

    def __init__(self, tracking: TrackSettings | None = None) -> None:
        """``still`` and ``unlike`` of the settings hold."""
        self._set = tracking or TrackSettings()
        self._known: list[Pixels] | None = None
        self._read = 0.0
        self._seen: tuple[Pixels, float] | None = None

    def is_unchanged(self, frame: Frame, seconds: float) -> bool:
        """Whether this frame, at ``seconds`` of a clock that never jumps, shows the same.

        Never where the one that was read last was ``still`` seconds before it, or longer.
        """
        if not self._set.still:
            return False
        size = frame.reduced(SIDE)
        self._seen = size, seconds
        known = self._known
        if not known or known[0].shape != size.shape or not 0 <= seconds - self._read < self._set.still:
            return False
        most = MOST
        for before in known:
            if most < MOST:
                size = halved(size)
            noise = SIGMA * cv2.norm(size, before, cv2.NORM_L1) / size.size
            if cv2.norm(size, before, cv2.NORM_INF) > max(self._set.unlike, min(DEVIATIONS * noise, most)):
                return False
            most /= 2
        return True

    def mark_read(self) -> None:
        """The frame that was asked about last was read."""
        if self._seen is None:
            return
        size, self._read = self._seen
        self._known = [size]
        while len(self._known) < SIZES:
            self._known.append(halved(self._known[-1]))
