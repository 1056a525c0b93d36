"""Counts how often the program crashed with a model, so that one that passed its trial is not used for ever."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
from pathlib import Path

from edge.store.entry import boot_id
from edge.system.closing import Closing

log = logging.getLogger(__name__)

FILE = "crashes"
"""The file in the registry's folder: the model's hash, the number of crashes, and the boot in which it is in use."""
MOST_CRASHES = 3
"""Crashes in a row after which a model is not used any more. Chosen: one or two may have another cause."""
HEALTHY_SECONDS = 900.0
"""After so many seconds with frames, the crashes before are forgotten. Chosen: a model that fails less often than that
is still of use."""
MOST_COUNTED = 999
"""Crashes above this are not counted. Chosen: far more than MOST_CRASHES, and few digits."""
_ENDED = "-"
"""In place of the boot: the program has ended itself."""


class CrashCount(Closing):
    """How often the program crashed with the model in use, in a row.

    A crash is an end that ``end`` did not announce: by the watchdog, a signal, the kernel when memory runs out, or an
    error in the loop. When the machine itself went down (another boot), nothing is counted. The kernel keeps what was
    written when the program ends, so nothing here waits for the disk.
    """

    def __init__(self, folder: Path | None) -> None:
        """Count the crash of the run before, if it ended in one. ``folder`` is the registry's.

        Nothing is counted if there is no folder, if another process uses the file, or if it cannot be used, which is
        logged.
        """
        self._file = -1
        self._boot = boot_id()
        self._model, self._crashes, self._seconds = "", 0, 0.0
        if folder is None:
            return
        try:
            folder.mkdir(exist_ok=True)
            self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o640)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            record = os.pread(self._file, 200, 0).decode("ascii", "replace")
        except BlockingIOError:
            self.close()
            return
        except OSError as error:
            self.close()
            why = error.strerror
            log.warning("%s: cannot be used (%s); remove it (until then crashes are not counted)", folder / FILE, why)
            return
        if found := re.fullmatch(r"([0-9a-f]{64}) ([0-9]{1,9}) (\S+)\s*", record):
            self._model, self._crashes = found[1], min(int(found[2]) + (found[3] == self._boot), MOST_COUNTED)

    def _write(self, boot: str) -> None:
        if self._file >= 0:
            with contextlib.suppress(OSError):
                # Always as long, so that it is never half old and half new.
                os.pwrite(self._file, f"{self._model} {self._crashes} {boot}".ljust(150).encode() + b"\n", 0)

    def of(self, model: str) -> int:
        """Crashes in a row with the model of this hash."""
        return self._crashes if model == self._model else 0

    def begin(self, model: str) -> None:
        """The model of this hash is used from now on. Call it before the model is loaded, which may crash too."""
        self._crashes = self.of(model)
        self._model, self._seconds = model, 0.0
        self._write(self._boot)

    def count_healthy(self, seconds: float) -> None:
        """Frames were read for this many more seconds."""
        self._seconds += seconds
        if self._crashes and self._seconds >= HEALTHY_SECONDS:
            self._crashes = 0
            self._write(self._boot)

    def end(self) -> None:
        """The program ends by itself."""
        if self._model:
            self._write(_ENDED)

    def close(self) -> None:
        """Release the file; what is written in it stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
