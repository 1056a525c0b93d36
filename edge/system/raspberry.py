"""Model, temperature and throttling of a Raspberry Pi; of other computers what their kernel reports."""

from __future__ import annotations

import re
from pathlib import Path

UNDER_VOLTAGE = 0
"""Bit of ``vcgencmd get_throttled`` that is set while the voltage is too low."""
THROTTLED_BITS = {
    UNDER_VOLTAGE: "under-voltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
"""Bits of ``vcgencmd get_throttled`` -> meaning. Each bit says that it is so now; the bit 16 places higher, that it has
been so since the Pi was switched on. Source: "get_throttled" in Raspberry Pi's documentation of vcgencmd."""


def model(root: Path = Path("/")) -> str:
    """Which Raspberry Pi this is; empty if it is none. ``root`` is the root of the file system, for tests."""
    text = _text(root / "proc/device-tree/model")
    return text if text.startswith("Raspberry Pi") else ""


def temperature_celsius(root: Path = Path("/")) -> float | None:
    """°C of the hottest sensor; None if there is none. ``root`` as in ``model``."""
    texts = [_text(zone) for zone in root.glob("sys/class/thermal/thermal_zone*/temp")]
    return max((int(text) / 1000 for text in texts if re.fullmatch("-?[0-9]+", text)), default=None)


def throttled_bits(root: Path = Path("/")) -> int | None:
    """The number that ``vcgencmd get_throttled`` shows; None if the kernel has no file for it.

    Raspberry Pi's kernel has that file since 4.14. Everybody may read it, but the service's sandbox denies ``vcgencmd``
    its device.
    """
    places = ("*firmware", "*/*firmware")
    for file in (file for place in places for file in root.glob(f"sys/devices/platform/{place}/get_throttled")):
        text = _text(file)
        if re.fullmatch("(0x)?[0-9a-fA-F]+", text):
            return int(text, 16)
    return None


def decode_throttled(bits: int) -> tuple[list[str], list[str]]:
    """The number of ``throttled_bits`` -> the conditions that hold now, and those since the Pi was switched on."""
    now = [name for bit, name in THROTTLED_BITS.items() if bits >> bit & 1]
    ever = [name for bit, name in THROTTLED_BITS.items() if bits >> (bit + 16) & 1]
    return now, ever


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip("\0 \n\t")
    except OSError:
        # Some sensors cannot be read while their driver is suspended.
        return ""
