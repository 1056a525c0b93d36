"""A stored message, a publisher's progress, and the clock of the boot that both use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored message."""

    position: int
    """Its place in this database; always increasing, whatever the clock does."""
    boot_id: str
    """With ``seq`` the key by which a receiver recognises duplicates; begins with the kernel's id of the boot."""
    seq: int
    """Counts the messages with this ``boot_id``."""
    at: float
    """When it happened, in seconds since 1970, by the clock as it was set then."""
    up: float
    """When it was stored, in seconds since that boot."""
    text: str
    """The JSON that is sent."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a publisher has got."""

    done: int
    """Position of the last entry that need not be sent again."""
    dropped: int
    """Entries that were deleted before the publisher could send them."""


def boot_id() -> str:
    """The kernel's id of this boot, a UUID; a random one on systems without it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        import uuid

        return str(uuid.uuid4())


def uptime() -> float:
    """Seconds since this boot, time in suspend included; it never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
