"""A camera with switchable faults, as a cable, a driver or a USB hub causes them."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import numpy as np

from edge.errors import SourceError
from edge.sources.base import Camera


class Faulty(Camera):
    """A camera of 100 frames a second with noise in them, and with switches for what can go wrong."""

    def __init__(self, what: str = "") -> None:
        self.name = f"faulty:{what}"
        self.fault = what
        """What goes wrong now: absent, error, silent (a read that blocks), shut (an open that blocks), frozen,
        garbage, small, crash; empty: nothing."""
        self.node = 0
        self.opened = self.closed = self.read_count = 0
        self.taken = datetime.now(UTC)
        self.released = threading.Event()
        self._rng = np.random.default_rng(1)
        self._last = self._picture()

    def _picture(self):
        return self._rng.integers(100, 120, (48, 64), dtype=np.uint8)

    def open(self):
        self.opened += 1
        if self.fault == "absent":
            raise SourceError(f"{self.name}: no such camera")
        if self.fault == "shut":
            self.released.wait(60)

    def read(self):
        time.sleep(0.01)
        self.read_count += 1
        if self.fault == "error":
            raise SourceError(f"{self.name}: the cable is loose")
        if self.fault == "crash":
            raise KeyError("ExposureTime")
        if self.fault == "silent":
            self.released.wait(60)
        if self.fault == "garbage":
            return self._rng.integers(0, 256, (48, 64, 2), dtype=np.uint8), self.taken
        if self.fault == "small":
            return self._rng.integers(0, 256, (1, 3), dtype=np.uint8), self.taken
        if self.fault != "frozen":
            self._last = self._picture()
        return self._last.copy(), self.taken

    def close(self):
        self.closed += 1

    def availability(self):
        return self.node
