"""Detects frames that show the same as the frame that was read last, so that they need not be read again.

A pen stroke changes a few pixels by much; a pencil stroke or the edge of a shadow changes many by little. So frames are
compared at several sizes; each halving halves the noise. A change that is missed is still found, because the page is
read again after ``track.still`` seconds, or where reading is slow after REST times as long as it takes.
"""

from __future__ import annotations

import cv2

from edge.tracking.settings import TrackSettings
from edge.types import Frame, Pixels, halved

LONGEST_SIDE = 320
"""The longer side of the largest picture that is compared, at most, in pixels."""
LEVELS = 3
"""How many sizes are compared, each half as large as the one before."""
SIGMA = 1.2533
"""The standard deviation of normal noise, as a multiple of its mean absolute value: the square root of pi / 2."""
DEVIATIONS = 6.5
"""The limit, in standard deviations of the noise: a pixel that differs by more has changed. It is high because the
noise is measured over the whole picture, and is stronger in bright parts than in dark ones."""
MAX_LIMIT = 24.0
"""The greatest limit in the largest picture, in grey levels; it halves with each smaller one. Without it, a change of
half of the page would count as noise."""

REST = 4.0
"""An unchanged page is read again after this many times as long as reading it took, at the earliest. Chosen: it then
costs at most a quarter of a processor, on a slow one too, which would otherwise never do anything else."""


class ChangeDetector:
    """Compares each frame with the one that was read last. The same frames at the same times give the same answers."""

    def __init__(self, tracking: TrackSettings | None = None) -> None:
        """Uses the settings ``still`` and ``unlike``."""
        self._settings = tracking or TrackSettings()
        self._known: list[Pixels] | None = None
        self._read = self._rest = 0.0
        self._seen: tuple[Pixels, float] | None = None

    def is_unchanged(self, frame: Frame, seconds: float) -> bool:
        """Whether this frame, seen at ``seconds`` of a monotonic clock, shows the same as the one that was read last.

        Always false if that one was read ``still`` seconds before, or earlier; or REST times as long before as that
        took, if that is longer.
        """
        if not self._settings.still:
            return False
        size = frame.reduced(LONGEST_SIDE)
        self._seen = size, seconds
        known = self._known
        fresh = 0 <= seconds - self._read < max(self._settings.still, self._rest)
        if not known or known[0].shape != size.shape or not fresh:
            return False
        most = MAX_LIMIT
        for before in known:
            if most < MAX_LIMIT:
                size = halved(size)
            noise = SIGMA * cv2.norm(size, before, cv2.NORM_L1) / size.size
            if cv2.norm(size, before, cv2.NORM_INF) > max(self._settings.unlike, min(DEVIATIONS * noise, most)):
                return False
            most /= 2
        return True

    def mark_read(self, took: float = 0.0) -> None:
        """Remember that the frame given to ``is_unchanged`` last was read, and how many seconds that took."""
        if self._seen is None:
            return
        size, self._read = self._seen
        self._rest = REST * took
        self._known = [size]
        while len(self._known) < LEVELS:
            self._known.append(halved(self._known[-1]))
