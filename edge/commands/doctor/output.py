"""What `edge doctor` looks at: where readings go, and the disk below."""

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

FULL_BYTES, LOW_BYTES = 20_000_000, 500_000_000
"""Below the first nothing more can be relied on to be written; below the second the system's own log soon fills it."""


def disk(machine: Machine) -> Iterable[Finding]:
    """Free space where the service keeps its state, or would, and whether it may write there."""
    name = machine.unit_says("StateDirectory").split(" ")[0]
    state = machine.path(f"/var/lib/{name}") if name else machine.path("/var/lib")
    if not state.exists():
        # systemd makes it when the service starts.
        state = machine.path("/var/lib")
    shown = f"/{state.relative_to(machine.root)}"
    free = machine.free_bytes(state)
    said = f"{free / 1e9:.1f} GB free at {shown}" if free >= 1e9 else f"{free / 1e6:.0f} MB free at {shown}"
    why = "readings are lost when it is full; old logs are what can go first"
    if free < FULL_BYTES:
        yield failure("disk", said, why, "sudo journalctl --vacuum-size=50M")
    elif free < LOW_BYTES:
        yield warning("disk", said, why, "sudo journalctl --vacuum-size=50M")
    else:
        yield ok("disk", said)
    options = _mounted(machine)
    if "ro" in options:
        why = "Linux does this when a card fails, or an overlay file system was chosen: nothing can be kept"
        yield failure("disk", "the system's disk is mounted read-only", why, "sudo mount -o remount,rw /")
    user, owner = machine.unit_says("User"), _owner(machine, state)
    if name and state.name == name and user and owner and owner != user:
        why = "the service cannot keep what it has to"
        yield failure("disk", f"{shown} belongs to {owner}, not to {user}", why, f"sudo chown -R {user}: {shown}")


def _mounted(machine: Machine) -> list[str]:
    """The options with which / is mounted, the last mount over it: proc_mounts(5)."""
    mounts = [line.split(" ") for line in machine.text("/proc/self/mounts").splitlines()]
    options = [fields[3].split(",") for fields in mounts if len(fields) > 3 and fields[1] == "/"]
    return options[-1] if options else []


def _owner(machine: Machine, path: Path) -> str:
    """Who owns a path, by /etc/passwd; empty where nobody there does."""
    number = str(path.stat().st_uid)
    lines = (line.split(":") for line in machine.text("/etc/passwd").splitlines())
    return next((fields[0] for fields in lines if len(fields) > 2 and fields[2] == number), "")


def publishers(machine: Machine) -> Iterable[Finding]:
    """Whether each of the settings' publishers can be reached; nothing is sent, no file is made."""
    for text in machine.settings.publish:
        try:
            channel = find_channel(text)
        except SettingsError as error:
            yield failure("publisher", str(error), "edge run stops at this", machine.run_check)
            continue
        if channel:
            yield _channel(machine, channel)
        elif (what := uri.split(text).what) == "-":
            yield ok("publisher", f"{text} is stdout")
        else:
            judge = _service_file if machine.for_service else _file
            yield judge(machine, text, Path(what).expanduser())


def _channel(machine: Machine, channel: Channel) -> Finding:
    """Whether a broker or webhook is there and lets us in; nothing is sent."""
    try:
        return ok("publisher", f"{channel.name} ({channel.probe()})")
    except PublishError as error:
        why = "events wait in the store until it takes them; edge run tries again by itself"
        if machine.for_service and machine.unit_says("LoadCredential"):
            why += "; a password that systemd gives to the service alone is not known here"
        # No command mends another computer: this one looks again.
        return warning("publisher", str(error), why, "edge doctor")


def _file(machine: Machine, text: str, path: Path) -> Finding:
    """A file that is, or can be, written; it is looked for where it says, or below the folder we are in."""
    place = machine.path(str(path)) if path.is_absolute() else path
    folder = shlex.quote(str(path.parent))
    if not place.parent.is_dir():
        why = "readings have nowhere to go: edge run stops at this"
        return failure("publisher", f"{text}: there is no folder {path.parent}", why, f"mkdir -p {folder}")
    if place.is_dir():
        why = "readings go to a file: name one in it"
        return failure(
            "publisher", f"{text}: is a folder", why, f"edge run --publish {shlex.quote(f'{text}/readings.jsonl')}"
        )
    if not machine.may_use(place if place.exists() else place.parent):
        why = f"{machine.user.name} may not write it: edge run stops at this; a service's file is its own user's"
        owned = shlex.quote(str(path)) if place.exists() else folder
        return failure(
            "publisher", f"{text}: cannot be written", why, f"sudo chown {shlex.quote(machine.user.name)} {owned}"
        )
    return ok("publisher", f"{text} can be written")


def _service_file(machine: Machine, text: str, path: Path) -> Finding:
    """The same for the service, which may write only where its unit lets it: relative paths begin there."""
    state = f"/var/lib/{machine.unit_says('StateDirectory').split(' ')[0]}"
    places = [state, *machine.unit_says("ReadWritePaths").split()]
    if not path.is_absolute() or any(path.is_relative_to(place) for place in places):
        return ok("publisher", f"{text} is the service's to write")
    why = f"the service's sandbox lets it write below {' and '.join(places)} only: change publish to a file there"
    return warning("publisher", f"{text}: out of the service's reach", why, f"sudoedit {shlex.quote(machine.config)}")
