"""A check of `edge doctor`: whether libcamera and picamera2 can be imported, and which cameras they find."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from edge.commands.doctor.child import problem_of, timed_out
from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import Machine
from edge.sources.cameras_found import LIST_LIBCAMERA, libcamera_list
from edge.system.command import TIMED_OUT


def libcamera(machine: Machine) -> Iterable[Finding]:
    """Whether picamera2 and libcamera can be imported, or why not; and the cameras they find."""
    scheme, what = machine.source
    wanted = scheme == "picamera2"
    level = failure if wanted and machine.pi else warning
    done = machine.child(LIST_LIBCAMERA)
    cameras = libcamera_list(done)
    if done.status == TIMED_OUT:
        yield timed_out("libcamera", done)
    elif cameras is None:
        said = problem_of(done)
        if "No module named" not in said:
            why = "the Pi's camera cannot be used; libcamera and picamera2 must come from the same release of apt"
            yield level("libcamera", said, why, "sudo apt install --reinstall -y python3-picamera2 python3-libcamera")
        elif wanted or machine.pi:
            yield level("libcamera", said, *_reason_missing(machine))
        else:
            yield ok("libcamera", "not installed; only the source picamera2: needs it")
    else:
        names = [f"{n} is {camera.get('Model', 'unknown')}" for n, camera in enumerate(cameras)]
        if wanted and what in ("", *map(str, range(99))) and int(what or 0) >= len(cameras):
            said = f"camera {what or 0} was not found ({', '.join(names) or 'none is connected'})"
            why = "switch the power off and check both ends of its cable: the contacts face the board"
            yield level("libcamera", said, why, "rpicam-hello --list-cameras")
        else:
            yield ok("libcamera", f"works; camera {', '.join(names)}" if names else "works; no camera is connected")


def _reason_missing(machine: Machine) -> tuple[str, str]:
    """Why this Python environment has no picamera2, and the command that fixes it."""
    config = (machine.prefix / "pyvenv.cfg").read_text("utf-8") if (machine.prefix / "pyvenv.cfg").is_file() else ""
    fields = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in config.splitlines())}
    prefix, version = shlex.quote(str(machine.prefix)), ".".join(map(str, machine.python))
    apt = "sudo apt install -y python3-picamera2"
    system_python = machine.path("/usr/bin/python3")
    distribution = system_python.readlink().name.removeprefix("python") if system_python.is_symlink() else version
    if not machine.pi:
        return (
            "picamera2: is the camera of a Raspberry Pi, and this is not one: set another source",
            "edge run --source synthetic:",
        )
    if distribution != version:
        why = f"apt's picamera2 is for Python {distribution}, this is Python {version}: create the environment again"
        return why, f"/usr/bin/python3 -m venv --clear --system-site-packages {prefix} && {machine.pip('edge-digits')}"
    if fields.get("include-system-site-packages", "true") == "false":
        why = "picamera2 comes from apt, but this environment was created without --system-site-packages"
        return why, f"sed -i '/^include-system/s/false/true/' {prefix}/pyvenv.cfg && {apt}"
    return "picamera2 is not installed; it comes from apt", apt
