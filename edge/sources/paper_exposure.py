"""Exposure aimed at paper: the compensation (EV) with which the camera's automatic exposure shows paper as light grey.

libcamera makes the middle of the view 16 % bright on average, and the brightest 2 % at least 20 or 50 % (``y_target``
and ``constraint_modes`` in the tuning files of the Raspberry Pi). What grey paper becomes by that depends on the tuning
and on what else is in view: 137 on all of the view of Camera Module 3 with a Pi 4, and white without any detail where a
small page lies on a dark desk. So it is measured.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from edge.types import Pixels

CHECK_FRAMES = 6
"""One of so many pictures is looked at. Chosen: a changed exposure is seen 4 pictures later (2 buffers, and 2 more in
the sensor), so that libcamera's own reaction to a new light shows in between."""
PAPER = 0.95
"""Paper is as bright as where this share of the view is darker. Chosen: paper fills more than 5 % of it."""
AIM = 200
"""The grey that paper shall have. Chosen: the middle of what is right; there is room for uneven light on both sides."""
DARKEST, LIGHTEST = 175, 225
"""Paper from this grey to that is left as it is. Chosen: so that small changes of the light change nothing."""
BRIGHTEST = 0.997
"""The brightest that counts is where this share of the view is darker. Chosen: chalk on a board is more than that."""
WHITE = 250
"""Pixels from this grey on are clipped, or nearly."""
MOST_CLIPPED = 0.01
"""Which share of the view may be clipped. Chosen: lamps glare."""
MOST_STEP = 1.0
"""The largest change at a time, EV. Chosen: what is clipped may be of any brightness."""
MOST_EV = 3.0
"""The largest compensation, EV up or down. Chosen: 16 % on average times 8 is more than white."""
STEADY = 0.03
"""The exposure has settled when its product of time and gains changes by less than this share in CHECK_FRAMES.
Chosen: a half more than libcamera's ``stable_region``."""
GREYS = (0, 20, 36, 60, 100, 132, 158, 193, 214, 228, 238, 247, 255)
BRIGHTNESS = (0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8, 1)
"""Greys, and how bright that is (1 = white): the ``gamma_curve`` of libcamera's tuning file ``imx708.json``."""


class PaperExposure:
    """Says which compensation to set. ``observe`` gets each picture."""

    def __init__(self) -> None:
        self.ev = 0.0
        """The compensation that is set, EV."""
        self._exposures: deque[float] = deque(maxlen=CHECK_FRAMES)
        # What the picture before asked for, EV.
        self._asked = 0.0
        # The exposure before the compensation was raised; 0: it was not. And the one that no longer grew by that.
        self._raised_from = self._longest = 0.0

    def observe(self, picture: Pixels, exposure: float) -> float | None:
        """The new compensation, EV; None: it stays. ``exposure``: time x gains of this picture, in any unit."""
        self._exposures.append(exposure)
        if len(self._exposures) < CHECK_FRAMES:
            return None
        settled = max(self._exposures) - min(self._exposures) <= STEADY * exposure
        self._exposures.clear()
        before, self._asked = self._asked, _step(picture) if settled else 0.0
        if not (before and self._asked):
            return None
        if self._raised_from:
            # In the dark it is as long as it can be; more compensation would only make the next light too bright.
            self._longest = exposure if exposure < self._raised_from * (1 + STEADY) else 0.0
            self._raised_from = 0.0
        if exposure < 0.8 * self._longest:
            self._longest = 0.0
        ev = min(MOST_EV, max(-MOST_EV, self.ev + self._asked))
        if ev == self.ev or (self._asked > 0 and self._longest):
            return None
        self._raised_from = exposure if self._asked > 0 else 0.0
        self._asked, self.ev = 0.0, ev
        return ev


def _step(picture: Pixels) -> float:
    """The change of the compensation that a picture asks for, EV."""
    some = picture[::4, ::4]
    paper, brightest = (float(level) for level in np.quantile(some, (PAPER, BRIGHTEST)))
    if paper >= WHITE:
        return -MOST_STEP
    if paper >= AIM and np.mean(some >= WHITE) > MOST_CLIPPED:
        return -MOST_STEP / 4
    if DARKEST <= paper <= LIGHTEST:
        return 0.0
    step = _stops(paper, AIM)
    # Not so much that what is brighter than the paper becomes white: chalk on a board, which is no paper.
    return max(-MOST_STEP, min(step, MOST_STEP, max(0.0, _stops(brightest, WHITE))))


def _stops(grey: float, other: float) -> float:
    """From one grey to another, EV."""
    there, wanted = np.interp((max(1.0, grey), other), GREYS, BRIGHTNESS)
    return math.log2(wanted / there)
