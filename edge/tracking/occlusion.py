"""Occlusion: detects a hand or sleeve that covers part of the page, so that readings meanwhile are not believed.

A hand comes from outside the picture and changes most of the pixels that it covers; writing changes only thin lines. A
small picture of each frame is compared with the page as it was, so a hand as bright as the paper is found, too.
"""

from __future__ import annotations

from math import ceil, exp, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Frame, Pixels

MIN_LONG_SIDE = 160
"""The picture is halved as long as its longer side keeps this many pixels. Then a stroke is one or two pixels wide, and
a finger about five."""
CHANGED_SHARE = 0.06
"""A pixel has changed if its brightness differs by more than this share, after the change of the whole picture (lamp,
exposure) is taken out."""
NOISE_FACTOR = 3.0
"""A pixel has changed only if it also differs by more than this many times the median difference, which is noise."""
ROW_STEP = 4
"""One in this many rows is used to measure the change of the whole picture."""
WINDOW, DENSE_SHARE = 7, 0.5
"""A pixel may be covered if more than DENSE_SHARE of the square of WINDOW pixels around it has changed; lines of
writing never fill that much."""
MIN_AREA = 60
"""A covered area of fewer pixels, of the small picture, is ignored."""
MARGIN = 3
"""How many pixels around a covered area count as covered, because its edge is soft and it moves."""
FOLLOW_SECONDS = 0.5
"""The time constant, in seconds, with which the remembered page follows the frames where nothing covers it."""
REST_SECONDS = 1.0
"""What has not moved for this many seconds is taken for a part of the page."""
CUT_SECONDS = 0.2
"""What has not moved for this many seconds since it first appeared did not come in from outside: it is another page."""
LOG_TABLE: Pixels = np.rint(73 * np.log(np.arange(256) / 8 + 1)).astype(np.uint8)
"""Brightness 0 to 255 -> its logarithm in LOG_STEPS, so that equal ratios become equal differences. The offset of 8
grey levels keeps the noise of dark pixels small."""
LOG_STEPS = 73
"""How many steps of LOG_TABLE are a factor of e."""
NO_CHANGE = 128
"""The value of no change in a picture of differences, uint8."""


class Occlusion:
    """Compares each frame with the remembered page. The same frames at the same times give the same answers."""

    def __init__(self) -> None:
        self._page: NDArray[np.float32] | None = None
        self._mask: Pixels | None = None
        self._size, self._step = (0, 0), 1
        self._seconds = self._rested = 0.0
        self._rest: Pixels | None = None
        self._patience = CUT_SECONDS

    @property
    def is_covering(self) -> bool:
        """Whether something covers part of the newest frame."""
        return self._mask is not None

    def reset(self) -> None:
        """Forget the page: the next frame is taken for the page."""
        self._page = self._mask = self._rest = None

    def update(self, frame: Frame, seconds: float) -> bool:
        """Whether something covers part of this frame, seen at ``seconds`` of a monotonic clock.

        The first frame is taken for the page, and so is what no longer moves.
        """
        size = frame.reduced(2 * MIN_LONG_SIDE - 1)
        if frame.pixels.shape != self._size:
            self.reset()
            self._size, self._step = frame.pixels.shape, round(max(frame.pixels.shape) / max(size.shape))
        light = cv2.LUT(size, LOG_TABLE)
        share = 1 - exp(-max(0.0, seconds - self._seconds) / FOLLOW_SECONDS)
        self._seconds = seconds
        if self._page is None:
            self._page = light.astype(np.float32)
            return False
        dense, overall = _dense(light, cv2.convertScaleAbs(self._page))
        self._page += overall
        self._mask = mask = None if dense is None else _cover_mask(dense)
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
        """Whether what covers the page has not moved for so long that it belongs to the page."""
        moved = self._rest is not None and _dense(light, self._rest)[0] is not None
        if self._rest is None or moved:
            self._rest, self._rested = light, seconds
            self._patience = REST_SECONDS if moved else CUT_SECONDS
        return seconds - self._rested > self._patience

    def is_over(self, box: Box) -> bool:
        """Whether something covers any part of this box, in pixels of the newest frame."""
        if self._mask is None:
            return False
        rows = slice(max(0, box.y // self._step), max(0, (box.y + box.height) // self._step + 1))
        columns = slice(max(0, box.x // self._step), max(0, (box.x + box.width) // self._step + 1))
        covered = self._mask[rows, columns]
        return covered.size > 0 and cv2.countNonZero(covered) > 0


def _dense(light: Pixels, before: Pixels) -> tuple[Pixels | None, float]:
    """A mask of where most pixels have changed (1), None if nowhere; and the change of the whole picture, in log steps.

    The latter comes from the lamp, or the camera's exposure.
    """
    change = cv2.addWeighted(light, 1, before, -1, NO_CHANGE)
    counts = cv2.calcHist([change[::ROW_STEP]], [0], None, [256], [0, 256]).ravel()
    overall = _median(counts)
    # A histogram of the distances from it: of those above, and of those below.
    at = round(overall)
    apart = np.zeros(256, np.float32)
    apart[: 256 - at] = counts[at:]
    apart[1 : at + 1] += counts[:at][::-1]
    least = max(LOG_STEPS * CHANGED_SHARE, NOISE_FACTOR * max(0.0, _median(apart)))
    same = cv2.inRange(change, ceil(overall - least), floor(overall + least))
    overall -= NO_CHANGE
    # Too few changed pixels to fill the share of any square.
    if same.size - cv2.countNonZero(same) < DENSE_SHARE * WINDOW**2:
        return None, overall
    dense = cv2.threshold(cv2.blur(same, (WINDOW, WINDOW)), 255 * (1 - DENSE_SHARE), 1, cv2.THRESH_BINARY_INV)[1]
    return (dense if cv2.countNonZero(dense) >= MIN_AREA else None), overall


def _median(counts: NDArray[np.float32]) -> float:
    """The median of a histogram of whole numbers from 0 on, interpolated as if each count were spread over its step."""
    until = counts.cumsum()
    half = until.item(-1) / 2
    at = int(until.searchsorted(half))
    return at + 0.5 - (until.item(at) - half) / counts.item(at)


def _cover_mask(dense: Pixels) -> Pixels | None:
    """The changed areas that reach the picture's border, with a margin, as a mask (255); None if there are none."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dense)
    left, top, width, height, area = stats.T
    rows, columns = dense.shape
    enters = (left <= 1) | (top <= 1) | (left + width >= columns - 1) | (top + height >= rows - 1)
    covers = enters & (area >= MIN_AREA)
    covers[0] = False
    if not covers.any():
        return None
    mask = np.where(covers, 255, 0).astype(np.uint8)[labels]
    return cv2.dilate(mask, np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8))
