"""When a camera shall focus: once on what is there, and again when the picture is blurred; never on a page at rest.

libcamera moves the lens (its mode Auto scans once for each trigger, and then holds the lens). This says when to trigger
it, from the pictures and from what libcamera says of its scan.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.types import Pixels
from edge.vision.sharpness import sharpness

CHECK_SECONDS = 0.2
"""How often a picture is looked at. Chosen: a moved page is in focus again 2 s later, of which libcamera takes 1."""
PART = (512, 384)
"""Width and height of the part of a picture that is looked at, the one with the most edges, pixels. Chosen: a few
digits are in it, and it takes a tenth of the time of all of it."""
REDUCED = 4
"""That part is found in a picture that is so many times smaller. Chosen: strokes of 4 pixels are still seen."""
BLURRED = 0.65
"""A picture is blurred if it is less than this share as sharp as after the last scan. Chosen: other writing may be
three quarters as sharp."""
CLEAR = 0.6
"""A sharpness from which a picture is never taken as blurred. Chosen: its blur is some 1.5 pixels, with their own."""
SOFT = 0.2
"""Sharpness below which a scan has found no focus, though libcamera may say so. Chosen: a blur of 5 pixels or more."""
RISE, FALL = 0.1, 0.002
"""The sharpness that is expected follows the one that is seen by these shares at each check. Chosen: other writing may
be sharper, within a second; a lens may drift with its temperature, within minutes."""
BLURRED_SECONDS = 0.6
"""A picture at rest is blurred for this long before it is focused. Chosen: a hand passes faster, or moves."""
MOVING_SECONDS = 4.0
"""The same for a picture in which something moves, such as a hand that writes. Chosen."""
MOVED = 12.0
"""Something has moved where a picture of THUMBNAIL pixels changes by this many grey levels. Chosen: noise does not."""
MOVED_SHARE = 0.005
"""Something moves if it does so in more than this share of the picture. Chosen: the tip of a pen is less."""
CHANGED_SHARE = 0.05
"""It is another scene where more than this share of the picture has changed between two rests. Chosen: all writing has
moved."""
WORSE = 0.85
"""Another scene is focused if it is less than this share as sharp. Chosen: it was never focused, so less is enough."""
THUMBNAIL = (64, 48)
"""Size of the picture in which motion is seen, pixels."""
DARK, WHITE = 40, 250
"""Where 99 % of the picture is darker than the first, or half of it brighter than the second, nothing can be seen.
Chosen: a room without light, and the moment in which the light comes back."""
STARTS_SECONDS = 1.0
"""libcamera says after this many seconds at most that it scans. Chosen: 8 frames in the dark."""
SCAN_SECONDS = 8.0
"""A scan has ended after this many seconds, whatever libcamera says. Chosen: 90 frames of the longest one, in the
dark."""
RETRY_SECONDS = (4.0, 10.0, 30.0)
"""Pauses after which a scan that found no focus is tried again. Chosen; then only a changed picture starts one."""
IDLE, SCANNING, FOCUSED, FAILED = range(4)
"""Values of libcamera's AfState (``control_ids_core.yaml``)."""


class Focus:
    """Says when to trigger a scan. ``observe`` gets each picture; times are those of the pictures, in seconds."""

    def __init__(self) -> None:
        self._phase = "starting"
        self._since = 0.0
        self._next_check = -math.inf
        # How sharp the picture has been since the last scan; None: that is measured next.
        self._reference: float | None = None
        self._blurred_since: float | None = None
        self._moved_at = -math.inf
        self._thumbnail: Pixels | None = None
        # The same of the picture when nothing moved last.
        self._scene: Pixels | None = None
        self._failed = False
        self._retries = 0

    @property
    def settled(self) -> bool:
        """Whether the lens stands still."""
        return self._phase == "watching"

    def observe(self, now: float, picture: Pixels, af_state: int | None) -> bool:
        """Whether to trigger a scan now. ``picture``: (height, width) uint8; ``af_state``: its AfState by libcamera."""
        if self._phase == "watching":
            return self._watch(now, picture)
        if self._phase == "starting":
            return self._trigger(now)
        waited = now - self._since
        if self._phase == "triggered":
            # The pictures that were on their way still have the state before.
            if af_state == SCANNING:
                self._phase = "scanning"
            elif waited > STARTS_SECONDS:
                self._end(now, failed=af_state != FOCUSED)
        elif af_state in (FOCUSED, FAILED, IDLE) or waited > SCAN_SECONDS:
            self._end(now, failed=af_state != FOCUSED)
        return False

    def _trigger(self, now: float) -> bool:
        self._phase, self._since, self._blurred_since = "triggered", now, None
        return True

    def _end(self, now: float, *, failed: bool) -> None:
        self._phase, self._since, self._failed = "watching", now, failed
        self._reference, self._thumbnail, self._scene = None, None, None
        self._next_check = now + CHECK_SECONDS

    def _watch(self, now: float, picture: Pixels) -> bool:
        if now < self._next_check:
            return False
        self._next_check = now + CHECK_SECONDS
        self._see_motion(now, picture)
        sharp = sharpness(_busiest_part(picture))
        if self._reference is None:
            self._reference = sharp
            self._failed = self._failed or sharp < SOFT
        if self._retry_is_due(now, sharp):
            self._retries += 1
            return self._trigger(now)
        if self._is_another_scene(now) and 0 < sharp < WORSE * self._reference and _is_visible(picture):
            return self._trigger(now)
        if sharp >= CLEAR or not _is_visible(picture) or not self._is_blurred(sharp):
            self._blurred_since = None
            self._reference += (sharp - self._reference) * (RISE if sharp > self._reference else FALL)
            return False
        if self._blurred_since is None:
            self._blurred_since = now
        still = now - max(self._blurred_since, self._moved_at)
        if still < BLURRED_SECONDS and now - self._blurred_since < MOVING_SECONDS:
            return False
        # What is there has changed, so that what failed before may succeed.
        self._retries = 0
        return self._trigger(now)

    def _retry_is_due(self, now: float, sharp: float) -> bool:
        """Whether a scan failed, there are edges to focus on, and its pause is over."""
        if not self._failed or not 0 < sharp < CLEAR or self._retries == len(RETRY_SECONDS):
            return False
        return now - self._since >= RETRY_SECONDS[self._retries]

    def _is_another_scene(self, now: float) -> bool:
        """Whether something else is in view, at rest; that is said once."""
        if self._thumbnail is None or now - self._moved_at < BLURRED_SECONDS:
            return False
        before, self._scene = self._scene, self._thumbnail
        return before is not None and _changed(before, self._thumbnail) > CHANGED_SHARE

    def _is_blurred(self, sharp: float) -> bool:
        assert self._reference is not None
        if self._reference == 0:
            # There was no edge to focus on, such as on a blank page; now there is one.
            return sharp > 0
        return sharp < BLURRED * self._reference

    def _see_motion(self, now: float, picture: Pixels) -> None:
        before, self._thumbnail = self._thumbnail, cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA)
        if before is None or _changed(before, self._thumbnail) > MOVED_SHARE:
            self._moved_at = now


def _changed(before: Pixels, now: Pixels) -> float:
    """The share of a thumbnail that has changed."""
    return float(np.mean(cv2.absdiff(before, now) > MOVED))


def _is_visible(picture: Pixels) -> bool:
    middle, brightest = np.percentile(picture[::4, ::4], (50, 99))
    return bool(brightest >= DARK and middle <= WHITE)


def _busiest_part(picture: Pixels) -> Pixels:
    """The part of a picture, at most PART large, with the most edges."""
    height, width = picture.shape
    part_width, part_height = min(PART[0], width), min(PART[1], height)
    small = cv2.resize(picture, (max(1, width // REDUCED), max(1, height // REDUCED)), interpolation=cv2.INTER_AREA)
    edges = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(np.float32)
    # How many edges there are in each part, by its centre.
    sums = cv2.boxFilter(edges, cv2.CV_32F, (part_width // REDUCED or 1, part_height // REDUCED or 1))
    _, _, _, (x, y) = cv2.minMaxLoc(sums)
    left = min(max(0, x * REDUCED - part_width // 2), width - part_width)
    top = min(max(0, y * REDUCED - part_height // 2), height - part_height)
    return picture[top : top + part_height, left : left + part_width]
