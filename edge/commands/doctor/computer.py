"""What `edge doctor` looks at: the computer, its system, heat, power and clock."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge.commands.doctor.finding import Finding, failure, last_line, ok, warning
from edge.commands.doctor.machine import MISSING, Machine
from edge.system.raspberry import BITS, UNDER_VOLTAGE, decode, degrees, throttled

RELEASES = ("bookworm", "trixie")
"""Releases of Raspberry Pi OS that this is made for."""
WARM_C, HOT_C = 80.0, 85.0
"""From 80 °C a Pi slows its cores, from 85 °C also the rest ("Frequency management and thermal control" in Raspberry
Pi's documentation)."""
NO_SYSTEMD = re.compile("not been booted with systemd|Failed to connect to (the )?(system )?bus", re.IGNORECASE)
"""What systemd's commands say in a container, and where another init runs."""


def computer(machine: Machine) -> Iterable[Finding]:
    """Which Pi it is, or none."""
    yield ok("computer", machine.pi or f"not a Raspberry Pi ({machine.architecture})")


def system(machine: Machine) -> Iterable[Finding]:
    """The distribution; on a Pi one for which the camera's packages exist."""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', machine.text("/etc/os-release"), re.MULTILINE))
    name = fields.get("PRETTY_NAME", "a system without /etc/os-release")
    if machine.pi and fields.get("VERSION_CODENAME") not in RELEASES:
        why = "the camera's packages are made for Raspberry Pi OS Bookworm and Trixie; write one of them to the card"
        yield warning("system", name, why, "rpi-imager")
    else:
        yield ok("system", name)


def python(machine: Machine) -> Iterable[Finding]:
    """32 or 64 bits, and whether a TFLite runtime is made for this Python."""
    version = ".".join(map(str, machine.python))
    said = f"Python {version}, {machine.bits} bits on {machine.architecture}"
    if machine.bits == 64:
        yield ok("python", said)
    elif machine.python > (3, 11):
        why = "no TFLite runtime is made for 32 bits and a Python after 3.11; write a 64-bit system to the card"
        yield failure("python", said, why, "rpi-imager")
    else:
        why = "the maintained TFLite runtime needs 64 bits, here its forerunner runs; write a 64-bit system to the card"
        yield warning("python", said, why, "rpi-imager")


def temperature(machine: Machine) -> Iterable[Finding]:
    """The hottest sensor, °C; judged on a Pi only, as other machines have other limits."""
    hottest = degrees(machine.root)
    if hottest is None:
        yield ok("temperature", "no sensor")
        return
    said = f"{hottest:.0f} °C"
    why = f"from {WARM_C:.0f} °C a Pi slows down, from {HOT_C:.0f} °C more so; give it air, a heat sink or a fan"
    if machine.pi and hottest >= HOT_C:
        yield failure("temperature", said, why, "vcgencmd measure_temp")
    elif machine.pi and hottest >= WARM_C:
        yield warning("temperature", said, why, "vcgencmd measure_temp")
    else:
        yield ok("temperature", said)


def power(machine: Machine) -> Iterable[Finding]:
    """Whether the supply sags or the clock was slowed: now, or since it was switched on."""
    if not machine.pi:
        yield ok("power", "not a Raspberry Pi")
        return
    number = throttled(machine.root)
    if number is None:
        done = machine.run(["vcgencmd", "get_throttled"])
        found = re.search("throttled=0x([0-9a-fA-F]+)", done.out)
        if not found:
            missing = done.status == MISSING
            said = (
                "vcgencmd is not here" if missing else f"vcgencmd: {last_line(done.error or done.out) or 'no answer'}"
            )
            install = "sudo apt install -y raspi-utils" if missing else f"sudo usermod -aG video {machine.user.name}"
            why = "only it knows of under-voltage, which corrupts cards and stops cameras"
            yield warning("power", said, why, install)
            return
        number = int(found.group(1), 16)
    now, ever = decode(number)
    said = "; ".join(f"{when}: {', '.join(names)}" for when, names in (("now", now), ("since start", ever)) if names)
    why = "the supply is too weak or its cable too thin: take Raspberry Pi's own; cameras stop and cards break of it"
    if BITS[UNDER_VOLTAGE] not in (*now, *ever):
        why = "the Pi was slowed because it was too hot: give it air, a heat sink or a fan"
    if BITS[UNDER_VOLTAGE] in now:
        yield failure("power", said, why, "vcgencmd get_throttled")
    elif said:
        yield warning("power", said, why, "vcgencmd get_throttled")
    else:
        yield ok("power", "steady since it was switched on")


def clock(machine: Machine) -> Iterable[Finding]:
    """Whether the clock is set from the network: a Pi has no battery, and readings carry the time."""
    done = machine.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if done.out.strip() == "yes" or machine.path("/run/systemd/timesync/synchronized").exists():
        yield ok("clock", "synchronised")
    elif done.out.strip() == "no":
        why = "most Pis forget the time when switched off: readings would carry a wrong one"
        yield warning("clock", "not synchronised", why, "sudo timedatectl set-ntp true")
    elif done.status == MISSING or NO_SYSTEMD.search(done.error):
        yield ok("clock", "systemd does not keep it here")
    else:
        why = "whether the time that readings carry is right cannot be told"
        yield warning("clock", last_line(done.error) or "no answer", why, "timedatectl status")
