"""A simulated automatic exposure: what libcamera's ``src/ipa/rpi/controller/rpi/agc_channel.cpp`` does, frame by frame.

Left out: colours, the digital gain that brings an overexposed picture back faster, and constraints but for the one that
all tuning files have.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tests.support.camera.sensors import Sensor

DELAY = 2
"""Frames after which a picture has the new exposure."""
STARTUP_FRAMES = 10
MOST_DIGITAL_GAIN = 4.0
MOST_TARGET = 0.9
BRIGHTNESS = 0.1316 / (0.18 * 977 * 10_672 * 1.12)
"""Brightness (1 = white) of a white page at 1 lux, 1 microsecond, gain 1: ``rpi.lux`` of imx708, for a scene that
reflects 18 % on average."""
CENTRE, SPOT, MATRIX = range(3)
GAMMA = (
    (0, 1024, 2048, 3072, 4096, 5120, 6144, 8192, 10240, 12288, 14336, 16384, 20480, 24576, 28672)
    + (32768, 36864, 40960, 45056, 49152, 53248, 57344, 61440, 65535),
    (0, 5040, 9338, 12356, 15312, 18051, 20790, 25744, 30035, 33975, 37600, 40642, 45749, 49621, 52698)
    + (54876, 57012, 58656, 59954, 61183, 62355, 63419, 64476, 65535),
)
"""``gamma_curve`` of imx708.json: brightness -> level, both of 65535."""


LEVELS = np.rint(np.interp(np.arange(4096) / 4095 * 65535, *GAMMA) / 257).astype(np.int16)
"""The grey level of each of 4096 steps of brightness."""


def levels(brightness: NDArray[np.float32]) -> NDArray[np.int16]:
    """Brightness (1 = white) -> grey level 0 to 255, of a picture that has all of them."""
    return LEVELS[(np.minimum(brightness, 1.0) * 4095).astype(np.int16)]


class Exposure:
    """The exposure of a sensor. ``step`` is called for each frame."""

    def __init__(self, sensor: Sensor) -> None:
        self._sensor, self._tuning = sensor, sensor.agc
        self.ev, self.metering, self.flicker_us = 0.0, CENTRE, 0
        self.limits = (33_333, 33_333)
        self.fixed_us, self.fixed_gain = 0, 0.0
        self._period_us = 10_000
        self._total = 1000.0
        self._frames = 0
        self._shown = deque([(1000.0, 1.0, 1.0)] * (DELAY + 1), DELAY + 1)

    @property
    def shown(self) -> tuple[float, float, float]:
        """Of the frame that is taken now: exposure in microseconds, analogue and digital gain."""
        return self._shown[0]

    @property
    def frame_us(self) -> float:
        """How long the frame takes that is taken now."""
        return max(self.limits[0], min(self.limits[1], self.shown[0] + 1000))

    def apply(self, controls: dict[str, object]) -> None:
        """Take the controls of a request."""
        for name, value in controls.items():
            if name == "ExposureValue":
                self.ev = float(value)  # type: ignore[arg-type]
            elif name == "AeMeteringMode":
                self.metering = int(value)  # type: ignore[call-overload]
            elif name == "AeFlickerPeriod":
                self._period_us = int(value)  # type: ignore[call-overload]
            elif name == "FrameDurationLimits":
                self.limits = value  # type: ignore[assignment]
            elif name == "ExposureTime":
                self.fixed_us = int(value)  # type: ignore[call-overload]
            elif name == "AnalogueGain":
                self.fixed_gain = float(value)  # type: ignore[arg-type]
        if "AeFlickerMode" in controls:
            self.flicker_us = self._period_us if controls["AeFlickerMode"] else 0

    def step(self, light: NDArray[np.float32], lux: float) -> None:
        """One frame. ``light``: a small picture (height, width) of what each place sends, lux x what it reflects."""
        now_us, now_gain, _ = self.shown
        seen = np.minimum(light * (BRIGHTNESS * now_us * now_gain), 1.0)
        self._frames += 1
        target = now_us * now_gain * self._gain(seen, lux)
        longest = self._limit(self.fixed_us or self._tuning.shutter[-1])
        target = min(target, longest * (self.fixed_gain or self._tuning.gain[-1]))
        speed, stable = (1.0, 0.0) if self._frames <= STARTUP_FRAMES else (self._tuning.speed, 0.02)
        if not self._total * (1 - stable) < target < self._total * (1 + stable):
            if 0.8 * target < self._total < 1.2 * target:
                speed = speed**0.5
            self._total += speed * (target - self._total)
        self._shown.append(self._divide())

    def _gain(self, seen: NDArray[np.float32], lux: float) -> float:
        ev = 2**self.ev * self._tuning.base_ev
        target = min(MOST_TARGET, float(np.interp(lux, *zip(*self._tuning.y_target, strict=True))) * ev)
        weights, gain = _weights(seen.shape, self.metering), 1.0
        for _ in range(8):
            mean = float((np.minimum(seen * gain, 1.0) * weights).sum() / weights.sum())
            extra = min(10.0, target / (mean + 0.001))
            gain *= extra
            if extra < 1.01:
                break
        brightest = np.sort(seen.ravel())[int(0.98 * seen.size) :].mean()
        return max(gain, min(MOST_TARGET, self._tuning.brightest * ev) / float(max(brightest, 1e-4)))

    def _limit(self, exposure_us: float) -> float:
        return min(exposure_us, self.limits[1] - 1000)

    def _divide(self) -> tuple[float, float, float]:
        tuning = self._tuning
        exposure_us = self._limit(self.fixed_us or tuning.shutter[0])
        gain = self.fixed_gain or tuning.gain[0]
        for shutter, most in zip(tuning.shutter[1:], tuning.gain[1:], strict=True):
            if exposure_us * gain >= self._total:
                break
            if not self.fixed_us:
                exposure_us = min(self._limit(shutter), self._total / gain)
            if not self.fixed_gain and exposure_us * gain < self._total:
                gain = min(most, self._total / exposure_us)
        if self.flicker_us and not (self.fixed_us or self.fixed_gain):
            periods = exposure_us // self.flicker_us
            if periods:
                gain *= exposure_us / (periods * self.flicker_us)
                exposure_us = periods * self.flicker_us
        analogue = min(max(gain, self._sensor.gains[0]), self._sensor.gains[1])
        digital = min(MOST_DIGITAL_GAIN, max(1.0, self._total / (exposure_us * analogue)))
        if self.fixed_us and self.fixed_gain:
            digital = 1.0
        return exposure_us, analogue, digital


@lru_cache(4)
def _weights(shape: tuple[int, int], metering: int) -> NDArray[np.float32]:
    height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    away = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5)
    steps = {MATRIX: [1.0], SPOT: [3.0, 0.0], CENTRE: [3.0, 2.0, 1.0]}[metering]
    edges: list[float] = {MATRIX: [], SPOT: [0.12], CENTRE: [0.2, 0.4]}[metering]
    return np.array(steps, np.float32)[np.digitize(away, edges)]
