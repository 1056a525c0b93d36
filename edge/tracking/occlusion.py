"""What lies on the page or passes over it: a hand, a sleeve. What is read meanwhile is no news.

A hand comes from outside the picture and changes most of what it covers, in any direction; writing changes thin lines
anywhere. Told from a small picture against the page as it was, so that a hand of the paper's own brightness shows too.
"""

from __future__ import annotations

from math import ceil, exp, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Frame, Pixels

SIDE = 160
"""The picture is halved while its longer side keeps so many pixels: a stroke is one or two wide, a finger five."""
UNLIKE = 0.06
"""A pixel has changed when its brightness has by more than this share, beside what all of them have."""
NOISE = 3.0
"""And by more than so many times the median change, which is the camera's noise."""
EVERY = 4
"""All of them: every so many rows."""
WINDOW, MOST = 7, 0.5
"""Something covers a place when more than this share of a square of so many pixels has changed; lines never fill it."""
SMALL = 60
"""What covers fewer pixels is not seen."""
MARGIN = 3
"""So many pixels around it count as covered: its edge is soft, and it moves on."""
FOLLOW_SECONDS = 0.5
"""Where nothing covers it, the page as it was follows the page as it is with this time constant."""
REST_SECONDS = 1.0
"""What has lain still for so long belongs to the page."""
CUT_SECONDS = 0.2
"""What has not moved since it came, for so long, did not come from outside: it is another page."""
LOGARITHM: Pixels = np.rint(73 * np.log(np.arange(256) / 8 + 1)).astype(np.uint8)
"""Of brightness, 0 to 255: equal shares become equal steps, and 8 keeps the noise of the dark small."""
STEPS = 73
"""So many of those steps are a factor of e."""
MIDDLE = 128
"""What has not changed, among changes as uint8."""


class Occlusion:
    """Compares each frame with the page as it was. The same frames at the same times give the same answers."""

    def __init__(self) -> None:
        self._page: NDArray[np.float32] | None = None
        self._mask: Pixels | None = None
        self._size, self._step = (0, 0), 1
        self._seconds = self._rested = 0.0
        self._rest: Pixels | None = None
        self._patience = CUT_SECONDS

    @property
    def is_covering(self) -> bool:
        """Whether something covered part of the frame that was seen last."""
        return self._mask is not None

    def reset(self) -> None:
        """The next frame is the page."""
        self._page = self._mask = self._rest = None

    def update(self, frame: Frame, seconds: float) -> bool:
        """Whether something covers part of this frame, ``seconds`` by a clock that never jumps.

        The first frame is the page, and so is what lies still.
        """
        size = frame.reduced(2 * SIDE - 1)
        if frame.pixels.shape != self._size:
            self.reset()
            self._size, self._step = frame.pixels.shape, round(max(frame.pixels.shape) / max(size.shape))
        light = cv2.LUT(size, LOGARITHM)
        share = 1 - exp(-max(0.0, seconds - self._seconds) / FOLLOW_SECONDS)
        self._seconds = seconds
        if self._page is None:
            self._page = light.astype(np.float32)
            return False
        dense, overall = _dense(light, cv2.convertScaleAbs(self._page))
        self._page += overall
        self._mask = mask = None if dense is None else _covered(dense)
        if mask is None:
            self._rest = None
            cv2.accumulateWeighted(light, self._page, share)
            return False
        if self._rests(light, seconds):
            self._page, self._mask, self._rest = light.astype(np.float32), None, None
            return False
        cv2.accumulateWeighted(light, self._page, share, mask=255 - mask)
        return True

    def _rests(self, light: Pixels, seconds: float) -> bool:
        """Whether what covers the page has lain still for long enough to belong to it."""
        moved = self._rest is not None and _dense(light, self._rest)[0] is not None
        if self._rest is None or moved:
            self._rest, self._rested = light, seconds
            self._patience = REST_SECONDS if moved else CUT_SECONDS
        return seconds - self._rested > self._patience

    def is_over(self, box: Box) -> bool:
        """Whether it lay on any of this box, pixels of the frame, in the frame that was seen last."""
        if self._mask is None:
            return False
        rows = slice(max(0, box.y // self._step), max(0, (box.y + box.height) // self._step + 1))
        columns = slice(max(0, box.x // self._step), max(0, (box.x + box.width) // self._step + 1))
        covered = self._mask[rows, columns]
        return covered.size > 0 and cv2.countNonZero(covered) > 0


def _dense(light: Pixels, before: Pixels) -> tuple[Pixels | None, float]:
    """Where most pixels have changed (1), or None where nowhere; and by how many steps all of them have.

    The latter is the lamp, or the camera's exposure.
    """
    change = cv2.addWeighted(light, 1, before, -1, MIDDLE)
    counts = cv2.calcHist([change[::EVERY]], [0], None, [256], [0, 256]).ravel()
    overall = _middle(counts)
    # How often each distance from it is: those above it, and those below.
    at = round(overall)
    apart = np.zeros(256, np.float32)
    apart[: 256 - at] = counts[at:]
    apart[1 : at + 1] += counts[:at][::-1]
    least = max(STEPS * UNLIKE, NOISE * max(0.0, _middle(apart)))
    same = cv2.inRange(change, ceil(overall - least), floor(overall + least))
    overall -= MIDDLE
    # Too few pixels to fill half a square anywhere.
    if same.size - cv2.countNonZero(same) < MOST * WINDOW**2:
        return None, overall
    dense = cv2.threshold(cv2.blur(same, (WINDOW, WINDOW)), 255 * (1 - MOST), 1, cv2.THRESH_BINARY_INV)[1]
    return (dense if cv2.countNonZero(dense) >= SMALL else None), overall


def _middle(counts: NDArray[np.float32]) -> float:
    """The median of whole numbers from 0 on that occur so often, as if each were spread over its own step."""
    until = counts.cumsum()
    half = until.item(-1) / 2
    at = int(until.searchsorted(half))
    return at + 0.5 - (until.item(at) - half) / counts.item(at)


def _covered(dense: Pixels) -> Pixels | None:
    """Of where most pixels have changed, with a margin, what comes from outside the picture (255); None where none."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dense)
    left, top, width, height, area = stats.T
    rows, columns = dense.shape
    enters = (left <= 1) | (top <= 1) | (left + width >= columns - 1) | (top + height >= rows - 1)
    covers = enters & (area >= SMALL)
    covers[0] = False
    if not covers.any():
        return None
    mask = np.where(covers, 255, 0).astype(np.uint8)[labels]
    return cv2.dilate(mask, np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8))
