"""Checks of `edge doctor`: the publishers of the settings, and the disk."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from edge import uri
from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import Machine
from edge.errors import PublishError, SettingsError
from edge.publishers import find_channel
from edge.publishers.courier import Channel
from edge.system.files import expanded

FULL_BYTES, LOW_BYTES = 20_000_000, 500_000_000
"""Free space for a failure and for a warning. Chosen: below the first writing may fail at any time; below the second
the system's own log may fill the rest."""


def disk(machine: Machine) -> Iterable[Finding]:
    """Free space on the disk of the service's state folder, and whether the service may write there."""
    name = machine.unit_value("StateDirectory").split(" ")[0]
    state = machine.path(f"/var/lib/{name}") if name else machine.path("/var/lib")
    if not state.exists():
        # systemd makes the folder when the service starts.
        state = machine.path("/var/lib")
    shown = f"/{state.relative_to(machine.root)}"
    free = machine.free_bytes(state)
    said = f"{free / 1e9:.1f} GB free at {shown}" if free >= 1e9 else f"{free / 1e6:.0f} MB free at {shown}"
    why = "readings are lost when the disk is full: old logs can be deleted first"
    if free < FULL_BYTES:
        yield failure("disk", said, why, "sudo journalctl --vacuum-size=50M")
    elif free < LOW_BYTES:
        yield warning("disk", said, why, "sudo journalctl --vacuum-size=50M")
    else:
        yield ok("disk", said)
    options = _mounted(machine)
    if "ro" in options:
        why = "nothing can be stored. Linux does this if the card fails, or if the overlay file system is switched on"
        yield failure("disk", "the system's disk is mounted read-only", why, "sudo mount -o remount,rw /")
    user, owner = machine.unit_value("User"), _owner(machine, state)
    if name and state.name == name and user and owner and owner != user:
        why = "the service cannot store its events"
        yield failure("disk", f"{shown} belongs to {owner}, not to {user}", why, f"sudo chown -R {user}: {shown}")


def _mounted(machine: Machine) -> list[str]:
    """The mount options of /, of the last mount if there are several: proc_mounts(5)."""
    mounts = [line.split(" ") for line in machine.text("/proc/self/mounts").splitlines()]
    options = [fields[3].split(",") for fields in mounts if len(fields) > 3 and fields[1] == "/"]
    return options[-1] if options else []


def _owner(machine: Machine, path: Path) -> str:
    """The owner of a path by /etc/passwd; empty if it is not there."""
    number = str(path.stat().st_uid)
    lines = (line.split(":") for line in machine.text("/etc/passwd").splitlines())
    return next((fields[0] for fields in lines if len(fields) > 2 and fields[2] == number), "")


def publishers(machine: Machine) -> Iterable[Finding]:
    """Whether each publisher of the settings can be reached. Nothing is sent, and no file is made."""
    for text in machine.settings.publish:
        try:
            channel = find_channel(text)
        except SettingsError as error:
            yield failure("publisher", str(error), "edge run cannot start with this", machine.run_check)
            continue
        if channel:
            yield _channel(machine, channel)
        elif (what := uri.split(text).what) == "-":
            yield ok("publisher", f"{text} is stdout")
        else:
            check_file = _service_file if machine.for_service else _file
            yield check_file(machine, text, expanded(what))


def _channel(machine: Machine, channel: Channel) -> Finding:
    """Whether a broker or webhook can be reached and accepts the login. Nothing is sent."""
    try:
        return ok("publisher", f"{channel.name} ({channel.probe()})")
    except PublishError as error:
        why = "events wait in the store until they can be sent; edge run retries by itself"
        if machine.for_service and machine.unit_value("LoadCredential"):
            why += "; the doctor does not know a password that systemd gives only to the service"
        # No command here can fix another computer; this one checks again.
        return warning("publisher", str(error), why, "edge doctor")


def _file(machine: Machine, text: str, path: Path) -> Finding:
    """Whether a file can be written. A relative path starts in the current folder."""
    place = machine.path(str(path)) if path.is_absolute() else path
    folder = shlex.quote(str(path.parent))
    if not place.parent.is_dir():
        why = "readings cannot be written, and edge run cannot start"
        return failure("publisher", f"{text}: the folder {path.parent} does not exist", why, f"mkdir -p {folder}")
    if place.is_dir():
        why = "readings are written to a file: name a file in this folder"
        return failure(
            "publisher", f"{text}: is a folder", why, f"edge run --publish {shlex.quote(f'{text}/readings.jsonl')}"
        )
    if not machine.may_use(place if place.exists() else place.parent):
        why = (
            f"{machine.user.name} may not write it, and edge run cannot start; a service's file belongs to its own user"
        )
        owned = shlex.quote(str(path)) if place.exists() else folder
        return failure(
            "publisher", f"{text}: cannot be written", why, f"sudo chown {shlex.quote(machine.user.name)} {owned}"
        )
    return ok("publisher", f"{text} can be written")


def _service_file(machine: Machine, text: str, path: Path) -> Finding:
    """Whether the service may write a file: only below the folders of its unit. Relative paths start there."""
    state = f"/var/lib/{machine.unit_value('StateDirectory').split(' ')[0]}"
    places = [state, *machine.unit_value("ReadWritePaths").split()]
    if not path.is_absolute() or any(path.is_relative_to(place) for place in places):
        return ok("publisher", f"{text} can be written by the service")
    why = (
        f"the service can write only below {' and '.join(places)}, because of its sandbox: set publish to a file there"
    )
    return warning(
        "publisher", f"{text}: cannot be written by the service", why, f"sudoedit {shlex.quote(machine.config)}"
    )
