"""Logs what to do about the camera's view when nothing has been read for a while."""

from __future__ import annotations

import logging

from edge.reading.aim import aim_of
from edge.reading.reader import Analysis
from edge.sources.base import Source
from edge.system.seldom import Seldom
from edge.types import Frame

log = logging.getLogger(__name__)

FIRST_SECONDS, LONGEST_SECONDS = 30.0, 600.0
"""Seconds without a digit after which the view is looked at, and the longest time until it is looked at again: each is
twice the one before. Chosen: it takes longer than to read a frame, and a page may be blank for weeks."""
AGAIN_SECONDS = 6 * 3600.0
"""Seconds until the same is said again. Chosen: a camera that sees nothing at night says so once."""


class AdviceLog:
    """Looks at frames in which nothing is read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._since: float | None = None
        self._pause = FIRST_SECONDS
        self._said = Seldom()

    def see(self, frame: Frame, analysis: Analysis, seconds: float) -> None:
        """Look at one more frame, which came at ``seconds`` (monotonic); it costs nothing while digits are read."""
        if analysis.reading.digits:
            self._since, self._pause = None, FIRST_SECONDS
        elif self._since is None:
            self._since = seconds
        elif seconds - self._since >= self._pause:
            self._since, self._pause = seconds, min(2 * self._pause, LONGEST_SECONDS)
            step = aim_of(frame, analysis, self._source).step
            # A page may be blank, or not there at all: nothing is wrong with that.
            if step and step.kind != "empty" and self._said.is_due(step.kind, AGAIN_SECONDS):
                log.warning("%s: nothing is read: %s", self._source.name, step.text)
