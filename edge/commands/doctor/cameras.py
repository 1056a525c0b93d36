"""What `edge doctor` looks at: cameras that Linux shows, and who holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import Machine

PLUMBING = ("bcm2835-codec", "bcm2835-isp", "pispbe", "rpi-hevc", "rpivid")
"""How the names begin of what a Pi shows as /dev/video* and is no camera: codecs and the image processor."""
RECEIVERS = ("unicam", "rp1-cfe")
"""What receives a ribbon-cable camera's raw picture: libcamera's to use, not v4l2:'s."""
HARMLESS = ("pipewire", "wireplumber")
"""Desktop services that keep a camera's file open without taking the camera."""


class Holder(NamedTuple):
    """A process that has a camera open."""

    process: int
    command: str
    """Its words, or its short name where they cannot be read."""
    device: str


def cameras(machine: Machine) -> Iterable[Finding]:
    """The cameras at /dev/video*, and whether the settings' one is among them."""
    scheme, what = machine.source
    wanted = what or "/dev/video0"
    there = dict(video_devices(machine))
    shown = ", ".join(f"{name} ({device})" for device, name in there.items() if not name.startswith(PLUMBING))
    if scheme != "v4l2":
        yield ok("cameras", shown or "no /dev/video* is a camera")
    elif not machine.path(wanted).exists():
        why = f"the settings' source is {machine.settings.source}; plug it in, or name one that is there"
        yield failure("cameras", f"no {wanted}; {shown or 'no other either'}", why, "v4l2-ctl --list-devices")
    elif there.get(wanted, "").startswith((*PLUMBING, *RECEIVERS)):
        why = (
            "v4l2: cannot use it: what is connected by a ribbon cable is picamera2:0, any other number is a USB camera"
        )
        yield failure("cameras", f"{wanted} is {there[wanted]}", why, "edge run --source picamera2:0")
    else:
        yield ok("cameras", shown or wanted)


def video_devices(machine: Machine) -> Iterator[tuple[str, str]]:
    """Each /dev/video* in the order of its number, and the name that its driver gives it."""
    for device in sorted(machine.path("/dev").glob("video[0-9]*"), key=lambda path: int(path.name[5:])):
        yield f"/dev/{device.name}", machine.text(f"/sys/class/video4linux/{device.name}/name") or "unknown"


def holders(machine: Machine) -> Iterable[Finding]:
    """Who has a camera open: another program than the service, where the settings want that camera, is in the way."""
    found, hidden = held(machine)
    scheme, what = machine.source
    unsaid = f" ({hidden} processes of others cannot be looked into; sudo edge doctor can)" if hidden else ""
    free = True
    for holder in found:
        said = f"{holder.device}: process {holder.process}, {holder.command}"
        wanted = scheme == "picamera2" or (scheme == "v4l2" and holder.device == (what or "/dev/video0"))
        words = [Path(word).name for word in holder.command.split()]
        ours = "edge" in words and "run" in words
        free = False
        if wanted and not ours and not words[0].startswith(HARMLESS):
            why = "only one program at a time can have a camera: end it, or stop the service that starts it"
            yield warning("in use", said, why, f"{'' if not machine.user.id else 'sudo '}kill {holder.process}")
        else:
            yield ok("in use", said)
    if free:
        yield ok("in use", f"no camera{unsaid}")


def held(machine: Machine) -> tuple[list[Holder], int]:
    """Who has a /dev/video* or /dev/media* open, each device once, and how many processes hide their files."""
    found: dict[tuple[int, str], Holder] = {}
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
            # It has ended meanwhile.
            continue
        for device in sorted({str(file) for file in files if str(file).startswith(("/dev/video", "/dev/media"))}):
            command = machine.text(f"/proc/{number}/cmdline").replace("\0", " ")
            command = command or machine.text(f"/proc/{number}/comm") or "unknown"
            found[number, device] = Holder(number, command[:60], device)
    return list(found.values()), hidden
