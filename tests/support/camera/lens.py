"""A simulated autofocus: what libcamera's ``src/ipa/rpi/controller/rpi/af.cpp`` does with a lens, frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.support.camera.sensors import AfTuning, Optics

MANUAL, AUTO, CONTINUOUS = range(3)
IDLE, SCANNING, FOCUSED, FAILED = range(4)
DELAY = 2
"""Frames after which a picture shows the new position of the lens."""
PHASE_GAIN = 0.2
"""The share of the defocus by which phase detection moves the lens in each frame (its ``pdaf_gain`` is tuned so that it
does not swing)."""


class _Record(NamedTuple):
    focus: float
    contrast: float


def blur_pixels(optics: Optics, defocus: float, scale: float) -> float:
    """The blur, standard deviation in pixels, of a lens that is ``defocus`` dioptres off; ``scale``: a pixel's size in
    pixels of the sensor.

    A point becomes a disc of aperture x focal length x defocus (thin lens), whose deviation is a quarter of that.
    """
    disc_um = optics.aperture_mm * optics.focal_mm * abs(defocus)
    return disc_um / 4 / (optics.pixel_um * scale)


class Lens:
    """The lens and its algorithm. ``step`` is called for each frame."""

    def __init__(self, tuning: AfTuning, *, pdaf_reach: float, seed: int = 0) -> None:
        """``pdaf_reach``: phase detection works up to this many dioptres of defocus."""
        self._normal = self._tuning = tuning
        self._pdaf_reach = pdaf_reach
        self._rng = np.random.default_rng(seed)
        self.mode, self._range = MANUAL, 0
        # libcamera puts the lens at 1 m on the first start.
        self.position = self._target = 1.0
        self._shown = deque([1.0] * DELAY, DELAY)
        self.state = IDLE
        self._scan = "idle"
        self._skip = tuning.skip_frames
        self._steps = self._dropped = 0
        self._records: list[_Record] = []
        self._best, self._least, self._best_at = 0.0, 1e9, 0
        self._contrast = 0.0
        self.scans = 0

    @property
    def shown(self) -> float:
        """The position of the lens in the frame that is taken now, dioptres."""
        return self._shown[0]

    def apply(self, controls: dict[str, object]) -> None:
        """Take the controls of a request; AfMode first, as libcamera does."""
        mode = controls.get("AfMode", self.mode)
        if mode != self.mode:
            self.mode = int(mode)  # type: ignore[call-overload]
            if mode == CONTINUOUS:
                self._scan = "trigger"
            elif mode != AUTO or self._scan not in ("coarse", "fine", "settle"):
                self._scan, self.state = "idle", IDLE
        if "AfSpeed" in controls:
            self._tuning = self._normal._replace(**dict(self._normal.fast if controls["AfSpeed"] else ()))
        self._range = int(controls.get("AfRange", self._range))  # type: ignore[call-overload]
        if "LensPosition" in controls and self.mode == MANUAL:
            self._target = float(controls["LensPosition"])  # type: ignore[arg-type]
            self.position += float(np.clip(self._target - self.position, -self._slew, self._slew))
        if controls.get("AfTrigger") == 0 and self.mode == AUTO and self._scan == "idle":
            self._scan = "trigger"

    @property
    def _slew(self) -> float:
        return self._tuning.max_slew

    def step(self, distance: float, contrast_at: Callable[[float], float]) -> None:
        """One frame of something at ``distance`` dioptres; ``contrast_at``: defocus -> contrast, 0 if there is none."""
        if self._scan == "trigger":
            self.scans += 1
            self._start()
        self._advance(distance, contrast_at)
        low, high = self._tuning.range(self._range)
        if self._scan != "idle":
            self._target = min(max(self._target, low), high)
        self.position += float(np.clip(self._target - self.position, -self._slew, self._slew))
        self._shown.append(self.position)
        self._contrast = contrast_at(distance - self.shown) * (1 + 0.01 * self._rng.standard_normal())

    @property
    def reported(self) -> int:
        """AfState in the frame's metadata."""
        return SCANNING if self.mode == AUTO and self._scan != "idle" else self.state

    def _start(self) -> None:
        if self._tuning.dropout_frames and (self.mode == CONTINUOUS or self._tuning.pdaf_frames):
            self._steps = 0 if self.mode == CONTINUOUS else self._tuning.pdaf_frames
            self._scan, self._dropped, self.state = "pdaf", 0, SCANNING
        else:
            self._start_programmed()

    def _start_programmed(self) -> None:
        self._target = self._tuning.range(self._range)[0]
        self._scan, self.state = "coarse", SCANNING
        self._best, self._least, self._best_at, self._records = 0.0, 1e9, 0, []
        self._steps = self._tuning.step_frames

    def _advance(self, distance: float, contrast_at: Callable[[float], float]) -> None:
        if self._skip:
            self._skip -= 1
        elif self._scan == "pdaf":
            defocus = distance - self.shown
            if contrast_at(0.0) > 0 and abs(defocus) <= self._pdaf_reach:
                self._pdaf(PHASE_GAIN * self._tuning.quickness * (defocus + 0.05 * float(self._rng.standard_normal())))
                self._dropped = 0
            else:
                self._dropped += 1
                if self._dropped == self._tuning.dropout_frames:
                    self._start_programmed()
        elif self._scan in ("coarse", "fine", "settle") and self.position == self._target:
            if self._steps:
                self._steps -= 1
            elif self._scan == "settle":
                ratio = self._tuning.contrast_ratio * self._best
                self.state = FOCUSED if self._contrast >= ratio and self._least <= ratio else FAILED
                self._scan = "idle"
            else:
                self._step_scan()

    def _pdaf(self, move: float) -> None:
        step_frames = self._tuning.step_frames
        if self.mode == AUTO:
            if self._steps >= step_frames:
                if abs(move) < self._tuning.pdaf_squelch:
                    self._steps = step_frames
            else:
                move *= self._steps // step_frames
        self.state = FOCUSED if abs(move) <= self._slew else SCANNING
        self._target = self.position + min(max(move, -self._slew), self._slew)
        if self._steps:
            self._steps -= 1
        elif self.mode == AUTO:
            self._scan = "idle"

    def _step_scan(self) -> None:
        tuning, contrast = self._tuning, self._contrast
        low, high = tuning.range(self._range)
        if not self._records or contrast > self._best:
            self._best, self._best_at = contrast, len(self._records)
        self._least = min(self._least, contrast)
        self._records.append(_Record(self._target, contrast))
        falls = contrast < tuning.contrast_ratio * self._best
        if self._scan == "coarse":
            if self._target >= high or falls:
                self._target = min(self._target, self._peak() + 2 * tuning.step_fine)
                self._scan, self._records = "fine", []
            else:
                self._target += tuning.step_coarse
        elif self._target <= low or len(self._records) >= 5 or falls:
            self._target = self._peak()
            self._scan = "settle"
        else:
            self._target -= tuning.step_fine
        self._steps = 0 if self._target == self.position else tuning.step_frames

    def _peak(self) -> float:
        at = min(self._best_at, len(self._records) - 1)
        focus = self._records[at].focus
        if 0 < at < len(self._records) - 1:
            before, after = (self._records[at].contrast - self._records[at + way].contrast for way in (-1, 1))
            for drop, other, way in ((before, after, -1), (after, before, 1)):
                if 0 <= drop < other:
                    share = 0.3125 * (1 - drop / other) * (1.6 - drop / other)
                    return focus + share * (self._records[at + way].focus - focus)
        return focus
