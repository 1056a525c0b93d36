"""What a Raspberry Pi says of its own heat and power; on another computer, as far as it says anything."""

from __future__ import annotations

import re
from pathlib import Path

UNDER_VOLTAGE = 0
"""The bit of ``get_throttled`` that says so, now; the same for the others."""
BITS = {
    UNDER_VOLTAGE: "under-voltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
"""Bits of ``vcgencmd get_throttled``: each says "now", and 16 higher "since it was switched on" ("get_throttled" in
Raspberry Pi's documentation of vcgencmd)."""


def degrees(root: Path = Path("/")) -> float | None:
    """°C of the hottest sensor; None where there is none. ``root`` is where the system's files lie."""
    texts = [_text(zone) for zone in root.glob("sys/class/thermal/thermal_zone*/temp")]
    return max((int(text) / 1000 for text in texts if re.fullmatch("-?[0-9]+", text)), default=None)


def throttled(root: Path = Path("/")) -> int | None:
    """What ``vcgencmd get_throttled`` gives, as Raspberry Pi's kernel has it since 4.14; None where it has not.

    A file that everybody may read: the service's sandbox keeps ``vcgencmd`` from its device.
    """
    places = ("*firmware", "*/*firmware")
    for file in (file for place in places for file in root.glob(f"sys/devices/platform/{place}/get_throttled")):
        text = _text(file)
        if re.fullmatch("(0x)?[0-9a-fA-F]+", text):
            return int(text, 16)
    return None


def decode(throttled: int) -> tuple[list[str], list[str]]:
    """The number that ``get_throttled`` gives -> what is so now, and what was so since the Pi was switched on."""
    now = [name for bit, name in BITS.items() if throttled >> bit & 1]
    ever = [name for bit, name in BITS.items() if throttled >> (bit + 16) & 1]
    return now, ever


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip("\0 \n\t")
    except OSError:
        # A sensor whose driver sleeps or does not answer.
        return ""
