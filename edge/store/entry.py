"""One stored message, how far a publisher got, and the clock that both are told by: that of the boot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored message."""

    position: int
    """Its place in this file: ever growing, whatever the clock does."""
    boot_id: str
    """With ``seq`` the key by which a listener knows what it has; it begins with the kernel's name of the boot."""
    seq: int
    """Counts the messages that have this ``boot_id``."""
    at: float
    """When it happened, seconds since 1970, by the clock of then."""
    up: float
    """When it was stored, seconds since that boot."""
    text: str
    """The JSON that is sent."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a publisher got."""

    done: int
    """Position of the last entry that need not be sent again."""
    dropped: int
    """Entries that were gone before it had them."""


def boot_id() -> str:
    """The kernel's name of this boot; where there is none, one of its own."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        import uuid

        return str(uuid.uuid4())


def uptime() -> float:
    """Seconds since this boot, asleep or not; it never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
