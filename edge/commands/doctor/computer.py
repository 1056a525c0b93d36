"""Checks of `edge doctor`: the computer, its system, temperature, power and clock."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge.commands.doctor.finding import Finding, failure, last_line, ok, warning
from edge.commands.doctor.machine import Machine
from edge.system.command import MISSING
from edge.system.raspberry import (
    THROTTLED_BITS,
    UNDER_VOLTAGE,
    decode_throttled,
    temperature_celsius,
    throttled_bits,
)

RELEASES = ("bookworm", "trixie")
"""The supported releases of Raspberry Pi OS."""
WARM_C, HOT_C = 80.0, 85.0
"""A Pi slows its cores from 80 °C, and its GPU too from 85 °C ("Frequency management and thermal control" in Raspberry
Pi's documentation)."""
WIDE = ("aarch64", "x86_64")
"""Kernels with 64 bits; a 32-bit Raspberry Pi OS runs one on a Pi 4 and a Pi 5."""
WIDE_PI = re.compile(r"Raspberry Pi (Zero 2|[3-9]|2 Model B Rev 1\.2|[45]00|Compute Module [3-9])")
"""Raspberry Pis with 64 bits, whatever kernel they run (the processors in Raspberry Pi's documentation)."""
NO_SYSTEMD = re.compile("not been booted with systemd|Failed to connect to (the )?(system )?bus", re.IGNORECASE)
"""What systemd's commands print in a container or under another init system."""


def computer(machine: Machine) -> Iterable[Finding]:
    """Which Raspberry Pi this is, if it is one."""
    yield ok("computer", machine.pi or f"not a Raspberry Pi ({machine.architecture})")


def system(machine: Machine) -> Iterable[Finding]:
    """The distribution; on a Pi, whether it has the camera's packages."""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', machine.text("/etc/os-release"), re.MULTILINE))
    name = fields.get("PRETTY_NAME", "a system without /etc/os-release")
    if machine.pi and fields.get("VERSION_CODENAME") not in RELEASES:
        why = "the camera's packages exist for Raspberry Pi OS Bookworm and Trixie only: write one of these to the card"
        yield warning("system", name, why, "rpi-imager")
    else:
        yield ok("system", name)


def python(machine: Machine) -> Iterable[Finding]:
    """32 or 64 bits, and which TFLite runtime there is for this Python."""
    version = ".".join(map(str, machine.python))
    said = f"Python {version}, {machine.bits} bits on {machine.architecture}"
    if machine.bits == 64:
        yield ok("python", said)
    elif machine.architecture not in WIDE and not WIDE_PI.match(machine.pi):
        yield ok("python", f"{said}; this processor has no 64 bits" if machine.pi else said)
    elif machine.python > (3, 11):
        why = (
            "there is no TFLite runtime for 32 bits and this Python. With one, the model takes about a tenth of the"
            " time: write 64-bit Raspberry Pi OS to the card, as this processor can run it"
        )
        yield warning("python", said, why, "rpi-imager")
    else:
        why = (
            "32 bits can use only tflite-runtime, which is no longer maintained: write 64-bit Raspberry Pi OS to the"
            " card, as this processor can run it"
        )
        yield warning("python", said, why, "rpi-imager")


def temperature(machine: Machine) -> Iterable[Finding]:
    """The hottest sensor, in °C. Judged on a Pi only, as other machines have other limits."""
    hottest = temperature_celsius(machine.root)
    if hottest is None:
        yield ok("temperature", "there is no sensor")
        return
    said = f"{hottest:.0f} °C"
    why = f"a Pi slows down from {WARM_C:.0f} °C, and more from {HOT_C:.0f} °C: give it air, a heat sink or a fan"
    if machine.pi and hottest >= HOT_C:
        yield failure("temperature", said, why, "vcgencmd measure_temp")
    elif machine.pi and hottest >= WARM_C:
        yield warning("temperature", said, why, "vcgencmd measure_temp")
    else:
        yield ok("temperature", said)


def power(machine: Machine) -> Iterable[Finding]:
    """Whether the voltage is too low or the Pi is slowed: now, or at any time since it started."""
    if not machine.pi:
        yield ok("power", "not a Raspberry Pi")
        return
    number = throttled_bits(machine.root)
    if number is None:
        done = machine.run(["vcgencmd", "get_throttled"])
        found = re.search("throttled=0x([0-9a-fA-F]+)", done.out)
        if not found:
            missing = done.status == MISSING
            said = (
                "vcgencmd is not installed"
                if missing
                else f"vcgencmd: {last_line(done.error or done.out) or 'no answer'}"
            )
            install = "sudo apt install -y raspi-utils" if missing else f"sudo usermod -aG video {machine.user.name}"
            why = "only vcgencmd reports under-voltage, which damages cards and stops cameras"
            yield warning("power", said, why, install)
            return
        number = int(found.group(1), 16)
    now, ever = decode_throttled(number)
    said = "; ".join(f"{when}: {', '.join(names)}" for when, names in (("now", now), ("since start", ever)) if names)
    why = "a weak power supply or thin cable, which stops cameras and damages cards: use Raspberry Pi's own supply"
    if THROTTLED_BITS[UNDER_VOLTAGE] not in (*now, *ever):
        why = "the Pi was slowed because it was too hot: give it air, a heat sink or a fan"
    if THROTTLED_BITS[UNDER_VOLTAGE] in now:
        yield failure("power", said, why, "vcgencmd get_throttled")
    elif said:
        yield warning("power", said, why, "vcgencmd get_throttled")
    else:
        yield ok("power", "no under-voltage and no slowdown since the start")


def clock(machine: Machine) -> Iterable[Finding]:
    """Whether the clock is set from the network. A Pi has no battery, and readings contain the time."""
    done = machine.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if done.out.strip() == "yes" or machine.path("/run/systemd/timesync/synchronized").exists():
        yield ok("clock", "synchronised")
    elif done.out.strip() == "no":
        why = "most Pis forget the time when they are switched off: the time in readings may be wrong"
        yield warning("clock", "not synchronised", why, "sudo timedatectl set-ntp true")
    elif done.status == MISSING or NO_SYSTEMD.search(done.error):
        yield ok("clock", "not checked: systemd does not set it here")
    else:
        why = "the time in readings may be wrong: whether the clock is synchronised is unknown"
        yield warning("clock", last_line(done.error) or "no answer", why, "timedatectl status")
