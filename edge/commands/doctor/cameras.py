"""Checks of `edge doctor`: the cameras that Linux shows, and the programs that use them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import Machine
from edge.sources.cameras_found import NOT_CAMERAS, RECEIVERS, device_of, video_devices

HARMLESS = ("pipewire", "wireplumber")
"""Desktop services that keep a camera's device open without using the camera."""


class CameraUser(NamedTuple):
    """A process that has a camera open."""

    process: int
    command: str
    """Its command line, or its short name if that cannot be read."""
    device: str


def cameras(machine: Machine) -> Iterable[Finding]:
    """The cameras at /dev/video*, and whether the camera of the settings is one of them."""
    scheme, what = machine.source
    wanted = device_of(what)
    there = dict(video_devices(machine.root))
    shown = ", ".join(f"{name} ({device})" for device, name in there.items() if not name.startswith(NOT_CAMERAS))
    if scheme != "v4l2":
        yield ok("cameras", shown or "no camera at /dev/video*")
    elif not machine.path(wanted).exists():
        why = f"the source is set to {machine.settings.source}: connect that camera, or set source to another one"
        others = f"found {shown}" if shown else "no other camera was found"
        yield failure("cameras", f"{wanted} does not exist; {others}", why, "v4l2-ctl --list-devices")
    elif (name := there.get(_device(machine, wanted), "")).startswith((*NOT_CAMERAS, *RECEIVERS)):
        why = "v4l2: can read USB cameras only: a camera on the ribbon cable is picamera2:0"
        yield failure("cameras", f"{wanted} is {name}", why, "edge run --source picamera2:0")
    else:
        yield ok("cameras", shown or wanted)


def _device(machine: Machine, name: str) -> str:
    """The device that a name means: udev has links to it, such as /dev/v4l/by-id/…."""
    path = machine.path(name)
    return f"/dev/{path.resolve().name}" if path.is_symlink() else name


def in_use(machine: Machine) -> Iterable[Finding]:
    """The programs that have a camera open; a warning if one other than edge run uses the camera of the settings."""
    users, hidden = camera_users(machine)
    scheme, what = machine.source
    unknown = f" (not checked: {hidden} processes of other users; use sudo)" if hidden else ""
    free = True
    for user in users:
        said = f"{user.device} is used by process {user.process}, {user.command}"
        wanted = scheme == "picamera2" or (scheme == "v4l2" and user.device == _device(machine, device_of(what)))
        words = [Path(word).name for word in user.command.split()]
        ours = "edge" in words and "run" in words
        free = False
        if wanted and not ours and not words[0].startswith(HARMLESS):
            why = "only one program at a time can use a camera: end this one, or stop the service that starts it"
            yield warning("in use", said, why, f"{'' if not machine.user.id else 'sudo '}kill {user.process}")
        else:
            yield ok("in use", said)
    if free:
        yield ok("in use", f"no camera is in use{unknown}")


def camera_users(machine: Machine) -> tuple[list[CameraUser], int]:
    """The processes that have a /dev/video* or /dev/media* open, and the number of processes that cannot be checked."""
    found: dict[tuple[int, str], CameraUser] = {}
    hidden = 0
    for place in sorted(machine.path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        number = int(place.name)
        if number == machine.process:
            continue
        try:
            files = [file.readlink() for file in (place / "fd").iterdir()]
        except PermissionError:
            hidden += 1
            continue
        except OSError:
            # The process has ended meanwhile.
            continue
        for device in sorted({str(file) for file in files if str(file).startswith(("/dev/video", "/dev/media"))}):
            command = machine.text(f"/proc/{number}/cmdline").replace("\0", " ")
            command = command or machine.text(f"/proc/{number}/comm") or "unknown"
            found[number, device] = CameraUser(number, command[:60], device)
    return list(found.values()), hidden
